"""Curves: over thresholds, over confidence, over referred cases."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from monai_tumor.metrics.levels import SMALLEST_AREAS, THRESHOLDS
from monai_tumor.reporting.charts import chart
from monai_tumor.reporting.content import ReportContent
from monai_tumor.reporting.markup import number, percent
from monai_tumor.reporting.plot import Plot, Point, linear_axis
from monai_tumor.wording import count_of

_NONE_CHOSEN = "Shown to see how much hangs on the threshold; nothing is chosen by this curve."


def precision_recall_chart(content: ReportContent) -> str:
    """Return precision over recall, as means over lesion cases and of all pixels together, the used threshold marked."""
    curve = content.metrics.get("precision_recall")
    if not curve:
        return ""
    threshold = content.metrics["threshold"]
    mean, pooled = (_pairs(curve[f"{kind}_recall"], curve[f"{kind}_precision"]) for kind in ("mean", "pooled"))
    used = _nearest(curve["thresholds"], 0.5 if threshold is None else threshold)
    at = (
        "threshold 0.50 (each fold has one of its own)"
        if threshold is None
        else f"the threshold used ({_level(threshold)})"
    )
    said = (
        f"At {at}, before small components are removed: mean precision "
        f"{number(mean[used][1])} and recall {number(mean[used][0])} over {count_of(curve['n'], 'lesion case', 'lesion cases')}"
        f"; precision {number(pooled[used][1])} and recall {number(pooled[used][0])} of all pixels together, "
        f"{count_of(curve['lesion_free'], 'lesion-free case', 'lesion-free cases')} among them."
    )
    plot = Plot(linear_axis("recall", 0, 1), linear_axis("precision", 0, 1), said)
    plot.line(mean, "first")
    plot.line(pooled, "second")
    plot.dots([mean[used]], "dots first big")
    plot.dots([pooled[used]], "dots second big")
    key = [
        ("line first", "mean over lesion cases"),
        ("line second", "all pixels together"),
        ("dots first big", "threshold 0.50" if threshold is None else "threshold used"),
    ]
    return chart("Precision and recall over all thresholds", plot, key)


def threshold_chart(content: ReportContent) -> str:
    """Return the mean Dice of lesion cases over thresholds, the used one marked."""
    cases, used = content.lesion_cases, content.metrics["threshold"]
    if not cases:
        return ""
    area = _nearest(SMALLEST_AREAS, content.metrics.get("smallest_area") or 0.0)
    dice = np.mean([case.levels.dice[area] for case in cases], axis=0).tolist()
    best = int(np.argmax(dice))
    at = (
        "Each fold has a threshold of its own"
        if used is None
        else f"Mean Dice {number(float(np.interp(used, THRESHOLDS, dice)))} at the threshold used ({_level(used)})"
    )
    said = f"{at}; the highest of the curve is {number(dice[best])} at {_level(THRESHOLDS[best])}. {_NONE_CHOSEN}"
    plot = Plot(linear_axis("threshold", 0, 1), linear_axis("mean Dice", 0, 1), said)
    key = [("line first", "mean Dice of lesion cases")]
    if used is not None:
        plot.upright(used, "third")
        key.append(("line third", "threshold used"))
    plot.line(zip(THRESHOLDS, dice, strict=True), "first")
    plot.dots(zip(THRESHOLDS, dice, strict=True), "dots first")
    return chart("Dice and threshold", plot, key)


def reliability_chart(content: ReportContent) -> str:
    """Return how far the probabilities of pixels lie from shares, before and after temperature."""
    calibration = content.metrics.get("calibration") or {}
    shown = [(kind, name, calibration.get(name)) for kind, name in (("first", "before"), ("second", "after"))]
    found = [(kind, name, one) for kind, name, one in shown if one and one["reliability"]]
    if not found:
        return ""
    said = " ".join(_calibration_words(name, one) for _, name, one in found)
    plot = Plot(linear_axis("probability of lesion", 0, 1), linear_axis("share that is lesion", 0, 1), said)
    plot.line([(0, 0), (1, 1)], "third")
    for kind, _, one in found:
        points = [(place["confidence"], place["share"]) for place in one["reliability"]]
        plot.line(points, kind)
        plot.dots(points, f"dots {kind}")
    words = {"before": "as the network says", "after": "after temperature"}
    key = [(f"line {kind}", words[name]) for kind, name, _ in found]
    return chart("Reliability of pixel probabilities", plot, [*key, ("line third", "perfect")])


def _calibration_words(name: str, one: Mapping[str, Any]) -> str:
    when = "As the network says" if name == "before" else f"After temperature {number(one['temperature'])}"
    return f"{when}: expected calibration error {number(one['ece'])}, Brier score {number(one['brier'])}, {one['n']:,} pixels."


def referral_chart(content: ReportContent) -> str:
    """Return the mean Dice of the cases that are left when the least certain ones go to a human."""
    curve = content.metrics.get("referral")
    if not curve or not curve["n"]:
        return ""
    referred = [100 * share for share in curve["referred"]]
    fifth = _nearest(curve["referred"], 0.2)
    said = (
        f"Mean Dice {number(curve['random'])} with no case referred, {number(curve['dice'][fifth])} when the "
        f"{percent(curve['referred'][fifth])} that are least certain go to a human, {number(curve['oracle'][fifth])} if the "
        f"worst were known. Mean over all shares: {number(curve['area'])}, at best {number(curve['oracle_area'])}, at random "
        f"{number(curve['random'])}; {count_of(curve['n'], 'case', 'cases')}, {curve['undefined']} without a Dice left out."
    )
    plot = Plot(
        linear_axis("cases referred to a human, in %", 0, 100), linear_axis("mean Dice of the rest", 0, 1), said
    )
    plot.line([(0, curve["random"]), (100, curve["random"])], "third")
    plot.line(_pairs(referred, curve["oracle"]), "second")
    plot.line(_pairs(referred, curve["dice"]), "first")
    key = [
        ("line first", "least certain first"),
        ("line second", "worst first (nothing is better)"),
        ("line third", "at random"),
    ]
    return chart("What the uncertainty is worth", plot, key)


def _pairs(x: Sequence[float | None], y: Sequence[float | None]) -> list[Point]:
    return [(_float(one), _float(other)) for one, other in zip(x, y, strict=True)]


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _nearest(values: Sequence[float], value: float) -> int:
    return min(range(len(values)), key=lambda place: abs(values[place] - value))


def _level(threshold: float) -> str:
    return f"{threshold:.2f}"
