"""From the logits of classes to probabilities, their temperature, and who is taken for what."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import logsumexp, softmax

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.metrics.diagnosis_intervals import (
    class_worth,
    group_places,
    jackknife_variance,
    share_like_interval,
)
from monai_tumor.metrics.plain import PlainResult
from monai_tumor.metrics.summary import Interval

# A sum of logits that is no more than rounding.
_NOTHING = 1e-12

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassTemperature(PlainResult):
    """What the logits of all classes are divided by to be calibrated.

    Attributes:
        value: Greater than 0; above 1 the model was too sure of itself. NaN where undefined.
        nll_before: Mean negative log-likelihood at temperature 1, in nats for each case; NaN without a case.
        nll_after: The same at ``value``; NaN where undefined.
        cases: Cases of each class.
        note: Why there is no temperature; empty where there is one.
    """

    value: float
    nll_before: float
    nll_after: float
    cases: tuple[int, ...]
    note: str = ""


def checked_classes(logits: ArrayLike, targets: ArrayLike) -> tuple[_Floats, _Counts]:
    """Return logits as float64 (cases, classes) and class indices as int64 (cases,).

    Raises:
        WrongDataError: The shapes do not go together, a logit is not finite, or a target is no index of a class.
    """
    values, wanted = np.asarray(logits, dtype=np.float64), np.asarray(targets)
    if values.ndim != 2 or values.shape[1] < 2 or wanted.shape != values.shape[:1]:
        raise WrongDataError(
            f"logits of shape {values.shape} for targets of shape {wanted.shape}, expected (cases, classes) and (cases,)"
        )
    if not np.isfinite(values).all():
        raise WrongDataError("a logit is not finite, expected numbers; check the weights of the model")
    if wanted.size and not (
        np.issubdtype(wanted.dtype, np.integer) and 0 <= wanted.min() <= wanted.max() < len(values.T)
    ):
        raise WrongDataError(f"targets of dtype {wanted.dtype}, expected indices of classes: 0 to {len(values.T) - 1}")
    return values, wanted.astype(np.int64)


def class_probabilities(logits: ArrayLike, temperature: float = 1.0) -> _Floats:
    """Return ``softmax(logits / temperature)``, float64 (cases, classes); each row sums to 1.

    Raises:
        WrongCallError: The temperature is not greater than 0.
    """
    probabilities: _Floats = softmax(_cooled(logits, temperature), axis=1)
    return probabilities


def class_log_odds(logits: ArrayLike, temperature: float = 1.0) -> _Floats:
    """Return the log-odds of each class against all others together, float64 (cases, classes).

    The sigmoid of these are the probabilities. Unlike them they are never rounded to exactly 0 or 1, so two cases have a
    tie only where the model gave them one.

    Raises:
        WrongCallError: The temperature is not greater than 0.
    """
    cooled = _cooled(logits, temperature)
    rest = [logsumexp(np.delete(cooled, place, axis=1), axis=1) for place in range(cooled.shape[1])]
    odds: _Floats = cooled - np.stack(rest, axis=1)
    return odds


def fit_class_temperature(logits: ArrayLike, targets: ArrayLike) -> ClassTemperature:
    """Return the temperature with the smallest negative log-likelihood of all classes (Guo et al., 2017).

    As for two classes (``fit_temperature``, of which this is the same for logits 0 and z) the likelihood is concave in 1/T:
    the optimum is where its slope is 0. There is none when the reference has one class, when the class of every case has
    its largest logit (the smaller T, the better), and when the logits say nothing or the opposite (the larger T, the better).

    Args:
        logits: (cases, classes), of validation or out-of-fold cases; never of those that are reported.
        targets: int (cases,), the index of the class of each case.

    Raises:
        WrongDataError: As of ``checked_classes``.
    """
    values, wanted = checked_classes(logits, targets)
    found, note = _best_temperature(values, wanted)
    before, after = _nll(values, wanted, 1.0), math.nan if note else _nll(values, wanted, found)
    cases = tuple(np.bincount(wanted, minlength=values.shape[1]).tolist())
    return ClassTemperature(found, before, after, cases, note)


def count_confusion(logits: ArrayLike, targets: ArrayLike) -> _Counts:
    """Count who is taken for what, int64 (classes, classes): rows are the reference, columns what was predicted.

    The predicted class is that with the largest logit, of equal ones the first. No temperature changes it.

    Raises:
        WrongDataError: As of ``checked_classes``.
    """
    values, wanted = checked_classes(logits, targets)
    classes = values.shape[1]
    cells = np.bincount(wanted * classes + values.argmax(axis=1), minlength=classes**2)
    return np.asarray(cells.reshape(classes, classes), dtype=np.int64)


def balanced_accuracy(logits: ArrayLike, targets: ArrayLike, groups: Sequence[str], level: float = 0.95) -> Interval:
    """Return the mean sensitivity of the classes that the reference has, every class counting alike.

    It is no mean over cases. Its spread is that of leaving out one group at a time, its interval that of
    ``share_like_interval``; a percentile bootstrap is too narrow by far where most cases are right.

    Raises:
        WrongDataError: As of ``checked_classes``, or there is not one group for each case.
    """
    values, wanted = checked_classes(logits, targets)
    place, count = group_places(groups, len(values))
    kinds = np.unique(wanted)
    hits, cases = np.zeros((2, count, len(kinds)))
    column = np.searchsorted(kinds, wanted)
    np.add.at(cases, (place, column), 1.0)
    np.add.at(hits, (place, column), (values.argmax(axis=1) == wanted).astype(np.float64))
    if not len(kinds):
        return share_like_interval(math.nan, math.nan, 0.0, 0, 0, level)
    value = float((hits.sum(axis=0) / cases.sum(axis=0)).mean())
    rest = cases.sum(axis=0) - cases
    shares = np.divide(hits.sum(axis=0) - hits, rest, out=np.full(rest.shape, math.nan), where=rest > 0)
    variance, worth = jackknife_variance(value, shares.mean(axis=1)), class_worth(place, wanted)
    # The mean of independent sensitivities is worth as many cases as all classes have, not as one of them has.
    return share_like_interval(value, variance, worth * len(kinds), len(values), count, level)


def _cooled(logits: ArrayLike, temperature: float) -> _Floats:
    if not temperature > 0:
        raise WrongCallError(f"temperature is {temperature}, expected a number greater than 0")
    cooled: _Floats = np.asarray(logits, dtype=np.float64) / temperature
    return cooled


def _best_temperature(values: _Floats, wanted: _Counts) -> tuple[float, str]:
    if len(np.unique(wanted)) < 2:
        return math.nan, "the reference has only one class"
    # Taken from the logit of the true class, so that large logits leave no rounding behind.
    lead = values - values[np.arange(len(values)), wanted][:, None]

    def slope(inverse: float) -> float:
        return float((softmax(inverse * lead, axis=1) * lead).sum())

    if slope(0.0) >= 0:
        return math.nan, "the logits say nothing about the reference, or the opposite"
    if lead.max(axis=1).sum() <= _NOTHING:
        return math.nan, "no logit is on the wrong side: the smaller the temperature, the better"
    above = 1.0
    while slope(above) < 0:
        above *= 2
    return 1 / float(brentq(slope, 0.0, above, xtol=1e-15)), ""


def _nll(values: _Floats, wanted: _Counts, temperature: float) -> float:
    cooled = values / temperature
    own = cooled[np.arange(len(cooled)), wanted]
    return float((logsumexp(cooled, axis=1) - own).mean()) if len(values) else math.nan
