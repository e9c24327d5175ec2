"""How well a score tells positive cases from negative ones, whatever the threshold; and which of two scores does better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from monai_tumor.metrics.comparison import Permutation, permutation_test_by_group
from monai_tumor.metrics.diagnosis_intervals import (
    checked_scores,
    class_worth,
    difference_interval,
    group_places,
    jackknife_variance,
    share_like_interval,
)
from monai_tumor.metrics.plain import PlainResult
from monai_tumor.metrics.summary import Interval

_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]
_Counts = NDArray[np.int64]
_Scores = Sequence[float] | _Floats
_Flags = Sequence[bool] | _Bools


@dataclass(frozen=True, slots=True)
class AurocComparison(PlainResult):
    """Two scores of the same cases.

    Attributes:
        first: AUROC of the first score.
        second: AUROC of the second.
        difference: Second - first, paired, with its interval.
        permutation: The test against chance: the two scores of a whole group change places.
    """

    first: Interval
    second: Interval
    difference: Interval
    permutation: Permutation


def auroc(scores: _Scores, positive: _Flags) -> float:
    """Return the share of pairs of a positive and a negative case in which the positive one has the higher score.

    A tie counts as half. It is the area under the ROC curve. NaN without a positive or without a negative case.

    Raises:
        TypeError: ``positive`` is not bool.
        WrongDataError: The lengths differ, or a score is NaN.
    """
    values, flags = checked_scores(scores, positive, [""] * len(scores))
    wins, _ = _wins(values[flags], values[~flags])
    pairs = flags.sum() * (~flags).sum()
    return float(wins.sum() / pairs) if pairs else math.nan


def auroc_interval(scores: _Scores, positive: _Flags, groups: Sequence[str], level: float = 0.95) -> Interval:
    """Return the AUROC with an interval for its value in the population of groups.

    The spread is that of leaving out one group at a time, to first order that of DeLong for clustered data (Obuchowski,
    1997): cases of one group are no independent cases. The ends are those of ``share_like_interval``.

    Args:
        scores: One for each case, any scale; larger is more likely positive.
        positive: Whether the case is positive.
        groups: Group of each case.
        level: Nominal coverage.

    Raises:
        TypeError: ``positive`` is not bool.
        WrongDataError: The lengths differ, or a score is NaN.
    """
    values, flags = checked_scores(scores, positive, groups)
    place, count = group_places(groups, len(values))
    value, left_out = _without_each_group(values, flags, place, count)
    worth = class_worth(place, flags)
    return share_like_interval(value, jackknife_variance(value, left_out), worth, len(values), count, level)


def compare_auroc(
    first: _Scores, second: _Scores, positive: _Flags, groups: Sequence[str], seed: int = 0, level: float = 0.95
) -> AurocComparison:
    """Compare the AUROC of two scores of the same cases.

    The interval of the difference is Student's, with the spread of leaving out one group at a time. The test (Bandos,
    Rockette and Gur, 2005, by group): were the two scores alike, their ranks in a whole group could as well have changed
    places. The difference after such an exchange is a sum over groups of which each has one sign, so the exchanges are
    counted as ``permutation_test_by_group`` counts sign flips: all of them up to 12 groups.

    Args:
        first: Scores of the cases by the first classifier.
        second: Those by the second, on any scale.
        positive: Whether the case is positive.
        groups: Group of each case.
        seed: Seed of the test.
        level: Nominal coverage.

    Raises:
        TypeError: ``positive`` is not bool.
        WrongDataError: The lengths differ, or a score is NaN.
    """
    one, flags = checked_scores(first, positive, groups)
    two, _ = checked_scores(second, positive, groups)
    place, count = group_places(groups, len(one))
    shares = _exchanged_shares(one, two, flags)
    defined = flags.any() and not flags.all()
    return AurocComparison(
        auroc_interval(one, flags, groups, level),
        auroc_interval(two, flags, groups, level),
        _difference(one, two, flags, place, count, level),
        permutation_test_by_group(shares, list(groups) if defined else [], seed),
    )


def _difference(one: _Floats, two: _Floats, flags: _Bools, place: _Counts, count: int, level: float) -> Interval:
    (before, without_one), (after, without_two) = (
        _without_each_group(values, flags, place, count) for values in (one, two)
    )
    variance = jackknife_variance(after - before, without_two - without_one)
    return difference_interval(after - before, variance, class_worth(place, flags), len(one), count, level)


def _wins(positive: _Floats, negative: _Floats) -> tuple[_Floats, _Floats]:
    """Return how many negatives each positive beats, and how many positives beat each negative; a tie is half."""
    up, down = np.sort(positive), np.sort(negative)
    beats = (np.searchsorted(down, positive, "left") + np.searchsorted(down, positive, "right")) / 2
    beaten = len(up) - (np.searchsorted(up, negative, "left") + np.searchsorted(up, negative, "right")) / 2
    return beats, beaten


def _without_each_group(values: _Floats, flags: _Bools, place: _Counts, count: int) -> tuple[float, _Floats]:
    """Return the AUROC of all, and (groups,) that without each group: NaN where a class is then missing."""
    positive, negative = flags.sum(), (~flags).sum()
    if not (positive and negative):
        return math.nan, np.full(count, math.nan)
    beats, beaten = _wins(values[flags], values[~flags])
    rows = np.bincount(place[flags], weights=beats, minlength=count)
    columns = np.bincount(place[~flags], weights=beaten, minlength=count)
    its_positive = np.bincount(place[flags], minlength=count)
    its_negative = np.bincount(place[~flags], minlength=count)
    # Pairs within a group are in its rows and in its columns.
    twice = np.zeros(count)
    for group in np.flatnonzero((its_positive > 0) & (its_negative > 0)):
        own = place == group
        twice[group] = _wins(values[own & flags], values[own & ~flags])[0].sum()
    pairs = ((positive - its_positive) * (negative - its_negative)).astype(np.float64)
    rest = beats.sum() - rows - columns + twice
    left_out = np.divide(rest, pairs, out=np.full(count, math.nan), where=pairs > 0)
    return float(beats.sum() / (positive * negative)), left_out


def _exchanged_shares(one: _Floats, two: _Floats, flags: _Bools) -> _Floats:
    """Return (cases,) whose sum, each case with the sign of its group, is the difference after exchanging some groups.

    With ``K[a, b]`` the pairs won when the positive case has its rank in score a and the negative one its rank in b, two
    groups that are both exchanged turn ``K[2, 2] - K[1, 1]`` round; one that is exchanged alone makes it
    ``+-(K[2, 1] - K[1, 2])``. Half the sum and half the difference of the two are therefore what each case brings.
    """
    ranks = [stats.rankdata(values) for values in (one, two)]
    won = {(a, b): _wins(ranks[a][flags], ranks[b][~flags]) for a in (0, 1) for b in (0, 1)}
    shares = np.zeros(len(one))
    for side, (mask, sign) in enumerate(((flags, 1), (~flags, -1))):
        same, crossed = won[1, 1][side] - won[0, 0][side], won[1, 0][side] - won[0, 1][side]
        shares[mask] = (same + sign * crossed) / 2
    return shares / max(int(flags.sum()) * int((~flags).sum()), 1)
