"""The figures of all methods as Markdown tables that read well in a terminal too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from monai_tumor.wording import count_of

_QUALITY = {
    "dice": "Dice",
    "iou": "IoU",
    "precision": "precision",
    "recall": "recall",
    "hd95_px": "HD95 in pixels",
}
_NONE = "-"


def markdown(comparison: Mapping[str, Any]) -> str:
    """Return title, table of agreement, table of cost, and notes.

    Args:
        comparison: What ``comparison.json`` holds, see ``compare_methods``.
    """
    methods: Mapping[str, Any] = comparison["methods"]
    parts = [f"# {_title(comparison)}", "\n".join(notes(comparison))]
    if methods:
        tables = [markdown_table(_agreement(methods)), markdown_table(_cost(methods))]
        parts = [parts[0], *tables, *parts[1:]]
    return "\n\n".join(part for part in parts if part) + "\n"


def notes(comparison: Mapping[str, Any]) -> Iterator[str]:
    """Yield what must be known to read the tables, one point a line."""
    methods: Mapping[str, Any] = comparison["methods"]
    settings = comparison["settings"]
    if methods:
        yield (
            "- Mean over all lesion cases of the tested folds and, in brackets, its 95 % interval, resampled by group "
            f"(none below 10 groups). Seed {settings['seed']}, split `{settings['split'][:12]}`."
        )
        yield (
            "- HD95 and precision leave out cases in which nothing was predicted: (n) is their number where it is not that "
            "of all cases. Missed: no pixel of the lesion predicted."
        )
        yield "- Difference: Dice minus that of the first method, case by case. An interval without 0 is a difference."
        yield (
            "- Minutes, epochs and CPU share are medians over folds, memory is the largest. CPU share: of all cores' "
            "time while training; where it differs much, equal minutes were not equal work."
        )
        if comparison["threads"] is not None:
            threads = count_of(comparison["threads"], "thread", "threads")
            yield f"- CPU ms per image: median forward pass of one image in the size and precision of the bundle, {threads}."
        yield from _unequal(methods)
        if len(comparison["trained_on"]) > 1:
            yield "- Versions or hardware changed between trainings (`trained_on` in comparison.json): costs do not compare."
    for failure in comparison["failed"]:
        yield f"- FAILED: {failure['method']}, fold {failure['fold']}: {failure['error']}"


def interval_cell(mean: Mapping[str, Any] | None, form: str = ".3f", cases: int | None = None) -> str:
    """Return mean, interval, and the number of cases where it is not ``cases``.

    Args:
        mean: What ``Interval.plain`` returns, or None.
        form: Format of a number.
        cases: The number of cases that goes without saying.
    """
    if mean is None or mean["mean"] is None:
        return _NONE
    text = f"{mean['mean']:{form}}"
    text += "" if mean["low"] is None else f" [{mean['low']:{form}}, {mean['high']:{form}}]"
    return text if cases in (None, mean["n"]) else f"{text} ({mean['n']})"


def markdown_table(table: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table with aligned columns, all but the first to the right; the first row is the header."""
    widths = [max(3, *map(len, column)) for column in zip(*table, strict=True)]
    lines = [[cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in table]
    for line, row in zip(lines, table, strict=True):
        line[0] = row[0].ljust(widths[0])
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])


def _title(comparison: Mapping[str, Any]) -> str:
    settings = comparison["settings"]
    budget = (
        f"{settings['minutes']:g} minutes" if settings["minutes"] else count_of(settings["epochs"], "epoch", "epochs")
    )
    folds = f"{len(_folds(comparison['methods']))} of {settings['folds']} folds"
    return f"{settings['bundle']} on {settings['dataset']}: {budget} each, {folds}"


def _folds(methods: Mapping[str, Any]) -> list[int]:
    return sorted({fold for figures in methods.values() for fold in figures["folds"]})


def _unequal(methods: Mapping[str, Any]) -> Iterator[str]:
    for name, figures in methods.items():
        if figures["folds"] != _folds(methods):
            listed = ", ".join(map(str, figures["folds"]))
            yield f"- {name} has only fold {listed}: compare it by the difference, which is over common cases."


def _agreement(methods: Mapping[str, Any]) -> list[list[str]]:
    free = any(figures["lesion_free_cases"] for figures in methods.values())
    header = ["method", "cases (groups)", "Dice", "difference", *list(_QUALITY.values())[1:], "missed"]
    rows = [header + ["false positives"] * free]
    for name, figures in methods.items():
        dice = figures["dice"]
        row = [
            name,
            f"{dice['n']} ({dice['groups']})",
            interval_cell(dice),
            interval_cell(figures["difference"], "+.3f", dice["n"]),
        ]
        row += [
            interval_cell(figures[key], ".1f" if key == "hd95_px" else ".3f", dice["n"]) for key in list(_QUALITY)[1:]
        ]
        row.append(f"{figures['missed']} of {figures['lesion_cases']}")
        rows.append(row + [f"{figures['with_false_positive']} of {figures['lesion_free_cases']}"] * free)
    return rows


def _cost(methods: Mapping[str, Any]) -> list[list[str]]:
    rows = [["method", "parameters", "CPU ms per image", "minutes", "epochs", "peak memory in MiB", "CPU share"]]
    for name, figures in methods.items():
        cells = [
            _number(figures["parameters"], ",d"),
            _number(figures["cpu_ms_per_image"], ".1f"),
            _number(figures["minutes"], ".1f"),
            _number(figures["epochs"], "g"),
            _number(figures["peak_memory_mib"], ".0f"),
            _number(figures["cpu_share"], ".0%"),
        ]
        rows.append([name, *cells])
    return rows


def _number(value: float | None, form: str) -> str:
    return _NONE if value is None else f"{value:{form}}"
