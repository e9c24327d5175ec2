"""Whether a probability means what it says, and the temperature that makes it do so.

All figures follow from how often each logit occurs, once with a positive and once with a negative reference. For pixels
the logits are rounded to a grid first: thousands of pictures then fit into one pair of arrays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import expit

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.metrics.plain import plain_values

LOGIT_STEP = 1 / 64
LOGIT_LIMIT = 64.0
BINS = 15  # as in Guo et al., 2017

# A sum of wrong logits that is no more than rounding.
_NOTHING = 1e-12
_HALF = round(LOGIT_LIMIT / LOGIT_STEP)
_GRID = np.arange(-_HALF, _HALF + 1) * LOGIT_STEP

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LogitCounts:
    """How often each logit occurs; counts on the same grid add up with ``+``.

    Attributes:
        logits: float64 (k,), increasing.
        positive: int64 (k,), pixels or cases with this logit whose reference is positive (lesion, malignant).
        negative: int64 (k,), those whose reference is negative.
    """

    logits: _Floats
    positive: _Counts
    negative: _Counts

    def __add__(self, other: LogitCounts) -> LogitCounts:
        """Return the counts of both together.

        Raises:
            WrongCallError: The logits are not the same ones, as those of ``case_logits`` are not.
        """
        if not np.array_equal(self.logits, other.logits):
            raise WrongCallError("these counts are of different logits and do not add up; give all cases in one call")
        return LogitCounts(self.logits, self.positive + other.positive, self.negative + other.negative)

    @property
    def both(self) -> _Counts:
        """Positive and negative together, int64 (k,)."""
        return self.positive + self.negative


@dataclass(frozen=True, slots=True)
class Temperature:
    """What logits are divided by to be calibrated.

    Attributes:
        value: Greater than 0; above 1 the model was too sure of itself. NaN where undefined.
        nll_before: Mean negative log-likelihood at temperature 1, in nats for each pixel or case.
        nll_after: The same at ``value``; NaN where undefined.
        positive: Pixels or cases with a positive reference.
        negative: Those with a negative one.
        note: Why there is no temperature; empty where there is one.
    """

    value: float
    nll_before: float
    nll_after: float
    positive: int
    negative: int
    note: str = ""

    def plain(self) -> dict[str, Any]:
        """Return JSON-able values; NaN is None."""
        return dict(plain_values(self))


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One point of a reliability diagram.

    Attributes:
        confidence: Mean probability of being positive.
        share: Share that is positive.
        n: Pixels or cases in the bin, at least one.
    """

    confidence: float
    share: float
    n: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far probabilities lie from shares, at one temperature.

    Attributes:
        temperature: What the logits were divided by.
        bins: The number of bins asked for.
        n: Pixels or cases.
        brier: Mean squared distance of the probability from the reference (0 or 1).
        nll: Mean negative log-likelihood in nats.
        ece: Expected calibration error over bins of equal width.
        ece_equal_mass: The same over bins of equally many pixels or cases.
        reliability: The bins of equal width that are not empty, by increasing confidence.
        reliability_equal_mass: Those of equal mass.
    """

    temperature: float
    bins: int
    n: int
    brier: float
    nll: float
    ece: float
    ece_equal_mass: float
    reliability: tuple[ReliabilityBin, ...]
    reliability_equal_mass: tuple[ReliabilityBin, ...]

    def plain(self) -> dict[str, Any]:
        """Return JSON-able values; NaN is None."""
        return dict(plain_values(self))


def pixel_logits(logits: ArrayLike, reference: NDArray[np.bool_]) -> LogitCounts:
    """Count the logits of one picture on a fixed grid; add the counts of all pictures with ``+``.

    Each logit is rounded to a multiple of 1/64 and cut at +-64, so it moves by 1/128 at most (unless it was cut). At
    temperature T its negative log-likelihood then moves by 1/(128 T) at most, its probability by 1/(512 T), its squared
    distance from the reference by 1/(432 T). A pixel that near to the end of a bin may change the bin.

    Args:
        logits: Any shape and real dtype, usually (rows, columns).
        reference: bool, same shape.

    Raises:
        TypeError: The reference is not bool.
        WrongDataError: The shapes differ, or a logit is NaN.
    """
    values = _checked(logits, reference)
    place = np.rint(np.clip(values, -LOGIT_LIMIT, LOGIT_LIMIT) / LOGIT_STEP).astype(np.int64) + _HALF
    counts = np.bincount((place + len(_GRID) * reference).ravel(), minlength=2 * len(_GRID)).astype(np.int64)
    return LogitCounts(_GRID, counts[len(_GRID) :], counts[: len(_GRID)])


def case_logits(logits: ArrayLike, reference: NDArray[np.bool_]) -> LogitCounts:
    """Count the logits of cases as they are, without a grid.

    Args:
        logits: (cases,).
        reference: bool (cases,), whether the case is positive.

    Raises:
        TypeError: The reference is not bool.
        WrongDataError: The shapes differ, or a logit is NaN or infinite.
    """
    values = _checked(logits, reference).ravel()
    if np.isinf(values).any():
        raise WrongDataError("a logit is infinite, expected finite logits; take them before the sigmoid")
    unique, place = np.unique(values, return_inverse=True)
    counts = np.bincount(place + len(unique) * reference.ravel(), minlength=2 * len(unique)).astype(np.int64)
    return LogitCounts(unique, counts[len(unique) :], counts[: len(unique)])


def fit_temperature(counts: LogitCounts) -> Temperature:
    """Return the temperature with the smallest negative log-likelihood (Guo et al., 2017).

    The likelihood is concave in 1/T, so the optimum is where its slope is 0, and there is one at most. There is none
    when the reference has one class, when no logit is on the wrong side of 0 (the smaller T, the better), and when the
    logits say nothing or the opposite (the larger T, the better).
    """
    found, note = _best_temperature(counts)
    before, after = _nll(counts, 1.0), _nll(counts, found)
    return Temperature(found, before, after, int(counts.positive.sum()), int(counts.negative.sum()), note)


def measure_calibration(counts: LogitCounts, temperature: float = 1.0, bins: int = BINS) -> Calibration:
    """Measure how far the probabilities ``sigmoid(logit / temperature)`` lie from the shares.

    Confidence is the probability of being positive, from 0 to 1 (not of the likelier class, from 0.5 to 1). A bin of
    equal width holds its upper end and not its lower one, the first both. Equal logits are never divided between bins
    of equal mass.

    Args:
        counts: Of pixels or cases.
        temperature: What the logits are divided by, greater than 0.
        bins: Number of bins.

    Raises:
        WrongCallError: The temperature is not greater than 0, or there is no bin.
    """
    if not temperature > 0 or bins < 1:
        raise WrongCallError(f"temperature {temperature} and {bins} bins, expected more than 0 and at least one bin")
    chance, total = expit(counts.logits / temperature), int(counts.both.sum())
    width = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], chance)
    before = np.cumsum(counts.both) - counts.both
    mass = np.minimum((before + counts.both / 2) * bins // max(total, 1), bins - 1).astype(np.int64)
    by_width, by_mass = (_reliability(counts, chance, place, bins) for place in (width, mass))
    squares = counts.positive @ np.square(1 - chance) + counts.negative @ np.square(chance)
    brier = float(squares) / total if total else math.nan
    nll = _nll(counts, temperature)
    return Calibration(temperature, bins, total, brier, nll, _error(by_width), _error(by_mass), by_width, by_mass)


def _best_temperature(counts: LogitCounts) -> tuple[float, str]:
    z, positive, negative = counts.logits, counts.positive, counts.negative
    if not (positive.any() and negative.any()):
        return math.nan, "the reference has only one class"
    if negative @ np.maximum(z, 0) + positive @ np.maximum(-z, 0) <= _NOTHING:
        return math.nan, "no logit is on the wrong side: the smaller the temperature, the better"

    def slope(inverse: float) -> float:
        return float(negative @ (z * expit(inverse * z)) - positive @ (z * expit(-inverse * z)))

    if slope(0.0) >= 0:
        return math.nan, "the logits say nothing about the reference: the larger the temperature, the better"
    above = 1.0
    while slope(above) < 0:
        above *= 2
    return 1 / float(brentq(slope, 0.0, above, xtol=1e-15)), ""


def _nll(counts: LogitCounts, temperature: float) -> float:
    total, z = counts.both.sum(), counts.logits / temperature
    return (
        float(counts.positive @ np.logaddexp(0, -z) + counts.negative @ np.logaddexp(0, z)) / total
        if total
        else math.nan
    )


def _reliability(counts: LogitCounts, chance: _Floats, place: _Counts, bins: int) -> tuple[ReliabilityBin, ...]:
    n = np.bincount(place, weights=counts.both, minlength=bins)
    sums = np.bincount(place, weights=counts.both * chance, minlength=bins)
    positive = np.bincount(place, weights=counts.positive, minlength=bins)
    return tuple(ReliabilityBin(float(sums[k] / n[k]), float(positive[k] / n[k]), int(n[k])) for k in np.flatnonzero(n))


def _error(bins: tuple[ReliabilityBin, ...]) -> float:
    total = sum(one.n for one in bins)
    return sum(one.n * abs(one.share - one.confidence) for one in bins) / total if total else math.nan


def _checked(logits: ArrayLike, reference: NDArray[np.bool_]) -> _Floats:
    values = np.asarray(logits, dtype=np.float64)
    if reference.dtype != np.bool_:
        raise TypeError(f"reference has dtype {reference.dtype}, expected bool")
    if values.shape != reference.shape:
        raise WrongDataError(
            f"logits have shape {values.shape}, their reference {reference.shape}; bring both to one size"
        )
    if np.isnan(values).any():
        raise WrongDataError("a logit is NaN, expected numbers; check the weights of the model")
    return values
