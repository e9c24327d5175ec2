"""What choosing a threshold needs to know of a case: histograms of its probabilities, and the counts in small components.

Some kilobytes a case, made in one pass over the picture, are enough for every threshold, for precision and recall, and for
a bootstrap. They are exact because the thresholds are multiples of 1/256.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongDataError

Counts = NDArray[np.int64]

LEVELS = 256
# 0.05 to 0.95 in steps of 0.05, each moved to the nearest multiple of 1/256: histogram, float16 and float32 agree on those.
CHOSEN_LEVELS: Counts = np.rint(np.arange(1, 20) * 0.05 * LEVELS).astype(np.int64)
THRESHOLDS: tuple[float, ...] = tuple((CHOSEN_LEVELS / LEVELS).tolist())
# Share of the picture: 7 to 655 of 256 x 256 pixels.
SMALLEST_AREAS = (0.0, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01)


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
    lesion: Counts
    ground: Counts
    small_lesion: Counts
    small_ground: Counts

    @property
    def has_lesion(self) -> bool:
        """Whether the reference has any lesion pixel."""
        return bool(self.lesion.any())

    @property
    def true_positive(self) -> Counts:
        """Int64 (8, 19), for each smallest area and threshold."""
        found: Counts = from_level_on(self.lesion)[CHOSEN_LEVELS] - self.small_lesion
        return found

    @property
    def false_positive(self) -> Counts:
        """Int64 (8, 19), for each smallest area and threshold."""
        wrong: Counts = from_level_on(self.ground)[CHOSEN_LEVELS] - self.small_ground
        return wrong

    @property
    def false_negative(self) -> Counts:
        """Int64 (8, 19), for each smallest area and threshold."""
        missing: Counts = self.lesion.sum() - self.true_positive
        return missing

    @property
    def dice(self) -> NDArray[np.float64]:
        """Float64 (8, 19), for each smallest area and threshold; NaN when the reference is empty."""
        double = 2.0 * self.true_positive
        whole = double + self.false_positive + self.false_negative
        return double / whole if self.has_lesion else np.full_like(double, np.nan)


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
    small = np.stack([_small_components(level >= one, reference) for one in CHOSEN_LEVELS], axis=-1)
    return CaseLevels(group, lesion, ground, small[0], small[1])


def from_level_on(histogram: Counts) -> Counts:
    """Return how many of a histogram, (256,), lie at each level or above it, (256,)."""
    counts: Counts = np.cumsum(histogram[::-1])[::-1]
    return counts


def lesion_cases(cases: Sequence[CaseLevels]) -> list[CaseLevels]:
    """Return the cases with a lesion.

    Raises:
        WrongDataError: There is none.
    """
    lesion = [case for case in cases if case.has_lesion]
    if not lesion:
        raise WrongDataError(f"none of {len(cases)} cases has a lesion, so there is no Dice; give cases with a lesion")
    return lesion


def _small_components(mask: NDArray[np.bool_], reference: NDArray[np.bool_]) -> Counts:
    """Return lesion and other pixels in components smaller than each of ``SMALLEST_AREAS``, (2, 8)."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA].astype(np.int64)
    lesion = np.bincount(labels[reference], minlength=len(areas) + 1)[1:]
    small = areas < np.multiply.outer(SMALLEST_AREAS, mask.size)[:, None]
    return np.stack([small @ lesion, small @ (areas - lesion)]).astype(np.int64)
