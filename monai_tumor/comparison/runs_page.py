"""Two compared runs in words and tables, for a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from monai_tumor.comparison.table import interval_cell, markdown_table
from monai_tumor.metrics.summary import MIN_GROUPS
from monai_tumor.wording import count_of

Content = Mapping[str, Any]

MEASURE_COLUMNS = ("measure", "cases", "A", "B", "B - A", "p", "n", "groups", "undefined")
CHANGED_COLUMNS = ("case", "group", "A", "B", "B - A")
_SETTINGS = {"part": "part", "threshold": "threshold", "smallest_area": "smallest area"}
_NONE = "-"
# With so few groups even the smallest p, 2 of 2 ** groups flips, is above 0.05.
_FEW_GROUPS = 5


def runs_markdown(compared: Content) -> str:
    """Return the whole comparison as Markdown.

    Args:
        compared: What ``compare_evaluated`` returns.
    """
    parts = ["# " + title(compared), listed(runs_lines(compared))]
    parts += [markdown_table([MEASURE_COLUMNS, *measure_rows(compared)]), listed(counts_lines(compared))]
    if compared["changed"]:
        parts += ["The cases whose Dice changed most:", markdown_table([CHANGED_COLUMNS, *changed_rows(compared)])]
    return "\n\n".join([*parts, listed(notes(compared))]) + "\n"


def listed(lines: Iterator[str]) -> str:
    """Return lines as points of a Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def title(compared: Content) -> str:
    """Return what was compared, in one line."""
    cases = count_of(compared["cases"], "case", "cases")
    return f"Two runs on {compared['dataset']}: {cases}, {count_of(compared['groups'], 'group', 'groups')}"


def runs_lines(compared: Content) -> Iterator[str]:
    """Yield what A and B are."""
    for name, key in (("A", "first"), ("B", "second")):
        run = compared[key]
        told = [f"{label} {run[key]}" for key, label in _SETTINGS.items() if run[key] is not None]
        told += ["mirrored images"] * bool(run["tta"])
        yield f"{name}: {run['folder']}" + (f" ({', '.join(told)})" if told else "")


def measure_rows(compared: Content) -> list[list[str]]:
    """Return one row of ``MEASURE_COLUMNS`` a measure."""
    return [_measure_row(name, found) for name, found in compared["measures"].items()]


def changed_rows(compared: Content) -> list[list[str]]:
    """Return one row of ``CHANGED_COLUMNS`` a case."""
    return [
        [case["id"], case["group"], f"{case['first']:.3f}", f"{case['second']:.3f}", f"{case['difference']:+.3f}"]
        for case in compared["changed"]
    ]


def counts_lines(compared: Content) -> Iterator[str]:
    """Yield how many cases were missed, and marked falsely, by which run."""
    for key, words, kind in (
        ("missed", "missed", "lesion"),
        ("with_false_positive", "false positive", "lesion-free"),
    ):
        counts = compared[key]
        if counts["of"]:
            of = count_of(counts["of"], f"{kind} case", f"{kind} cases")
            yield f"{words}, of {of}: A only {counts['first_only']}, B only {counts['second_only']}, both {counts['both']}"


def notes(compared: Content) -> Iterator[str]:
    """Yield what must be known to read the figures."""
    measures: Content = compared["measures"]
    yield "A and B are means over the n cases that have a value in both runs; undefined are the others."
    if any(one["difference"]["undefined"] for one in measures.values()):
        yield "Distances are undefined where nothing was predicted: a run that predicts nothing in hard cases gains by that."
    yield (
        "B - A: mean of the differences case by case and, in brackets, its 95 % interval, resampled by group "
        f"(none below {MIN_GROUPS} groups). p: paired permutation test by group, two-sided. Seed {compared['seed']}."
    )
    yield (
        f"The primary measure is {compared['primary']}. Each p value stands for its measure alone and is not corrected for "
        f"several: of {count_of(len(measures), 'measure', 'measures')} one may have a small p by chance."
    )
    if any(0 < one["difference"]["groups"] <= _FEW_GROUPS for one in measures.values()):
        yield f"With {_FEW_GROUPS} groups or fewer no p can be below 0.05."
    yield "One run each does not tell recipes apart: two runs of one recipe with other seeds differ as well."


def _measure_row(name: str, found: Content) -> list[str]:
    difference, form = found["difference"], ".1f" if name.endswith("_px") else ".3f"
    means = [_NONE if found[key] is None else f"{found[key]:{form}}" for key in ("first", "second")]
    counts = [str(difference[key]) for key in ("n", "groups", "undefined")]
    return [name, found["cases"], *means, interval_cell(difference, "+" + form), _p(found["permutation"]["p"]), *counts]


def _p(value: float | None) -> str:
    if value is None:
        return _NONE
    return "<0.001" if value < 0.001 else f"{value:.3f}"
