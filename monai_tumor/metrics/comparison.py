"""Two runs on the same cases: the paired difference, whether chance would do, and the cases that changed most."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongDataError
from monai_tumor.metrics.plain import PlainResult
from monai_tumor.metrics.summary import Interval, mean_interval
from monai_tumor.wording import count_of

MOST_GROUPS_EXACT = 12
DRAWS = 20_000

_BLOCK_CELLS = 2_000_000
# Sums that are equal but for the last binary digits count as equal.
_ROUNDING = 1e-12

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Permutation(PlainResult):
    """A paired permutation test.

    Attributes:
        p: Two-sided p value, never 0; NaN without a case.
        flips: The sign flips that were compared with the observed difference.
        exact: Whether these were all there are.
    """

    p: float
    flips: int
    exact: bool


@dataclass(frozen=True, slots=True)
class ChangedCase(PlainResult):
    """A case and its value in both runs; ``difference`` is second - first."""

    id: str
    group: str
    first: float
    second: float
    difference: float


@dataclass(frozen=True, slots=True)
class PairedComparison(PlainResult):
    """What changed from the first run to the second.

    Attributes:
        difference: Mean of second - first with its interval; cases that have no value in one of the runs are left out, and
            counted as undefined.
        permutation: The test against chance.
        changed: The cases that changed most, the largest change first, either way; equal changes by id.
    """

    difference: Interval
    permutation: Permutation
    changed: tuple[ChangedCase, ...]


def compare_runs(
    first: Mapping[str, float],
    second: Mapping[str, float],
    groups: Mapping[str, str],
    seed: int = 0,
    largest: float = 1.0,
    most: int = 10,
) -> PairedComparison:
    """Compare one measure of two runs, case by case.

    Args:
        first: Case id to value; NaN where it is undefined.
        second: The same cases in the other run.
        groups: Case id to group.
        seed: Seed of the interval and of the test.
        largest: Largest possible value of the measure; the smallest is 0.
        most: How many of the most changed cases are named.

    Raises:
        WrongDataError: The runs have different cases, or a case has no group.
    """
    unpaired = sorted(first.keys() ^ second.keys() or first.keys() - groups.keys())
    if unpaired:
        raise WrongDataError(
            f"{count_of(len(unpaired), 'case', 'cases')} ({unpaired[0]!r} first) in one run only or without a group; "
            "compare runs on the same cases"
        )
    ids = sorted(first)
    owners = [groups[name] for name in ids]
    values = np.array([second[name] - first[name] for name in ids], dtype=np.float64)
    difference = _difference(values, owners, seed, largest)
    defined = np.flatnonzero(~np.isnan(values))
    ranked = sorted(defined.tolist(), key=lambda place: (-abs(values[place]), ids[place]))[:most]
    changed = (
        ChangedCase(ids[k], owners[k], float(first[ids[k]]), float(second[ids[k]]), float(values[k])) for k in ranked
    )
    test = permutation_test_by_group(values[defined], [owners[place] for place in defined], seed)
    return PairedComparison(difference, test, tuple(changed))


def permutation_test_by_group(differences: _Floats, groups: list[str], seed: int = 0) -> Permutation:
    """Test whether paired differences have a mean of 0, the sign of each whole group being left to chance.

    If neither run is better, a group's sum of differences could as well have had the other sign. Up to 12 groups all
    flips are counted, else 20 000 are drawn. ``p = (b + 1) / (m + 1)``: b of m flips, the observed one not among them
    (Phipson and Smyth, 2010), have a mean at least as far from 0.

    Args:
        differences: (cases,), none NaN.
        groups: Group of each case.
        seed: Seed of the draws.
    """
    names, place = np.unique(np.array(groups, dtype=str), return_inverse=True)
    if not len(names):
        return Permutation(math.nan, 0, True)
    sums = np.asarray(np.bincount(place, weights=differences), dtype=np.float64)
    far = abs(sums.sum()) - _ROUNDING * np.abs(sums).sum()
    exact = len(names) <= MOST_GROUPS_EXACT
    if exact:
        flips = 2 ** len(names) - 1
        chosen = np.arange(1, flips + 1)[:, None] >> np.arange(len(names)) & 1
        extreme = int(np.count_nonzero(np.abs(sums.sum() - 2 * (chosen @ sums)) >= far))
    else:
        flips, extreme = DRAWS, _drawn_extremes(sums, far, seed)
    return Permutation((extreme + 1) / (flips + 1), flips, exact)


def _drawn_extremes(sums: _Floats, far: float, seed: int) -> int:
    random, extreme = np.random.default_rng(seed), 0
    rows_per_block = max(1, _BLOCK_CELLS // len(sums))
    for start in range(0, DRAWS, rows_per_block):
        rows = min(rows_per_block, DRAWS - start)
        chosen = random.integers(0, 2, size=(rows, len(sums)), dtype=np.int8)
        extreme += int(np.count_nonzero(np.abs(sums.sum() - 2 * (chosen @ sums)) >= far))
    return extreme


def _difference(values: _Floats, groups: list[str], seed: int, largest: float) -> Interval:
    # Differences that happen to be all 0 or 1 are no share. Moved away from 0 and 1 they are not taken for one.
    away = 2 + float(np.nanmax(np.abs(values), initial=0.0))
    found = mean_interval(values + away, groups, seed, limits=(away - largest, away + largest))
    low, high = (None if end is None else end - away for end in (found.low, found.high))
    median = None if found.median is None else found.median - away
    return replace(found, mean=found.mean - away, low=low, high=high, median=median)
