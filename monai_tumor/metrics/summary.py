"""From per-case values to means with intervals, lesion cases and lesion-free cases apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from monai_tumor.metrics.lesions import LEAST_IOU
from monai_tumor.metrics.measures import (
    ALL_CASE_MEASURES,
    FURTHER_LESION_MEASURES,
    LESION_COUNTS,
    LESION_MEASURES,
    Measure,
    ScoredCase,
)
from monai_tumor.metrics.subgroups import SIZES, subgroups

# Below this many groups no method known to us holds its coverage.
MIN_GROUPS = 10
POLICY = (
    "Lesion cases (the reference has a lesion) and lesion-free cases (the reference is empty) are summarised apart. "
    "A missed lesion (no pixel of it predicted) counts with Dice 0 in the mean, and as missed. "
    "Dice, IoU, recall, NSD and area error of an empty reference and precision of an empty prediction are undefined: "
    "they are left out of means, and counted. So are distances between boundaries where either mask is empty; "
    "NSD of an empty prediction is 0. "
    "Lesions are connected components (8 neighbours). One is found when its IoU with the predicted components that touch it, "
    f"taken together, is at least {LEAST_IOU}; a predicted component that touches no found lesion is a false lesion. "
    f"Lesion sizes: {', '.join(f'{name} {area}' for name, area in SIZES.items())}. "
    "Pixel accuracy is over all cases; predicting nothing gives it a high value where lesions are small. "
    "Specificity is the share of lesion-free cases without a predicted pixel. "
    "Cases without a reference are not scored. Intervals are resampled by group."
)

_RESAMPLES = 2000
_BLOCK_CELLS = 200_000  # resamples drawn at once stay within the processor's cache
# A resample of nearly equal groups has next to no spread of its own. Without a floor its t value would be infinite.
_SPREAD_FLOOR = 0.1

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean that does not stand alone.

    Attributes:
        mean: Mean over the cases with a value; NaN when there are none.
        low: Lower end of the interval; None without an interval.
        high: Upper end of the interval; None without an interval.
        n: Cases with a value.
        groups: Groups among these cases.
        undefined: Cases left out because their value is NaN.
        level: Nominal coverage, for example 0.95.
        median: Median over the cases with a value; None when there are none, and for shares, of which it tells nothing.
    """

    mean: float
    low: float | None
    high: float | None
    n: int
    groups: int
    undefined: int = 0
    level: float = 0.95
    median: float | None = None

    def __str__(self) -> str:
        return self.format()

    def format(self) -> str:
        """Return for example ``0.842 (95 % interval 0.801 to 0.876, median 0.861, n = 40 cases, 12 groups)``."""
        size = f"n = {_count(self.n, 'case')}, {_count(self.groups, 'group')}"
        if self.median is not None:
            size = f"median {_number(self.median)}, {size}"
        if self.undefined:
            size += f", {self.undefined} undefined"
        if not self.n:
            return f"undefined ({size})"
        if self.low is None or self.high is None:
            why = f"below {MIN_GROUPS} groups" if self.groups < MIN_GROUPS else "because all groups are alike"
            return f"{_number(self.mean)} (no interval {why}, {size})"
        ends = f"{_number(self.low)} to {_number(self.high)}"
        return f"{_number(self.mean)} ({100 * self.level:g} % interval {ends}, {size})"

    def plain(self) -> dict[str, Any]:
        """Return JSON-able values (an undefined mean is None) and the text of ``format``."""
        return {**asdict(self), "mean": None if math.isnan(self.mean) else self.mean, "text": self.format()}


def mean_interval(
    values: Sequence[float] | _Floats,
    groups: Sequence[str],
    seed: int = 0,
    level: float = 0.95,
    limits: tuple[float, float] = (-math.inf, math.inf),
) -> Interval:
    """Return the mean over cases with an interval for its value in the population of groups.

    Groups are what was sampled, so they are what is resampled: a studentised bootstrap (bootstrap-t) of whole groups,
    which unlike the percentile bootstrap holds its coverage for skewed values and few groups. Values that are all
    0 or 1 are a share, for which the bootstrap fails near 0 and 1: their interval is Korn and Graubard's (1998),
    Clopper and Pearson's with the number of independent cases that the groups are worth. No interval can know of a
    kind of failure that is rare and not in the sample: read it beside the counts.

    Args:
        values: One value for each case; NaN where it is undefined.
        groups: Group of each case.
        seed: Seed of the resampling; the same input gives the same interval.
        level: Nominal coverage, between 0 and 1.
        limits: Smallest and largest possible value; the interval is cut there. Values that can only be 0 or 1
            are a share where these are 0 and 1, or not given.

    Raises:
        ValueError: ``values`` and ``groups`` differ in length, or ``level`` is not between 0 and 1.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (len(groups),) or not 0 < level < 1:
        raise ValueError(f"{array.shape} values for {len(groups)} groups at level {level}: one group for each value")
    defined = ~np.isnan(array)
    array = array[defined]
    undefined = int(len(defined) - len(array))
    if not len(array):
        return Interval(math.nan, None, None, 0, 0, undefined, level)
    names, place = np.unique(np.array(list(groups), dtype=str)[defined], return_inverse=True)
    sums = np.asarray(np.bincount(place, weights=array), dtype=np.float64)
    sizes = np.asarray(np.bincount(place), dtype=np.float64)
    ends: tuple[float, float] | None = None
    # Differences, counts and areas that happen to be 0 or 1 are no share.
    shares = limits in ((0.0, 1.0), (-math.inf, math.inf))
    share = shares and bool(np.isin(array, (0.0, 1.0)).all())
    if len(names) >= MIN_GROUPS:
        ends = _share_ends(sums, sizes, level) if share else _bootstrap_ends(sums, sizes, seed, level)
    low, high = (None, None) if ends is None else np.clip(ends, *limits).tolist()
    median = None if share else float(np.median(array))
    return Interval(float(array.mean()), low, high, len(array), len(names), undefined, level, median)


def summarise_cases(rows: Sequence[ScoredCase], seed: int = 0) -> dict[str, Any]:
    """Summarise scored cases as JSON-able values, with the policy in words.

    Args:
        rows: Every case that has a reference, empty or not.
        seed: Seed of the intervals.

    Returns:
        ``policy``; ``cases``, ``groups``; ``lesions`` with the sums of ``LESION_COUNTS``; ``lesion_cases`` with ``n``,
        ``missed``, and means of ``LESION_MEASURES``, ``FURTHER_LESION_MEASURES`` and ``found`` (share of cases that are not
        missed); ``lesion_free_cases`` with ``n``, ``with_false_positive``, and means of ``specificity`` and
        ``false_positive_area_px``; ``all_cases`` with means of ``ALL_CASE_MEASURES``; ``subgroups``: for each grouping of the
        cases and each of its values the same from ``cases`` on. A mean is what ``Interval.plain`` returns.
    """
    parts = {
        name: {value: _figures(part, seed) for value, part in values.items()}
        for name, values in subgroups(rows).items()
    }
    return {"policy": POLICY, **_figures(rows, seed), "subgroups": parts}


def _figures(rows: Sequence[ScoredCase], seed: int) -> dict[str, Any]:
    lesion = [row for row in rows if row.overlap.has_reference_lesion]
    free = [row for row in rows if not row.overlap.has_reference_lesion]
    missed = [row.overlap.is_missed for row in lesion]
    flagged = [row.overlap.false_positive > 0 for row in free]
    found = _mean(lesion, [float(not flag) for flag in missed], seed)
    areas = [float(row.overlap.false_positive_area) for row in free]
    counts = [row.lesions for row in rows if row.lesions is not None]
    return {
        "cases": len(rows),
        "groups": len({row.group for row in rows}),
        "lesions": {name: sum(getattr(one, name) for one in counts) for name in LESION_COUNTS},
        "lesion_cases": {
            "n": len(lesion),
            "missed": sum(missed),
            **_means(LESION_MEASURES + FURTHER_LESION_MEASURES, lesion, seed),
            "found": found,
        },
        "lesion_free_cases": {
            "n": len(free),
            "with_false_positive": sum(flagged),
            "specificity": _mean(free, [float(not flag) for flag in flagged], seed),
            "false_positive_area_px": _mean(free, areas, seed, (0.0, math.inf)),
        },
        "all_cases": _means(ALL_CASE_MEASURES, rows, seed),
    }


def _means(measures: Sequence[Measure], rows: Sequence[ScoredCase], seed: int) -> dict[str, Any]:
    return {
        one.name: _mean(rows, [float(one.of(row)) for row in rows], seed, (one.smallest, one.largest))
        for one in measures
    }


def _mean(
    rows: Sequence[ScoredCase], values: Sequence[float], seed: int, limits: tuple[float, float] = (0.0, 1.0)
) -> dict[str, Any]:
    return mean_interval(values, [row.group for row in rows], seed, limits=limits).plain()


def _bootstrap_ends(sums: _Floats, sizes: _Floats, seed: int, level: float) -> tuple[float, float] | None:
    """Return the ends of the bootstrap-t interval of ``sums.sum() / sizes.sum()``; None when no group differs."""
    mean = sums.sum() / sizes.sum()
    spread = math.sqrt(_jackknife_variance(sums, sizes))
    if spread <= 1e-9 * max(abs(mean), 1e-300):
        return None
    shifts, spreads = _resampled(sums - mean * sizes, sizes, np.random.default_rng(seed))
    t_values = shifts / np.maximum(spreads, _SPREAD_FLOOR * spread)
    lower, upper = np.quantile(t_values, [(1 - level) / 2, (1 + level) / 2])
    return float(mean - upper * spread), float(mean - lower * spread)


def _resampled(sums: _Floats, sizes: _Floats, random: np.random.Generator) -> tuple[_Floats, _Floats]:
    """Return mean and standard error, each (resamples,), of groups drawn with replacement."""
    count = len(sums)
    # The residual sum of squares of a resample follows from these five sums, so residuals are never formed.
    moments = np.column_stack([sums, sizes, sums * sums, sums * sizes, sizes * sizes])
    totals: list[_Floats] = []
    rows_per_block = max(1, _BLOCK_CELLS // count)
    for start in range(0, _RESAMPLES, rows_per_block):
        rows = min(rows_per_block, _RESAMPLES - start)
        drawn = random.integers(0, count, size=(rows, count)) + count * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        totals.append(times.astype(np.float64) @ moments)
    total = np.concatenate(totals)
    means = total[:, 0] / total[:, 1]
    squares = total[:, 2] - 2 * means * total[:, 3] + means**2 * total[:, 4]
    return means, np.sqrt(np.maximum(squares, 0) * count / (count - 1)) / total[:, 1]


def _jackknife_variance(sums: _Floats, sizes: _Floats) -> float:
    """Return the variance of the mean by leaving out one group at a time; fair to groups of unequal size."""
    total, count = sizes.sum(), len(sums)
    left_out = (sums.sum() - sums) / (total - sizes)
    return float(np.square(left_out - sums.sum() / total).sum() * (count - 1) / count)


def _share_ends(sums: _Floats, sizes: _Floats, level: float) -> tuple[float, float]:
    """Return the ends of Korn and Graubard's interval of a share counted in groups."""
    total, share = sizes.sum(), sums.sum() / sizes.sum()
    # Kish's number of equally large groups that tell as much.
    worth = total**2 / np.square(sizes).sum()
    variance = _jackknife_variance(sums, sizes)
    # Where all cases agree the spread is unknown: a group then counts as one case, the cautious choice.
    independent = worth if share in (0.0, 1.0) else min(share * (1 - share) / variance, total) if variance else total
    return korn_graubard_ends(float(share), float(independent), float(worth), level)


def korn_graubard_ends(share: float, independent: float, worth: float, level: float = 0.95) -> tuple[float, float]:
    """Return Clopper and Pearson's ends for a share of ``independent`` cases, whose number is itself an estimate.

    Args:
        share: From 0 to 1.
        independent: The number of independent cases that the data are worth, for this share.
        worth: The number of equally large groups that its estimate rests on; from two or less follows next to nothing.
        level: Nominal coverage, between 0 and 1.
    """
    upper = (1 + level) / 2
    independent *= (special.ndtri(upper) / special.stdtrit(max(worth - 1, 1), upper)) ** 2
    hits = share * independent
    low = special.betaincinv(hits, independent - hits + 1, 1 - upper) if hits > 0 else 0.0
    high = special.betaincinv(hits + 1, independent - hits, upper) if share < 1 else 1.0
    return float(low), float(high)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
