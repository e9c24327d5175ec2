"""Intervals of figures that are no mean over cases, yet lie between 0 and 1 as a share does."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from monai_tumor.errors import WrongDataError
from monai_tumor.metrics.summary import MIN_GROUPS, Interval, korn_graubard_ends

_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]
_Counts = NDArray[np.int64]

# A variance that is no more than rounding.
_NOTHING = 1e-15


def group_places(groups: Sequence[str], cases: int) -> tuple[_Counts, int]:
    """Return the place of each case's group, int64 (cases,), and the number of groups.

    Raises:
        WrongDataError: There is not one group for each case.
    """
    if len(groups) != cases:
        raise WrongDataError(f"{cases} cases with {len(groups)} groups, expected one group for each case")
    names, place = np.unique(np.array(list(groups), dtype=str), return_inverse=True)
    return np.asarray(place, dtype=np.int64), len(names)


def checked_scores(
    scores: Sequence[float] | _Floats, positive: Sequence[bool] | _Bools, groups: Sequence[str]
) -> tuple[_Floats, _Bools]:
    """Return scores as float64 (cases,) and which cases are positive as bool (cases,).

    Raises:
        TypeError: ``positive`` is not bool.
        WrongDataError: The lengths differ, or a score is NaN.
    """
    values, flags = np.asarray(scores, dtype=np.float64), np.asarray(positive)
    flags = flags if flags.size else flags.astype(bool)
    if flags.dtype != np.bool_:
        raise TypeError(f"positive has dtype {flags.dtype}, expected bool")
    if values.ndim != 1 or not values.shape == flags.shape == (len(groups),):
        raise WrongDataError(
            f"scores of shape {values.shape}, references of shape {flags.shape} and {len(groups)} groups; one for each case"
        )
    if np.isnan(values).any():
        raise WrongDataError(f"the score of case number {int(np.isnan(values).argmax())} is NaN; leave it out")
    return values, flags


def jackknife_variance(value: float, left_out: _Floats) -> float:
    """Return the variance of ``value`` by what it is without each group; NaN where it is undefined without one of them."""
    count = len(left_out)
    return float(np.square(left_out - value).sum() * (count - 1) / count) if count else math.nan


def class_worth(place: _Counts, kinds: NDArray[np.int64] | _Bools) -> float:
    """Return how many equally large groups each class is worth (Kish), as the harmonic mean over the classes.

    The rarer class decides: 5 groups with a tumour and 500 without are worth 10.
    """
    sizes = [np.bincount(place[kinds == kind]).astype(np.float64) for kind in np.unique(kinds)]
    return len(sizes) / sum(float(np.square(one).sum() / one.sum() ** 2) for one in sizes) if sizes else 0.0


def undefined_figure(cases: int, level: float = 0.95) -> Interval:
    """Return a figure that has no value on these cases."""
    return Interval(math.nan, None, None, 0, 0, cases, level)


def share_like_interval(
    value: float, variance: float, worth: float, cases: int, groups: int, level: float = 0.95
) -> Interval:
    """Return the interval of a figure between 0 and 1 as if it were a share of so many independent cases.

    A share s of N independent cases has the variance s (1 - s) / N; the figure's variance so tells the N that the data
    are worth, and Korn and Graubard's interval for shares does the rest. It holds near 1, where an interval that is
    symmetric, or a percentile bootstrap, is far too narrow. Where the variance is 0 or unknown N is ``worth``.

    Args:
        value: From 0 to 1, or NaN.
        variance: Of the value when groups are drawn anew.
        worth: As of ``class_worth``.
        cases: Cases; never fewer than N.
        groups: Groups among them; no interval below ten.
        level: Nominal coverage.
    """
    if math.isnan(value):
        return undefined_figure(cases, level)
    if groups < MIN_GROUPS:
        return Interval(value, None, None, cases, groups, 0, level)
    unknown = not variance > _NOTHING or value in (0.0, 1.0)
    independent = worth if unknown else min(value * (1 - value) / variance, cases)
    low, high = korn_graubard_ends(value, independent, worth, level)
    return Interval(value, low, high, cases, groups, 0, level)


def difference_interval(
    value: float, variance: float, worth: float, cases: int, groups: int, level: float = 0.95
) -> Interval:
    """Return Student's interval of the paired difference of two figures between 0 and 1, cut at -1 and 1.

    Args:
        value: From -1 to 1, or NaN.
        variance: Of the difference when groups are drawn anew; no interval where it is 0 or unknown.
        worth: As of ``class_worth``; the degrees of freedom are one less.
        cases: Cases that both figures are of.
        groups: Groups among them; no interval below ten.
        level: Nominal coverage.
    """
    if math.isnan(value):
        return undefined_figure(cases, level)
    if groups < MIN_GROUPS or not variance > _NOTHING:
        return Interval(value, None, None, cases, groups, 0, level)
    half = float(special.stdtrit(max(worth - 1, 1), (1 + level) / 2)) * math.sqrt(variance)
    return Interval(value, max(value - half, -1.0), min(value + half, 1.0), cases, groups, 0, level)
