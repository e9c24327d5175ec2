"""How often each logit occurs: all that calibration needs to know of thousands of pictures.

For pixels the logits are rounded to a grid first: any number of pictures then fits into one pair of arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monai_tumor.errors import WrongCallError, WrongDataError

LOGIT_STEP = 1 / 64
LOGIT_LIMIT = 64.0

_HALF = round(LOGIT_LIMIT / LOGIT_STEP)

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]

_GRID: _Floats = np.arange(-_HALF, _HALF + 1, dtype=np.float64) * LOGIT_STEP


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

    def __sub__(self, other: LogitCounts) -> LogitCounts:
        """Return the counts without those of ``other``, which were added before."""
        return self + LogitCounts(other.logits, -other.positive, -other.negative)

    def divided(self, temperature: float) -> LogitCounts:
        """Return the counts of the logits divided by a temperature and rounded to the grid of ``pixel_logits`` again."""
        place = _places(self.logits / temperature)
        counts = [np.bincount(place, weights=part, minlength=len(_GRID)) for part in (self.positive, self.negative)]
        return LogitCounts(_GRID, *(part.astype(np.int64) for part in counts))

    @property
    def both(self) -> _Counts:
        """Positive and negative together, int64 (k,)."""
        return self.positive + self.negative


def no_pixels() -> LogitCounts:
    """Return counts of 0 on the grid of ``pixel_logits``, to add others to."""
    return LogitCounts(_GRID, np.zeros(len(_GRID), np.int64), np.zeros(len(_GRID), np.int64))


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
    place = _places(values)
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


def _places(logits: _Floats) -> _Counts:
    """Return the place of each logit on the grid."""
    return np.asarray(np.rint(np.clip(logits, -LOGIT_LIMIT, LOGIT_LIMIT) / LOGIT_STEP), np.int64) + _HALF


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
