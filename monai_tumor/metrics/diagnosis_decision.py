"""Whether acting on a probability does more good than acting on all or on none: the decision curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongCallError
from monai_tumor.metrics.diagnosis_intervals import checked_scores
from monai_tumor.metrics.plain import PlainResult
from monai_tumor.metrics.summary import Interval, mean_interval

# From the 2 % at which a biopsy is advised (BI-RADS 4) up to as likely as not.
DECISION_THRESHOLDS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DecisionPoint(PlainResult):
    """One threshold of a decision curve; treating none has a net benefit of 0 at each.

    Attributes:
        threshold: The probability from which on one would act.
        net_benefit: Of acting on the cases that reach it, in true positives a case.
        treat_all: Of acting on all cases; NaN without a case.
        over_all: ``net_benefit`` minus ``treat_all``, paired.
    """

    threshold: float
    net_benefit: Interval
    treat_all: float
    over_all: Interval


def decision_curve(
    probability: Sequence[float] | _Floats,
    positive: Sequence[bool] | NDArray[np.bool_],
    groups: Sequence[str],
    thresholds: Sequence[float] = DECISION_THRESHOLDS,
    seed: int = 0,
) -> tuple[DecisionPoint, ...]:
    """Return the net benefit at several threshold probabilities (Vickers and Elkin, 2006).

    Whoever acts from a probability t on takes one true positive to be worth (1 - t) / t false ones. The net benefit is
    true positives / n - false positives / n * t / (1 - t): a mean over cases, so its interval is that of a mean.

    Args:
        probability: Of being positive, calibrated on other cases.
        positive: Whether the case is.
        groups: Group of each case.
        thresholds: Each above 0 and below 1.
        seed: Seed of the intervals.

    Raises:
        TypeError: ``positive`` is not bool.
        WrongCallError: A threshold is not between 0 and 1.
        WrongDataError: The lengths differ, or a probability is NaN.
    """
    values, flags = checked_scores(probability, positive, groups)
    wrong = [one for one in thresholds if not 0 < one < 1]
    if wrong:
        raise WrongCallError(f"a threshold probability is {wrong[0]}, expected all above 0 and below 1")
    return tuple(_point(values, flags, groups, one, seed) for one in thresholds)


def _point(
    values: _Floats, flags: NDArray[np.bool_], groups: Sequence[str], threshold: float, seed: int
) -> DecisionPoint:
    price = threshold / (1 - threshold)
    worth = np.where(flags, 1.0, -price)
    acted = np.where(values >= threshold, worth, 0.0)
    treat_all = float(worth.mean()) if len(worth) else float("nan")
    benefit = mean_interval(acted, groups, seed, limits=(-price, 1.0))
    gained = mean_interval(acted - worth, groups, seed, limits=(-1.0, price))
    # The median over cases of what one case brings tells nothing.
    return DecisionPoint(threshold, replace(benefit, median=None), treat_all, replace(gained, median=None))
