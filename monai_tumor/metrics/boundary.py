"""How far the boundary of a predicted mask lies from that of the reference, in pixels or in the unit of a spacing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from monai_tumor.errors import WrongDataError
from monai_tumor.metrics.overlap import check_masks

PIXELS = (1.0, 1.0)

_Distances = NDArray[np.float64]
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
# Three pixels of 0.1 mm lie within 0.3 mm, whatever the last binary digit says.
_ROUNDING = 1e-6


def _none() -> _Distances:
    return np.empty(0)


@dataclass(frozen=True, slots=True, eq=False)
class Boundary:
    """Distances between the edges of two masks, and the scores that follow from them.

    An edge pixel is a mask pixel with one of its four neighbours outside of the mask; beyond the image is outside. Its
    distance is that to the centre of the nearest edge pixel of the other mask. These are the definitions of MONAI's
    ``compute_hausdorff_distance``, ``compute_average_surface_distance(symmetric=True)`` and ``compute_surface_dice``.

    A distance to nothing has no meaning: where either mask is empty, both arrays are, and every score is NaN. (MONAI gives
    NaN, infinity or 0, depending on the score and on which mask is empty.)

    Attributes:
        to_reference: float64, one distance for each edge pixel of the prediction.
        to_prediction: float64, one distance for each edge pixel of the reference.
    """

    to_reference: _Distances = field(default_factory=_none)
    to_prediction: _Distances = field(default_factory=_none)

    @property
    def hd95(self) -> float:
        """The 95 % Hausdorff distance: the 95th percentile of each direction (interpolated), of these the larger."""
        return max(float(np.percentile(part, 95)) for part in self._parts) if self._pixels else math.nan

    @property
    def assd(self) -> float:
        """The average symmetric surface distance: the mean over the edge pixels of both masks together."""
        return float(np.concatenate(self._parts).mean()) if self._pixels else math.nan

    def nsd(self, tolerance: float) -> float:
        """Return the normalised surface Dice: the share of both masks' edge pixels with a distance within ``tolerance``.

        Args:
            tolerance: In pixels, or in the unit of the spacing; 0 or more.
        """
        within = sum(np.count_nonzero(part <= tolerance * (1 + _ROUNDING)) for part in self._parts)
        return within / self._pixels if self._pixels else math.nan

    @property
    def _parts(self) -> tuple[_Distances, _Distances]:
        return self.to_reference, self.to_prediction

    @property
    def _pixels(self) -> int:
        return self.to_reference.size + self.to_prediction.size


def boundary(
    prediction: NDArray[np.bool_], reference: NDArray[np.bool_], spacing: tuple[float, float] = PIXELS
) -> Boundary:
    """Measure the distances between the edges of two masks, exactly, with equal or unequal spacing.

    Args:
        prediction: bool (rows, columns).
        reference: bool, same shape.
        spacing: Distance of neighbouring rows and of neighbouring columns; without it, distances are in pixels.

    Raises:
        TypeError: A mask is not bool: a probability needs a threshold first.
        WrongDataError: The shapes differ or are not (rows, columns), or a spacing is not greater than 0.
    """
    check_masks(prediction, reference)
    if prediction.ndim != 2:
        raise WrongDataError(f"masks have shape {prediction.shape}, expected (rows, columns); measure slice by slice")
    if len(spacing) != 2 or not all(0 < step < math.inf for step in spacing):
        raise WrongDataError(f"spacing is {spacing}, expected two lengths greater than 0: of rows and of columns")
    if not (prediction.any() and reference.any()):
        return Boundary()
    left, top, width, height = cv2.boundingRect(_bytes(prediction | reference))
    box = slice(top, top + height), slice(left, left + width)
    found, true = (_edge_points(mask[box], spacing) for mask in (prediction, reference))
    return Boundary(_nearest(found, true), _nearest(true, found))


def _edge_points(mask: NDArray[np.bool_], spacing: tuple[float, float]) -> NDArray[np.float64]:
    """Return the places of the edge pixels, (points, 2), as multiples of the spacing."""
    inside = cv2.erode(_bytes(mask), _CROSS, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    places: NDArray[np.float64] = np.argwhere(mask & (inside == 0)).astype(np.float64)
    return places * spacing


def _nearest(points: NDArray[np.float64], others: NDArray[np.float64]) -> _Distances:
    distances: _Distances = KDTree(others).query(points)[0]
    return distances


def _bytes(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(mask).view(np.uint8)
