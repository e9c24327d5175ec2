"""The threshold and the smallest component with the best mean Dice, and how much that choice is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongCallError
from monai_tumor.metrics.levels import (
    CHOSEN_LEVELS,
    LEVELS,
    SMALLEST_AREAS,
    THRESHOLDS,
    CaseLevels,
    Counts,
    lesion_cases,
)
from monai_tumor.metrics.plain import PlainResult
from monai_tumor.metrics.summary import MIN_GROUPS, Interval, mean_interval

DRAWS = 1000

# Shares of the best within which others are as good: the last binary digits.
_ROUNDING = 1e-12

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ThresholdChoice(PlainResult):
    """The threshold and the smallest area with the best mean Dice.

    Attributes:
        threshold: The probability from which on a pixel is lesion.
        smallest_area: Smallest component that is kept, as a share of the picture's pixels.
        dice: The mean Dice of the lesion cases with this choice, on the very cases it was chosen on: too good.
        lesion_free: Cases with an empty reference; they have no Dice, so they had no say.
    """

    threshold: float
    smallest_area: float
    dice: Interval
    lesion_free: int


@dataclass(frozen=True, slots=True)
class ChoiceSpread(PlainResult):
    """How the choice varies when groups are drawn anew.

    Attributes:
        threshold: 2.5th, 50th and 97.5th percentile of the chosen threshold; None below ten groups.
        smallest_area: The same of the smallest area.
        mean_regret: Mean over the draws of what a draw's choice loses on all given cases, in mean Dice, against the best
            choice for these; None below ten groups.
        regret_95: Its 95th percentile.
        draws: Number of draws.
        groups_drawn: Groups in each draw.
        groups: Groups there are.
        n: Lesion cases there are.
    """

    threshold: tuple[float, float, float] | None
    smallest_area: tuple[float, float, float] | None
    mean_regret: float | None
    regret_95: float | None
    draws: int
    groups_drawn: int
    groups: int
    n: int


def choose_threshold(cases: Sequence[CaseLevels], seed: int = 0) -> ThresholdChoice:
    """Choose the threshold and the smallest area with the best mean Dice of the lesion cases.

    Of equally good choices the smallest area is taken, then the threshold nearest to 0.5, then the lower one.

    Args:
        cases: Validation or out-of-fold cases; never those that the result is then stated on.
        seed: Seed of the interval.

    Raises:
        WrongDataError: No case has a lesion.
    """
    lesion = lesion_cases(cases)
    dice = np.stack([case.dice for case in lesion])
    area, threshold = _best(dice.mean(axis=0)[None])[0]
    interval = mean_interval(dice[:, area, threshold], [case.group for case in lesion], seed, limits=(0.0, 1.0))
    return ThresholdChoice(THRESHOLDS[threshold], SMALLEST_AREAS[area], interval, len(cases) - len(lesion))


def choice_spread(
    cases: Sequence[CaseLevels], groups_drawn: int | None = None, draws: int = DRAWS, seed: int = 0
) -> ChoiceSpread:
    """Return how much the choice varies, and what that costs, by drawing whole groups with replacement.

    Args:
        cases: The cases that the choice is made on.
        groups_drawn: How many groups a choice is made on; as many as there are when left out. With fewer it answers what
            a choice on so few would have been worth.
        draws: Number of draws.
        seed: Seed of the draws.

    Raises:
        WrongCallError: No group is to be drawn.
        WrongDataError: No case has a lesion.
    """
    lesion = lesion_cases(cases)
    names, place = np.unique([case.group for case in lesion], return_inverse=True)
    count, drawn = len(names), len(names) if groups_drawn is None else groups_drawn
    if drawn < 1:
        raise WrongCallError(f"groups_drawn is {drawn}, expected at least 1; leave it out for all {count} groups")
    if count < MIN_GROUPS:
        return ChoiceSpread(None, None, None, None, 0, drawn, count, len(lesion))
    sums = np.zeros((count, len(SMALLEST_AREAS), len(THRESHOLDS)))
    np.add.at(sums, place, np.stack([case.dice for case in lesion]))
    times = np.random.default_rng(seed).multinomial(drawn, np.full(count, 1 / count), size=draws)
    area, threshold = _best(np.tensordot(times, sums, 1)).T
    overall = sums.sum(axis=0) / len(lesion)
    regret = overall.max() - overall[area, threshold]
    return ChoiceSpread(
        _percentiles(np.asarray(THRESHOLDS)[threshold]),
        _percentiles(np.asarray(SMALLEST_AREAS)[area]),
        float(regret.mean()),
        float(np.percentile(regret, 95)),
        *(draws, drawn, count, len(lesion)),
    )


def _best(dice: _Floats) -> Counts:
    """Return the place of the best (area, threshold) in each of (draws, areas, thresholds), sums or means, as (draws, 2)."""
    areas, thresholds = (grid.ravel() for grid in np.indices(dice.shape[1:]))
    order = np.lexsort((thresholds, np.abs(CHOSEN_LEVELS[thresholds] - LEVELS // 2), areas))
    ranked = dice.reshape(len(dice), -1)[:, order]
    first = order[np.argmax(ranked >= ranked.max(axis=1, keepdims=True) * (1 - _ROUNDING), axis=1)]
    return np.column_stack([areas[first], thresholds[first]])


def _percentiles(values: _Floats) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, [2.5, 50, 97.5], method="nearest").tolist()
    return low, middle, high
