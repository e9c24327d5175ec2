"""The probability from which on a pixel is lesion, and the smallest component that is kept, chosen for the best mean Dice.

What is needed of a case are two histograms of its probabilities and the counts in small components: some kilobytes, made
in one pass, and enough for every threshold, for precision and recall, and for a bootstrap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongDataError
from monai_tumor.metrics.plain import plain_values
from monai_tumor.metrics.summary import MIN_GROUPS, Interval, mean_interval

LEVELS = 256
# 0.05 to 0.95 in steps of 0.05, each moved to the nearest multiple of 1/256: histogram, float16 and float32 agree on those.
_CHOSEN_LEVELS = np.rint(np.arange(1, 20) * 0.05 * LEVELS).astype(np.int64)
THRESHOLDS: tuple[float, ...] = tuple((_CHOSEN_LEVELS / LEVELS).tolist())
# Share of the picture: 7 to 655 of 256 x 256 pixels.
SMALLEST_AREAS = (0.0, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01)
DRAWS = 1000

# Means that differ by less are equal.
_ROUNDING = 1e-12

_Counts = NDArray[np.int64]
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CaseLevels:
    """What choosing a threshold needs to know of a case.

    Attributes:
        group: Its group.
        lesion: int64 (256,), pixels of the reference's lesion with a probability from k/256 to less than (k + 1)/256.
        ground: int64 (256,), the same of the other pixels. A probability of 1 is in the last place.
        small_lesion: int64 (8, 19), lesion pixels that lie in predicted components smaller than the area, for each of
            ``SMALLEST_AREAS`` and ``THRESHOLDS``.
        small_ground: int64 (8, 19), the same of the other pixels.
    """

    group: str
    lesion: _Counts
    ground: _Counts
    small_lesion: _Counts
    small_ground: _Counts

    @property
    def has_lesion(self) -> bool:
        """Whether the reference has any lesion pixel."""
        return bool(self.lesion.any())

    @property
    def true_positive(self) -> _Counts:
        """Int64 (8, 19), for each smallest area and threshold."""
        return _from_level_on(self.lesion)[_CHOSEN_LEVELS] - self.small_lesion

    @property
    def false_positive(self) -> _Counts:
        """Int64 (8, 19), for each smallest area and threshold."""
        return _from_level_on(self.ground)[_CHOSEN_LEVELS] - self.small_ground

    @property
    def false_negative(self) -> _Counts:
        """Int64 (8, 19), for each smallest area and threshold."""
        missing: _Counts = self.lesion.sum() - self.true_positive
        return missing

    @property
    def dice(self) -> _Floats:
        """Float64 (8, 19), for each smallest area and threshold; NaN when the reference is empty."""
        double = 2.0 * self.true_positive
        whole = double + self.false_positive + self.false_negative
        return double / whole if self.has_lesion else np.full_like(double, np.nan)


@dataclass(frozen=True, slots=True)
class ThresholdChoice:
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

    def plain(self) -> dict[str, Any]:
        """Return JSON-able values; NaN is None."""
        return dict(plain_values(self))


@dataclass(frozen=True, slots=True)
class ChoiceSpread:
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

    def plain(self) -> dict[str, Any]:
        """Return JSON-able values."""
        return dict(plain_values(self))


@dataclass(frozen=True, slots=True)
class PrecisionRecall:
    """Precision and recall at each threshold, without a smallest area.

    Attributes:
        thresholds: 1/256, 2/256, ... 255/256.
        pooled_precision: Of the pixels of all cases together, lesion-free cases among them; NaN where nothing is predicted.
        pooled_recall: The same.
        mean_precision: Mean over the lesion cases where something is predicted.
        mean_recall: Mean over the lesion cases.
        with_prediction: Lesion cases where something is predicted, at each threshold.
        n: Lesion cases.
        lesion_free: Cases with an empty reference.
    """

    thresholds: tuple[float, ...]
    pooled_precision: tuple[float, ...]
    pooled_recall: tuple[float, ...]
    mean_precision: tuple[float, ...]
    mean_recall: tuple[float, ...]
    with_prediction: tuple[int, ...]
    n: int
    lesion_free: int

    def plain(self) -> dict[str, Any]:
        """Return JSON-able values; NaN is None."""
        return dict(plain_values(self))


def case_levels(probability: NDArray[np.floating[Any]], reference: NDArray[np.bool_], group: str) -> CaseLevels:
    """Count the probabilities of one case; a pixel is lesion from the threshold on (``>=``).

    Components touch at sides or corners (8 neighbours).

    Args:
        probability: (rows, columns), from 0 to 1.
        reference: bool, same shape.
        group: Group of the case.

    Raises:
        TypeError: The reference is not bool.
        WrongDataError: The shapes differ or are not (rows, columns), or a value lies outside of 0..1.
    """
    if reference.dtype != np.bool_:
        raise TypeError(f"reference has dtype {reference.dtype}, expected bool")
    if probability.shape != reference.shape or probability.ndim != 2:
        raise WrongDataError(
            f"probability has shape {probability.shape}, its reference {reference.shape}; expected one (rows, columns)"
        )
    if not ((probability >= 0) & (probability <= 1)).all():
        raise WrongDataError("a probability lies outside of 0 to 1; apply the sigmoid to logits first")
    level = np.minimum(probability * LEVELS, LEVELS - 1).astype(np.uint8)
    lesion, ground = (np.bincount(level[part], minlength=LEVELS).astype(np.int64) for part in (reference, ~reference))
    small = np.stack([_small_components(level >= one, reference) for one in _CHOSEN_LEVELS], axis=-1)
    return CaseLevels(group, lesion, ground, small[0], small[1])


def choose_threshold(cases: Sequence[CaseLevels], seed: int = 0) -> ThresholdChoice:
    """Choose the threshold and the smallest area with the best mean Dice of the lesion cases.

    Of equally good choices the smallest area is taken, then the threshold nearest to 0.5, then the lower one.

    Args:
        cases: Validation or out-of-fold cases; never those that the result is then stated on.
        seed: Seed of the interval.

    Raises:
        WrongDataError: No case has a lesion.
    """
    lesion = _lesion_cases(cases)
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
        WrongDataError: No case has a lesion.
    """
    lesion = _lesion_cases(cases)
    names, place = np.unique([case.group for case in lesion], return_inverse=True)
    count, drawn = len(names), len(names) if groups_drawn is None else groups_drawn
    if count < MIN_GROUPS:
        return ChoiceSpread(None, None, None, None, 0, drawn, count, len(lesion))
    sums = np.zeros((count, len(SMALLEST_AREAS), len(THRESHOLDS)))
    np.add.at(sums, place, np.stack([case.dice for case in lesion]))
    times = np.random.default_rng(seed).multinomial(drawn, np.full(count, 1 / count), size=draws)
    sizes = times @ np.bincount(place)
    area, threshold = _best(np.tensordot(times, sums, 1) / sizes[:, None, None]).T
    overall = sums.sum(axis=0) / len(lesion)
    regret = overall.max() - overall[area, threshold]
    ends = (_percentiles(np.asarray(grid)[k]) for grid, k in ((THRESHOLDS, threshold), (SMALLEST_AREAS, area)))
    worst = float(np.percentile(regret, 95))
    return ChoiceSpread(*ends, float(regret.mean()), worst, draws, drawn, count, len(lesion))


def precision_recall(cases: Sequence[CaseLevels]) -> PrecisionRecall:
    """Return precision and recall over all thresholds, of all pixels together and as means over lesion cases.

    Raises:
        WrongDataError: No case has a lesion.
    """
    lesion = _lesion_cases(cases)
    true, false = (np.stack([_from_level_on(getattr(case, name)) for case in cases]) for name in ("lesion", "ground"))
    total = true[:, :1]
    true, false = true[:, 1:], false[:, 1:]
    chosen = total[:, 0] > 0
    precision, recall = _share(true, true + false)[chosen], true[chosen] / total[chosen]
    defined = np.count_nonzero(~np.isnan(precision), axis=0)
    curves = (
        np.arange(1, LEVELS) / LEVELS,
        _share(true.sum(axis=0), (true + false).sum(axis=0)),
        true.sum(axis=0) / total.sum(),
        _share(np.nansum(precision, axis=0), defined),
        recall.mean(axis=0),
    )
    return PrecisionRecall(
        *(tuple(one.tolist()) for one in curves), tuple(defined.tolist()), len(lesion), int((~chosen).sum())
    )


def _small_components(mask: NDArray[np.bool_], reference: NDArray[np.bool_]) -> _Counts:
    """Return lesion and other pixels in components smaller than each of ``SMALLEST_AREAS``, (2, 8)."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA].astype(np.int64)
    lesion = np.bincount(labels[reference], minlength=len(areas) + 1)[1:]
    small = areas < np.multiply.outer(SMALLEST_AREAS, mask.size)[:, None]
    return np.stack([small @ lesion, small @ (areas - lesion)]).astype(np.int64)


def _from_level_on(histogram: _Counts) -> _Counts:
    counts: _Counts = np.cumsum(histogram[::-1])[::-1]
    return counts


def _lesion_cases(cases: Sequence[CaseLevels]) -> list[CaseLevels]:
    lesion = [case for case in cases if case.has_lesion]
    if not lesion:
        raise WrongDataError(f"none of {len(cases)} cases has a lesion, so there is no Dice; give cases with a lesion")
    return lesion


def _best(dice: _Floats) -> _Counts:
    """Return the place of the best (area, threshold) in each of (draws, areas, thresholds), as (draws, 2)."""
    areas, thresholds = (grid.ravel() for grid in np.indices(dice.shape[1:]))
    order = np.lexsort((thresholds, np.abs(_CHOSEN_LEVELS[thresholds] - LEVELS // 2), areas))
    ranked = dice.reshape(len(dice), -1)[:, order]
    first = order[np.argmax(ranked >= ranked.max(axis=1, keepdims=True) - _ROUNDING, axis=1)]
    return np.column_stack([areas[first], thresholds[first]])


def _percentiles(values: _Floats) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, [2.5, 50, 97.5], method="nearest").tolist()
    return low, middle, high


def _share(part: NDArray[Any], whole: NDArray[Any]) -> _Floats:
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)
