"""The tables of figures: all means, other evaluations beside them, and subgroups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monai_tumor.metrics.subgroups import SIZES
from monai_tumor.reporting.content import ReportContent
from monai_tumor.reporting.markup import UNDEFINED, Cells, ends, interval_bar, number, paragraph, percent_of, table
from monai_tumor.reporting.names import PARTS, title
from monai_tumor.wording import count_of

_HEAD = ("Measure", "Mean", "95\u00a0% interval", "Median", "Cases", "Groups", "Undefined")
_SUBGROUP_HEAD = (
    "Cases",
    "Groups",
    "Lesion cases",
    "Missed",
    "Dice",
    "95\u00a0% interval",
    "From 0 to 1",
    "False positives",
)
_NOT_MEASURED = "not measured"


def summary_table(metrics: Mapping[str, Any]) -> str:
    """Return every mean with median, interval and counts, by kind of case."""
    shown = [(key, heading, names) for key, heading, names in PARTS if key == "all_cases" or metrics[key]["n"]]
    groups = [
        (
            _heading(metrics, key, heading),
            [_mean_row(name, metrics[key][name]) for name in names if name in metrics[key]],
        )
        for key, heading, names in shown
    ]
    return table("Means over cases", _HEAD, groups)


def beside_table(content: ReportContent, this: str) -> str:
    """Return the means of this evaluation beside those of others, with the differences; empty without others."""
    if not content.beside:
        return ""
    head = ["Measure", this]
    for name in content.beside:
        head += [name, f"Difference: {this} minus {name}"]
    groups = [
        (heading, [_beside_row(content, key, name) for name in names if name in content.metrics[key]])
        for key, heading, names in PARTS
    ]
    said = (
        "Differences of means, each over its own cases: they are unpaired, so no interval is given. A negative difference of "
        "Dice is a drop."
    )
    return table("Evaluations beside each other", head, groups) + paragraph(said)


def subgroup_tables(metrics: Mapping[str, Any]) -> str:
    """Return a table for each grouping that has at least two values."""
    groupings = metrics.get("subgroups") or {}
    return "".join(
        table(
            f"By {name}", (name.capitalize(), *_SUBGROUP_HEAD), [("", [_subgroup_row(*part) for part in parts.items()])]
        )
        for name, parts in ((key.replace("_", " "), parts) for key, parts in groupings.items())
    )


def _heading(metrics: Mapping[str, Any], key: str, heading: str) -> str:
    part = metrics[key]
    if key == "lesion_cases":
        return f"{heading}: {part['n']}, of these {part['missed']} missed"
    if key == "lesion_free_cases":
        return f"{heading}: {part['n']}, of these {part['with_false_positive']} with a false positive"
    return f"{heading}: {metrics['cases']}"


def _mean_row(name: str, mean: Mapping[str, Any]) -> Cells:
    counts = (f"{mean[key]:,}" for key in ("n", "groups", "undefined"))
    median = mean.get("median")
    return title(name), number(mean["mean"]), ends(mean), "" if median is None else number(median), *counts


def _beside_row(content: ReportContent, key: str, name: str) -> Cells:
    own = content.metrics[key][name]
    cells = [title(name), _mean_words(own)]
    for other in content.beside.values():
        mean = other.get(key, {}).get(name)
        cells += [_mean_words(mean), _difference(own["mean"], mean and mean["mean"])]
    return cells


def _mean_words(mean: Mapping[str, Any] | None) -> str:
    if mean is None:
        return _NOT_MEASURED
    if mean["mean"] is None:
        return UNDEFINED
    return f"{number(mean['mean'])} ({ends(mean)}), {count_of(mean['n'], 'case', 'cases')}"


def _difference(own: float | None, other: float | None) -> str:
    return UNDEFINED if own is None or other is None else number(own - other, "+")


def _subgroup_row(value: str, part: Mapping[str, Any]) -> Cells:
    lesion, free = part["lesion_cases"], part["lesion_free_cases"]
    dice = lesion["dice"]
    return (
        f"{value} ({SIZES[value]})" if value in SIZES else value,
        f"{part['cases']:,}",
        f"{part['groups']:,}",
        f"{lesion['n']:,}",
        percent_of(lesion["missed"], lesion["n"]),
        number(dice["mean"]),
        ends(dice),
        interval_bar(dice),
        percent_of(free["with_false_positive"], free["n"]),
    )
