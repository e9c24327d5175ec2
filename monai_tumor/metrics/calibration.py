"""Whether a probability means what it says, and the temperature that makes it do so."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from monai_tumor.errors import WrongCallError
from monai_tumor.metrics.logits import LogitCounts
from monai_tumor.metrics.plain import PlainResult

BINS = 15  # as in Guo et al., 2017

# A sum of wrong logits that is no more than rounding.
_NOTHING = 1e-12

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Temperature(PlainResult):
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


@dataclass(frozen=True, slots=True)
class ReliabilityBin(PlainResult):
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
class Calibration(PlainResult):
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


def fit_temperature(counts: LogitCounts) -> Temperature:
    """Return the temperature with the smallest negative log-likelihood (Guo et al., 2017).

    The likelihood is concave in 1/T, so the optimum is where its slope is 0, and there is one at most. There is none
    when the reference has one class, when no logit is on the wrong side of 0 (the smaller T, the better), and when the
    logits say nothing or the opposite (the larger T, the better).
    """
    found, note = _best_temperature(counts)
    before, after = _nll(counts, 1.0), math.nan if note else _nll(counts, found)
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

    def slope(inverse: float) -> float:
        return float(negative @ (z * expit(inverse * z)) - positive @ (z * expit(-inverse * z)))

    if slope(0.0) >= 0:
        return math.nan, "the logits say nothing about the reference, or the opposite"
    if negative @ np.maximum(z, 0) + positive @ np.maximum(-z, 0) <= _NOTHING:
        return math.nan, "no logit is on the wrong side: the smaller the temperature, the better"
    above = 1.0
    while slope(above) < 0:
        above *= 2
    return 1 / float(brentq(slope, 0.0, above, xtol=1e-15)), ""


def _nll(counts: LogitCounts, temperature: float) -> float:
    total, z = counts.both.sum(), counts.logits / temperature
    nats = float(counts.positive @ np.logaddexp(0, -z) + counts.negative @ np.logaddexp(0, z))
    return nats / total if total else math.nan


def _reliability(counts: LogitCounts, chance: _Floats, place: _Counts, bins: int) -> tuple[ReliabilityBin, ...]:
    n = np.bincount(place, weights=counts.both, minlength=bins)
    sums = np.bincount(place, weights=counts.both * chance, minlength=bins)
    positive = np.bincount(place, weights=counts.positive, minlength=bins)
    return tuple(ReliabilityBin(float(sums[k] / n[k]), float(positive[k] / n[k]), int(n[k])) for k in np.flatnonzero(n))


def _error(bins: tuple[ReliabilityBin, ...]) -> float:
    total = sum(one.n for one in bins)
    return sum(one.n * abs(one.share - one.confidence) for one in bins) / total if total else math.nan
