"""Planes in space: their order along the normal, their gaps, and the affine of a stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.clinical.source import Affine
from monai_tumor.errors import WrongDataError

Vector = NDArray[np.float64]

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_TOLERANCE_MM = 1e-3
_TOLERANCE_SHARE = 0.01
_TOLERANCE_DIRECTION = 1e-4
_TOLERANCE_UNIT = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class PlaneInSpace:
    """Where one slice lies, in DICOM's millimetres (left, posterior, superior).

    Attributes:
        label: What the slice is called in messages.
        position: Centre of the first pixel.
        along_columns: Unit vector from one column to the next.
        along_rows: Unit vector from one row to the next.
        spacing_mm: Distance of neighbouring rows and of neighbouring columns.
    """

    label: str
    position: Vector
    along_columns: Vector
    along_rows: Vector
    spacing_mm: tuple[float, float]

    @property
    def normal(self) -> Vector:
        """The unit vector in which slices are counted."""
        return np.asarray(np.cross(self.along_columns, self.along_rows))

    @property
    def height_mm(self) -> float:
        """Place along the normal."""
        return float(self.normal @ self.position)


def plane_of(label: str, position: Any, orientation: Any, spacing: Any) -> PlaneInSpace:
    """Build a plane from Image Position (Patient), Image Orientation (Patient) and Pixel Spacing.

    Raises:
        WrongDataError: They are not numbers, not two unit vectors at a right angle, or not positive.
    """
    place, directions = np.array(position, np.float64), np.array(orientation, np.float64)
    distances = np.array(spacing, np.float64)
    sizes_right = (place.size, directions.size, distances.size) == (3, 6, 2)
    if not sizes_right or not all(np.isfinite(part).all() for part in (place, directions, distances)):
        raise WrongDataError(f"{label} has a position, orientation or spacing that is no number; export it again")
    columns, rows = directions[:3], directions[3:]
    lengths = np.array([columns @ columns, rows @ rows, columns @ rows])
    if np.abs(lengths - [1, 1, 0]).max() > _TOLERANCE_UNIT or (distances <= 0).any():
        raise WrongDataError(f"{label} has an impossible orientation or spacing in its header; export it again")
    return PlaneInSpace(label, place, columns, rows, (float(distances[0]), float(distances[1])))


def stack_order(name: str, planes: Sequence[PlaneInSpace]) -> list[int]:
    """Return the order of the planes along their normal.

    Raises:
        WrongDataError: They differ in direction or spacing, two lie at one place, one is missing between others, or
            they do not lie behind each other; the slices are named.
    """
    _refuse_mixed(name, planes)
    order = sorted(range(len(planes)), key=lambda index: planes[index].height_mm)
    heights = np.array([planes[index].height_mm for index in order])
    steps = np.diff(heights)
    if steps.size:
        _refuse_duplicates(name, [planes[index] for index in order], steps)
        _refuse_gaps(name, [planes[index] for index in order], steps)
        _refuse_sideways(name, [planes[index] for index in order])
    return order


def stack_affine(planes: Sequence[PlaneInSpace]) -> Affine:
    """Return (frame, row, column, 1) to millimetres right, anterior, superior for planes in order.

    One plane gives its unit normal for the frame axis.
    """
    first, last = planes[0], planes[-1]
    step = first.normal if len(planes) == 1 else (last.position - first.position) / (len(planes) - 1)
    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1] = first.along_rows * first.spacing_mm[0]
    affine[:3, 2] = first.along_columns * first.spacing_mm[1]
    affine[:3, 3] = first.position
    return np.asarray(_LPS_TO_RAS @ affine)


def _refuse_mixed(name: str, planes: Sequence[PlaneInSpace]) -> None:
    first = planes[0]
    for plane in planes[1:]:
        turned = max(
            np.abs(plane.along_columns - first.along_columns).max(), np.abs(plane.along_rows - first.along_rows).max()
        )
        if turned > _TOLERANCE_DIRECTION:
            raise WrongDataError(
                f"{name} is no volume: {plane.label} is turned against {first.label} (scouts or a rotation?); "
                "give its files one by one"
            )
        if not np.allclose(plane.spacing_mm, first.spacing_mm, rtol=_TOLERANCE_DIRECTION):
            raise WrongDataError(f"{name} is no volume: {plane.label} has another pixel spacing than {first.label}")


def _refuse_duplicates(name: str, planes: Sequence[PlaneInSpace], steps: Vector) -> None:
    same = np.flatnonzero(steps <= max(_TOLERANCE_MM, _TOLERANCE_SHARE * float(np.median(steps))))
    if same.size:
        one, two = planes[int(same[0])].label, planes[int(same[0]) + 1].label
        raise WrongDataError(
            f"{name} has two slices at one place: {one} and {two}; remove one, or give its parts apart"
        )


def _refuse_gaps(name: str, planes: Sequence[PlaneInSpace], steps: Vector) -> None:
    usual = float(np.median(steps))
    wrong = np.flatnonzero(np.abs(steps - usual) > max(_TOLERANCE_MM, _TOLERANCE_SHARE * usual))
    if not wrong.size:
        return
    index = int(wrong[0])
    missing = round(steps[index] / usual) - 1
    what = f"{missing} missing" if missing >= 1 else "irregular"
    between = f"between {planes[index].label} and {planes[index + 1].label}"
    distances = f"{steps[index]:.4g} mm apart, the others {usual:.4g} mm"
    raise WrongDataError(f"{name} has a gap ({what}) {between}: {distances}; export the whole series again")


def _refuse_sideways(name: str, planes: Sequence[PlaneInSpace]) -> None:
    """Refuse slices that slide against each other by more than a constant step."""
    places = np.array([plane.position for plane in planes])
    shares = np.linspace(0, 1, len(planes))[:, None]
    off = np.linalg.norm(places - (places[0] + shares * (places[-1] - places[0])), axis=1)
    worst = int(off.argmax())
    if off[worst] > max(_TOLERANCE_MM, _TOLERANCE_SHARE * min(planes[0].spacing_mm)) + _TOLERANCE_SHARE * _step(places):
        raise WrongDataError(f"{name} is no volume: {planes[worst].label} lies {off[worst]:.3g} mm beside the others")


def _step(places: Vector) -> float:
    return float(np.linalg.norm(places[-1] - places[0])) / (len(places) - 1)
