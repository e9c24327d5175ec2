"""How large an outlined lesion is: its area and its longest diameter, in pixels or millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongCallError
from monai_tumor.metrics.plain import PlainResult

_PIXELS = (1.0, 1.0)


@dataclass(frozen=True, slots=True)
class LesionSize(PlainResult):
    """The size of what a mask outlines.

    Attributes:
        lesions: Connected components (8 neighbours).
        area: Of all of them together, in ``unit`` squared.
        longest_diameter: The largest distance between two corners of pixels of the largest one, in ``unit``.
        unit: ``px``, or ``mm`` where the spacing is known.
    """

    lesions: int
    area: float
    longest_diameter: float
    unit: str


def measure_lesion(mask: NDArray[np.bool_], spacing: tuple[float, float] | None = None) -> LesionSize:
    """Measure a mask.

    Args:
        mask: bool (rows, columns).
        spacing: Millimetres from one row to the next and from one column to the next; None where unknown.

    Raises:
        WrongCallError: A spacing is not greater than 0.
    """
    steps = _PIXELS if spacing is None else (float(spacing[0]), float(spacing[1]))
    if not (min(steps) > 0 and np.isfinite(steps).all()):
        raise WrongCallError(f"spacing is {spacing}, expected two numbers of millimetres above 0: rows, columns")
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    diameter = _longest(labels == 1 + int(areas.argmax()), steps) if count > 1 else 0.0
    unit = "px" if spacing is None else "mm"
    return LesionSize(count - 1, float(areas.sum()) * steps[0] * steps[1], diameter, unit)


def _longest(lesion: NDArray[np.bool_], steps: tuple[float, float]) -> float:
    """Return the largest distance between two points of the convex hull of the corners of all pixels."""
    rows, columns = np.nonzero(lesion)
    corners = np.concatenate([np.stack([rows + down, columns + right], 1) for down in (0, 1) for right in (0, 1)])
    hull = cv2.convexHull(corners.astype(np.int32))[:, 0].astype(np.float64) * steps
    return float(np.sqrt(((hull[:, None] - hull[None]) ** 2).sum(-1)).max())
