"""The curves of a classifier: ROC, reliability, and net benefit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from monai_tumor.metrics.diagnosis import REST
from monai_tumor.reporting.charts import chart
from monai_tumor.reporting.markup import number, percent
from monai_tumor.reporting.plot import Plot, Point, linear_axis
from monai_tumor.wording import count_of
from tumor_mask_classifier.report.content import CalledCase, DiagnosisContent
from tumor_mask_classifier.report.headline import against_words, point_words
from tumor_mask_classifier.report.tables import interval_words

_KINDS = ("first", "second", "third", "fourth")
_HEIGHT = 330
_STEPS = 60  # of the curve of acting on all


def roc_chart(content: DiagnosisContent) -> str:
    """Return the ROC curves of the positive class against each other one, the frozen operating point marked."""
    curves = {name: _negatives(content, name) for name in content.opponents[-len(_KINDS) :]}
    positive = [case for case in content.cases if case.label == content.positive]
    curves = {name: cases for name, cases in curves.items() if cases and positive}
    if not curves:
        return ""
    plot = Plot(
        linear_axis("1 \u2212 specificity", 0, 1), linear_axis("sensitivity", 0, 1), _roc_words(content), _HEIGHT
    )
    plot.line([(0, 0), (1, 1)], "grid")
    key = []
    for kind, (name, negative) in zip(_KINDS, curves.items(), strict=False):
        plot.line(roc_points([case.odds for case in positive], [case.odds for case in negative]), kind)
        plot.dots(_frozen(content, name), f"dots {kind} big")
        key.append((f"line {kind}", against_words(content.positive, name)))
    if content.metrics.get("point"):
        key.append(("dots first big", "frozen operating point"))
    return chart("ROC curve", plot, [*key, ("line grid", "chance")])


def roc_points(positive: Sequence[float], negative: Sequence[float]) -> list[Point]:
    """Return the corners of the ROC curve as (1 - specificity, sensitivity), from (0, 0) to (1, 1).

    Args:
        positive: Scores of the positive cases, at least one; larger is more likely positive.
        negative: Scores of the negative cases, at least one. Equal scores are one step, aslant.
    """
    scores = np.array([*positive, *negative], np.float64)
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    called = np.cumsum(order < len(positive))[ends]
    steps = np.stack([ends + 1 - called, called], axis=1)  # whole numbers, so that a straight line is seen to be one
    corners = np.concatenate([[[0, 0]], steps])
    ahead = np.diff(corners, axis=0)
    turns = ahead[:-1, 0] * ahead[1:, 1] != ahead[:-1, 1] * ahead[1:, 0]
    kept = corners[np.concatenate([[True], turns, [True]])] / [len(negative), len(positive)]
    return [(x, y) for x, y in kept.tolist()]


def calibration_chart(content: DiagnosisContent) -> str:
    """Return how far the probabilities of the positive class lie from shares."""
    found = content.metrics["calibration"]
    figures = found["figures"]
    if not figures["n"]:
        return ""
    said = (
        f"Expected calibration error {number(figures['ece'])} with {figures['bins']} bins of equal width (no interval), "
        f"{number(figures['ece_equal_mass'])} with bins of equally many cases. Brier score "
        f"{interval_words(found['brier'])}; mean probability minus share {interval_words(found['bias'])}. "
        f"{count_of(figures['n'], 'case', 'cases')}; a bin of equal width may hold few of them."
    )
    name = content.positive
    x, y = linear_axis(f"probability of {name}", 0, 1), linear_axis(f"share that is {name}", 0, 1)
    plot = Plot(x, y, said, _HEIGHT)
    plot.line([(0, 0), (1, 1)], "grid")
    for kind, bins in (("first", "reliability"), ("second", "reliability_equal_mass")):
        points = [(one["confidence"], one["share"]) for one in figures[bins]]
        plot.line(points, kind)
        plot.dots(points, f"dots {kind}")
    key = [("line first", "bins of equal width"), ("line second", "of equally many cases"), ("line grid", "perfect")]
    return chart("Reliability of the probability", plot, key)


def decision_chart(content: DiagnosisContent) -> str:
    """Return the net benefit of acting by the model, on all, and on none (Vickers and Elkin, 2006)."""
    curve = [one for one in content.metrics["decision_curve"] if one["net_benefit"]["mean"] is not None]
    if not curve:
        return ""
    lowest = min(-0.05, *(value for one in curve for value in _ends(one["net_benefit"])))
    prevalence = content.metrics["per_class"][content.positive]["n"] / content.metrics["cases"]
    highest = max(prevalence, *(value for one in curve for value in _ends(one["net_benefit"])))
    last = max(one["threshold"] for one in curve)
    axes = linear_axis("act from a probability of, in %", 0, 100 * last), linear_axis("net benefit", lowest, highest)
    plot = Plot(*axes, _decision_words(curve), _HEIGHT)
    plot.line([(0, 0), (100 * last, 0)], "third")
    plot.line(_acting_on_all(prevalence, last, plot.y.low), "second")
    for one in curve:
        plot.line([(100 * one["threshold"], value) for value in _ends(one["net_benefit"])], "first interval")
    points = [(100 * one["threshold"], one["net_benefit"]["mean"]) for one in curve]
    plot.line(points, "first")
    plot.dots(points, "dots first")
    key = [
        ("line first", "by the model, with 95\u00a0% intervals"),
        ("line second", "on all"),
        ("line third", "on none"),
    ]
    return chart("Decision curve", plot, key)


def _negatives(content: DiagnosisContent, opponent: str) -> list[CalledCase]:
    return [
        case
        for case in content.cases
        if case.label == opponent or (opponent == REST and case.label != content.positive)
    ]


def _specificity(content: DiagnosisContent, opponent: str) -> Mapping[str, Any] | None:
    """Return the specificity to one opponent at the frozen operating point, where it is known."""
    point = content.metrics.get("point") or {}
    own = opponent == content.opponents[-1]  # the rest, or the only other class
    found = point.get("specificity") if own else (point.get("specificity_to") or {}).get(opponent)
    return found if found and None not in (found["mean"], point["sensitivity"]["mean"]) else None


def _frozen(content: DiagnosisContent, opponent: str) -> Iterator[Point]:
    found = _specificity(content, opponent)
    if found:
        yield 1 - found["mean"], content.metrics["point"]["sensitivity"]["mean"]


def _roc_words(content: DiagnosisContent) -> str:
    against, point = content.metrics["against"], content.metrics.get("point")
    areas = (
        f"{against_words(content.positive, one)} {interval_words(against[one]['auroc'])}" for one in content.opponents
    )
    words = f"AUROC: {'; '.join(areas)}."
    if not point:
        return words
    found = ((against_words("specificity", one), _specificity(content, one)) for one in content.opponents)
    told = (f"{name} {interval_words(one)}" for name, one in found if one)
    sensitivity = f"sensitivity {interval_words(point['sensitivity'])}"
    return f"{words} Frozen operating point, {point_words(point)}: {'; '.join([sensitivity, *told])}."


def _acting_on_all(prevalence: float, last: float, lowest: float) -> list[Point]:
    """Return the curve as far as the frame goes; below it nothing is drawn, for a line at its edge would be a lie."""
    levels = (last * step / _STEPS for step in range(_STEPS + 1))
    points = [(100 * level, prevalence - (1 - prevalence) * level / (1 - level)) for level in levels]
    return [(x, y if y >= lowest else math.nan) for x, y in points]


def _decision_words(curve: Sequence[Mapping[str, Any]]) -> str:
    better = [percent(one["threshold"]) for one in curve if (one["over_all"]["low"] or 0) > 0]
    worse = [percent(one["threshold"]) for one in curve if (one["net_benefit"]["low"] or 0) <= 0]
    one = "True positives a case, less false ones at the price that the threshold puts on them."
    more = (
        f"Surely more than acting on all from {', '.join(better)}."
        if better
        else "Nowhere surely more than acting on all."
    )
    none = f" Not surely more than acting on none from {', '.join(worse)}." if worse else ""
    return f"{one} {more}{none}"


def _ends(mean: Mapping[str, Any]) -> list[float]:
    return [float(value) for value in (mean["low"], mean["mean"], mean["high"]) if value is not None]
