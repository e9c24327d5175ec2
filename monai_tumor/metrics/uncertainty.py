"""How unsure a prediction is of itself, and whether that tells which cases a human should see."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from monai_tumor.errors import WrongDataError
from monai_tumor.metrics.plain import PlainResult

RIM_PX = 5

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Uncertainty(PlainResult):
    """How much several predictions of one case differ, two measures; larger is less certain, both lie in 0..1.

    Attributes:
        disagreement: 1 - mean Dice of all pairs of masks.
        entropy: Mean entropy in bits of the mean probability, over the predicted region and its rim.
        maps: Number of predictions.
    """

    disagreement: float
    entropy: float
    maps: int

    @property
    def score(self) -> float:
        """The one to refer cases by: the disagreement, which detected failures best in Zenk et al., 2025."""
        return self.disagreement


@dataclass(frozen=True, slots=True)
class ReferralCurve(PlainResult):
    """Mean Dice of the cases that are left when the least certain ones go to a human.

    The area of each curve is its mean, every number of referred cases counting alike.

    Attributes:
        referred: Share of cases referred: 0, 1/n, ... (n - 1)/n.
        dice: Mean Dice of the rest, the least certain cases being referred first.
        oracle: The same, the cases with the smallest Dice being referred first: no order is better.
        random: The mean Dice of all: what a random order leaves on average, whatever the share; also its area.
        area: Area of ``dice``.
        oracle_area: Area of ``oracle``.
        n: Cases with a Dice.
        undefined: Cases left out because they have none (an empty reference).
    """

    referred: tuple[float, ...]
    dice: tuple[float, ...]
    oracle: tuple[float, ...]
    random: float
    area: float
    oracle_area: float
    n: int
    undefined: int


def case_uncertainty(maps: NDArray[np.floating[Any]], threshold: float = 0.5, rim_px: int = RIM_PX) -> Uncertainty:
    """Measure how much several predictions of one case differ: of folds, or of the picture turned and mirrored.

    Two empty masks agree: their Dice counts as 1. Where the mean probability reaches the threshold nowhere, the predicted
    region is the pixel that came nearest to it.

    Args:
        maps: Probabilities (maps, rows, columns), at least two maps, all in the same place and size.
        threshold: The probability from which on a pixel is lesion.
        rim_px: Width of the rim around the predicted region, in pixels; 0 or more.

    Raises:
        WrongDataError: Fewer than two maps, no pixel, or values outside of 0..1.
    """
    if maps.ndim != 3 or len(maps) < 2 or not maps.size:
        raise WrongDataError(f"maps have shape {maps.shape}, expected (maps, rows, columns) with at least two maps")
    if not ((maps >= 0) & (maps <= 1)).all():
        raise WrongDataError("a probability lies outside of 0 to 1; apply the sigmoid to logits first")
    disagreement = 1 - float(np.mean([_agreement(*pair) for pair in combinations(maps >= threshold, 2)]))
    return Uncertainty(disagreement, _region_entropy(maps.mean(axis=0, dtype=np.float64), threshold, rim_px), len(maps))


def referral_curve(dice: Sequence[float] | _Floats, uncertainty: Sequence[float] | _Floats) -> ReferralCurve:
    """Return the mean Dice of the rest for each number of referred cases.

    Cases of equal uncertainty each count with the mean Dice of them all, which is what a random order among them gives
    on average: the result does not depend on the order of the cases.

    Args:
        dice: Of each case; NaN where it is undefined.
        uncertainty: Of each case; larger is less certain.

    Raises:
        WrongDataError: The lengths differ, or an uncertainty is NaN.
    """
    scores, unsure = np.asarray(dice, dtype=np.float64), np.asarray(uncertainty, dtype=np.float64)
    if scores.shape != unsure.shape or scores.ndim != 1:
        raise WrongDataError(
            f"Dice of shape {scores.shape} for uncertainties of shape {unsure.shape}; one for each case"
        )
    if np.isnan(unsure).any():
        raise WrongDataError(f"the uncertainty of case number {int(np.isnan(unsure).argmax())} is NaN; leave it out")
    defined = ~np.isnan(scores)
    scores, unsure = scores[defined], unsure[defined]
    n = len(scores)
    places, place = np.unique(unsure, return_inverse=True)
    tied = np.bincount(place, weights=scores, minlength=len(places)) / np.bincount(place, minlength=len(places))
    curve, oracle = _rest(tied[np.sort(place)]), _rest(np.sort(scores)[::-1])
    return ReferralCurve(
        referred=tuple((np.arange(n) / max(n, 1)).tolist()),
        dice=tuple(curve.tolist()),
        oracle=tuple(oracle.tolist()),
        random=_mean(scores),
        area=_mean(curve),
        oracle_area=_mean(oracle),
        n=n,
        undefined=int((~defined).sum()),
    )


def _rest(kept_longest_first: _Floats) -> _Floats:
    """Return the mean of all, of all but the last, ... of the first alone."""
    kept = np.arange(1, len(kept_longest_first) + 1)
    means: _Floats = (np.cumsum(kept_longest_first) / kept)[::-1]
    return means


def _mean(values: _Floats) -> float:
    return float(values.mean()) if values.size else math.nan


def _agreement(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    both, either = np.count_nonzero(one & other), np.count_nonzero(one) + np.count_nonzero(other)
    return 2 * both / either if either else 1.0


def _region_entropy(mean: _Floats, threshold: float, rim_px: int) -> float:
    region = mean >= min(threshold, float(mean.max()))
    around = np.arange(-rim_px, rim_px + 1)
    disc = np.add.outer(around**2, around**2) <= rim_px**2
    wide = cv2.dilate(region.astype(np.uint8), disc.astype(np.uint8)) > 0
    return float((entr(mean[wide]) + entr(1 - mean[wide])).mean()) / math.log(2)
