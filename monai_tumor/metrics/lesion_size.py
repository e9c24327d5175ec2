"""How large an outlined lesion is: its area, longest diameter and short axis, in pixels or millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongCallError
from monai_tumor.metrics.plain import PlainResult

_PIXELS = (1.0, 1.0)
_EQUAL = 1e-9


@dataclass(frozen=True, slots=True)
class LesionSize(PlainResult):
    """The size of what a mask outlines.

    Attributes:
        lesions: Connected components (8 neighbours).
        area: Of all of them together, in ``unit`` squared.
        longest_diameter: The largest distance between two corners of pixels of the largest one, in ``unit``.
        short_axis: The extent of the largest one perpendicular to its longest diameter, as parallel jaws of a calliper
            would measure it, from corner to corner too, in ``unit``. Of several diameters that are equally long the
            one with the largest short axis counts.
        unit: ``px``, or ``mm`` where the spacing is known.
    """

    lesions: int
    area: float
    longest_diameter: float
    short_axis: float
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
    longest, short = _axes(_hull(labels == 1 + int(areas.argmax()), steps)) if count > 1 else (0.0, 0.0)
    unit = "px" if spacing is None else "mm"
    return LesionSize(count - 1, float(areas.sum()) * steps[0] * steps[1], longest, short, unit)


def _hull(lesion: NDArray[np.bool_], steps: tuple[float, float]) -> NDArray[np.float64]:
    """Return the convex hull of the corners of all pixels, (points, 2)."""
    rows, columns = np.nonzero(lesion)
    corners = np.concatenate([np.stack([rows + down, columns + right], 1) for down in (0, 1) for right in (0, 1)])
    return np.asarray(cv2.convexHull(corners.astype(np.int32))[:, 0] * np.array(steps, np.float64))


def _axes(hull: NDArray[np.float64]) -> tuple[float, float]:
    """Return the largest distance between two points, and the extent of all perpendicular to that line."""
    apart = hull[:, None] - hull[None]
    distances = np.sqrt((apart**2).sum(-1))
    longest = float(distances.max())
    along = apart[np.triu(distances >= longest * (1 - _EQUAL))] / longest
    across = hull @ np.stack([-along[:, 1], along[:, 0]])
    return longest, float(np.ptp(across, axis=0).max())
