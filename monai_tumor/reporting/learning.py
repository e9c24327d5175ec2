"""What training looked like, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from monai_tumor.reporting.charts import chart
from monai_tumor.reporting.markup import number
from monai_tumor.reporting.plot import Plot, Point, linear_axis
from monai_tumor.wording import count_of, figure_words

_SHARES = ("lesion_dice", "balanced_accuracy")  # from 0 to 1, and drawn so


def loss_chart(record: Mapping[str, Any]) -> str:
    """Return the training loss of each epoch; empty where ``run.json`` has none."""
    return _learning(record, "loss", "Training loss")


def validation_chart(record: Mapping[str, Any]) -> str:
    """Return the validation figure of each epoch by which the best epoch was chosen; empty where there is none."""
    name = record.get("metric")
    return _learning(record, name, f"Validation {figure_words(name)}") if name else ""


def _learning(record: Mapping[str, Any], name: str, heading: str) -> str:
    rows = [row for row in record.get("history") or [] if row.get(name) is not None]
    points = [(float(row["epoch"]), float(row[name])) for row in rows]
    values = [value for _, value in points if not math.isnan(value)]
    if not values:
        return ""
    best, top = record.get("best_epoch"), 1.0 if name in _SHARES else max(values)
    said, words = _learning_words(points, values, best, heading), heading[0].lower() + heading[1:]
    y = linear_axis(words, min(0.0, *values), top)
    plot = Plot(linear_axis("epoch", 0, max(epoch for epoch, _ in points)), y, said)
    if best is not None:
        plot.upright(best, "third")
    plot.line(points, "first")
    if len(points) <= 100:
        plot.dots(points, "dots first")
    key = [("line first", words)] + [("line third", f"best epoch ({best})")] * (best is not None)
    return chart(heading, plot, key)


def _learning_words(points: Sequence[Point], values: Sequence[float], best: int | None, heading: str) -> str:
    at_best = dict(points).get(float(best)) if best is not None else None
    chosen = f" at the best epoch, {best}," if best is not None else ""
    words = f"{number(at_best)}{chosen} " if at_best is not None else ""
    ends = f"{number(values[0])} at first, {number(values[-1])} at last"
    return f"{heading}: {words}{ends}; {count_of(len(values), 'epoch', 'epochs')}."
