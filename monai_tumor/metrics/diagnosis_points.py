"""Operating points: the threshold for a stated sensitivity, what it is worth on other cases, and points of the ROC curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.metrics.diagnosis_intervals import (
    checked_scores,
    class_worth,
    difference_interval,
    group_places,
    share_like_interval,
)
from monai_tumor.metrics.plain import PlainResult
from monai_tumor.metrics.summary import MIN_GROUPS, Interval, mean_interval

DRAWS = 500

_BLOCK_CELLS = 2_000_000
# Shares that are equal but for the last binary digits count as reached.
_ROUNDING = 1e-9

_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]
_Scores = Sequence[float] | _Floats
_Flags = Sequence[bool] | _Bools


@dataclass(frozen=True, slots=True)
class SensitivityPoint(PlainResult):
    """A threshold and what it is worth on some cases.

    Attributes:
        threshold: A case is called positive when its probability is at least this.
        sensitivity: Share of the positive cases that are called positive.
        specificity: Share of the negative cases that are not.
        positive: Positive cases.
        negative: Negative cases.
    """

    threshold: float
    sensitivity: Interval
    specificity: Interval
    positive: int
    negative: int


def choose_sensitivity_point(
    probability: _Scores, positive: _Flags, groups: Sequence[str], at_least: float = 0.95, seed: int = 0
) -> SensitivityPoint:
    """Choose the highest threshold that finds at least a stated share of the positive cases.

    It lies midway between the lowest probability that must be called positive and the next lower one of any case, so
    that rounding calls no case otherwise. The figures are those on the cases it was chosen on: too good. State what
    ``measure_point`` finds on others, and expect a sensitivity a little below the stated one there.

    Args:
        probability: Of being positive, of validation or out-of-fold cases.
        positive: Whether the case is.
        groups: Group of each case.
        at_least: The stated sensitivity, above 0 and up to 1.
        seed: Seed of the intervals.

    Raises:
        TypeError: ``positive`` is not bool.
        WrongCallError: The stated sensitivity is not above 0 and up to 1.
        WrongDataError: No case is positive, the lengths differ, or a probability is not within 0 to 1.
    """
    values, flags = _checked_probability(probability, positive, groups)
    if not 0 < at_least <= 1:
        raise WrongCallError(f"at_least is {at_least}, expected a sensitivity above 0 and up to 1")
    if not flags.any():
        raise WrongDataError(f"none of {len(values)} cases is positive; an operating point needs some of both classes")
    falling = np.sort(values[flags])[::-1]
    last = falling[max(math.ceil(at_least * len(falling) - _ROUNDING), 1) - 1]
    threshold = (last + values[values < last].max(initial=0.0)) / 2
    return measure_point(float(threshold), values, flags, groups, seed)


def measure_point(
    threshold: float, probability: _Scores, positive: _Flags, groups: Sequence[str], seed: int = 0
) -> SensitivityPoint:
    """Return sensitivity and specificity of a threshold that was chosen before, on other cases.

    Args:
        threshold: A case is called positive when its probability is at least this.
        probability: Of being positive.
        positive: Whether the case is.
        groups: Group of each case.
        seed: Seed of the intervals.

    Raises:
        TypeError: ``positive`` is not bool.
        WrongDataError: The lengths differ, or a probability is not within 0 to 1.
    """
    values, flags = _checked_probability(probability, positive, groups)
    right = np.where(flags, values >= threshold, values < threshold).astype(np.float64)
    found, cleared = (
        mean_interval(right[one], [groups[k] for k in np.flatnonzero(one).tolist()], seed, limits=(0.0, 1.0))
        for one in (flags, ~flags)
    )
    return SensitivityPoint(threshold, found, cleared, int(flags.sum()), int((~flags).sum()))


def sensitivity_at_specificity(
    scores: _Scores, positive: _Flags, groups: Sequence[str], at_least: float = 0.9, seed: int = 0
) -> Interval:
    """Return the sensitivity at the lowest threshold with at least a stated specificity, both on the same cases.

    A point of the ROC curve. The threshold is chosen on these very cases, and would be another one on others: the spread
    is that of drawing whole groups, with the threshold chosen anew in each of 500 draws. The ends are those of
    ``share_like_interval``.

    Args:
        scores: One for each case, any scale; larger is more likely positive.
        positive: Whether the case is positive.
        groups: Group of each case.
        at_least: The stated specificity, 0 to 1.
        seed: Seed of the draws.

    Raises:
        TypeError: ``positive`` is not bool.
        WrongCallError: The stated specificity is not within 0 to 1.
        WrongDataError: The lengths differ, or a score is NaN.
    """
    values, flags = checked_scores(scores, positive, groups)
    place, count = group_places(groups, len(values))
    value, drawn = _drawn(values, flags, place, count, at_least, seed)
    return share_like_interval(value, _variance(drawn), class_worth(place, flags), len(values), count)


def specificity_at_sensitivity(
    scores: _Scores, positive: _Flags, groups: Sequence[str], at_least: float = 0.95, seed: int = 0
) -> Interval:
    """Return the specificity at the highest threshold with at least a stated sensitivity, both on the same cases.

    The other way round: arguments, interval and errors are those of ``sensitivity_at_specificity``.
    """
    values, flags = checked_scores(scores, positive, groups)
    return sensitivity_at_specificity(-values, ~flags, groups, at_least, seed)


def compare_at_specificity(
    first: _Scores, second: _Scores, positive: _Flags, groups: Sequence[str], at_least: float = 0.9, seed: int = 0
) -> Interval:
    """Return the paired difference, second - first, of ``sensitivity_at_specificity`` of two scores of the same cases.

    Both have the same groups in each draw, and a threshold of their own. The interval is Student's with the spread of
    the drawn differences. Arguments and errors are those of ``sensitivity_at_specificity``.
    """
    one, flags = checked_scores(first, positive, groups)
    two, _ = checked_scores(second, positive, groups)
    place, count = group_places(groups, len(one))
    (before, drawn_one), (after, drawn_two) = (
        _drawn(values, flags, place, count, at_least, seed) for values in (one, two)
    )
    variance = _variance(drawn_two - drawn_one)
    return difference_interval(after - before, variance, class_worth(place, flags), len(one), count)


def _drawn(
    values: _Floats, flags: _Bools, place: NDArray[np.int64], count: int, at_least: float, seed: int
) -> tuple[float, _Floats]:
    """Return the sensitivity of all cases, and that of each draw of groups; no draws where there is no interval."""
    if not 0 <= at_least <= 1:
        raise WrongCallError(f"at_least is {at_least}, expected a share from 0 to 1")
    if not flags.any() or flags.all():
        return math.nan, np.empty(0)
    order = np.argsort(-values, kind="stable")
    # The last of equal scores: a threshold calls all of them positive, or none.
    ends = np.append(np.flatnonzero(np.diff(values[order])), len(values) - 1)
    value = float(_at_specificity(np.ones((1, len(values))), flags[order], ends, at_least)[0])
    if count < MIN_GROUPS:
        return value, np.empty(0)
    random, drawn = np.random.default_rng(seed), []
    rows = max(1, _BLOCK_CELLS // len(values))
    for start in range(0, DRAWS, rows):
        times = random.multinomial(count, np.full(count, 1 / count), size=min(rows, DRAWS - start))
        drawn.append(_at_specificity(times[:, place[order]].astype(np.float64), flags[order], ends, at_least))
    return value, np.concatenate(drawn)


def _variance(drawn: _Floats) -> float:
    """Return the variance of the draws in which both classes occur; NaN without any."""
    return float(np.var(drawn[~np.isnan(drawn)])) if np.isfinite(drawn).any() else math.nan


def _at_specificity(weights: _Floats, flags: _Bools, ends: NDArray[np.intp], at_least: float) -> _Floats:
    """Return the sensitivity, (draws,), for the weights (draws, cases) of the cases, the highest score first."""
    called, false = (np.cumsum(weights * mask, axis=1) for mask in (flags, ~flags))
    allowed = false[:, ends] <= (1 - at_least + _ROUNDING) * false[:, -1:]
    best = np.where(allowed, called[:, ends], 0.0).max(axis=1)
    defined = (called[:, -1] > 0) & (false[:, -1] > 0)
    shares: _Floats = np.divide(best, called[:, -1], out=np.full(len(weights), math.nan), where=defined)
    return shares


def _checked_probability(probability: _Scores, positive: _Flags, groups: Sequence[str]) -> tuple[_Floats, _Bools]:
    values, flags = checked_scores(probability, positive, groups)
    if not ((values >= 0) & (values <= 1)).all():
        raise WrongDataError("a probability lies outside of 0 to 1; apply class_probabilities to logits first")
    return values, flags
