"""Geometry that a DICOM header states, and nothing that it does not."""

from __future__ import annotations

from typing import Any

from monai_tumor.clinical.dicom_classes import class_name, is_projection
from monai_tumor.clinical.dicom_regions import common_spacing, find_regions
from monai_tumor.clinical.planes import PlaneInSpace, plane_of, stack_affine
from monai_tumor.clinical.source import Box, Geometry

_CALIBRATED = ("GEOMETRY", "FIDUCIAL")


def has_place(dataset: Any) -> bool:
    """Say whether the header places one slice in the patient."""
    return all(dataset.get(keyword) for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"))


def slice_plane(dataset: Any, label: str) -> PlaneInSpace:
    """Return where a single-frame image lies.

    Raises:
        WrongDataError: Its position, orientation or spacing is impossible.
    """
    return plane_of(label, dataset.ImagePositionPatient, dataset.ImageOrientationPatient, dataset.PixelSpacing)


def frame_planes(dataset: Any, frames: int, name: str) -> list[PlaneInSpace] | None:
    """Return where the frames of an enhanced image lie, or None where some part of it is not stated.

    Raises:
        WrongDataError: A position, orientation or spacing is impossible.
    """
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [{}])[0]
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
    if len(per_frame) != frames:
        return None
    planes = []
    for number, own in enumerate(per_frame, 1):
        position = _item(own, shared, "PlanePositionSequence", "ImagePositionPatient")
        orientation = _item(own, shared, "PlaneOrientationSequence", "ImageOrientationPatient")
        spacing = _item(own, shared, "PixelMeasuresSequence", "PixelSpacing")
        if not (position and orientation and spacing):
            return None
        label = f"frame {number}" if frames > 1 else name
        planes.append(plane_of(label, position, orientation, spacing))
    return planes


def frame_rescale(dataset: Any, frames: int) -> list[tuple[float, float]]:
    """Return slope and intercept of every frame."""
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [{}])[0]
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
    root = (dataset.get("RescaleSlope"), dataset.get("RescaleIntercept"))
    found = []
    for index in range(frames):
        own = per_frame[index] if len(per_frame) == frames else {}
        slope = _item(own, shared, "PixelValueTransformationSequence", "RescaleSlope")
        intercept = _item(own, shared, "PixelValueTransformationSequence", "RescaleIntercept")
        stated = (root[0] if slope is None else slope, root[1] if intercept is None else intercept)
        found.append((1.0 if stated[0] in (None, "") else float(stated[0]), float(stated[1] or 0)))
    return found


def flat_geometry(dataset: Any) -> tuple[Geometry, Box | None, tuple[str, ...]]:
    """Return the geometry of a picture or cine without a place in the patient, its crop, and notes.

    Ultrasound regions come first. Pixel Spacing is believed on projections and captures only where the header says
    how it was calibrated; distances on the detector or on film are not distances in the patient.
    """
    regions, notes = find_regions(dataset)
    if regions:
        crop = regions[0].box if len(regions) == 1 else None
        spacing = common_spacing(regions)
        return Geometry(None, spacing, "ultrasound regions", regions), crop, notes
    if dataset.get("PixelAspectRatio"):
        notes = (*notes, "the header states an aspect ratio, so pixels may not be square")
    spacing_mm = None if notes or "Enhanced" in class_name(dataset.get("SOPClassUID", "")) else _pixel_spacing(dataset)
    return Geometry(None, spacing_mm, "Pixel Spacing" if spacing_mm else "unknown"), None, notes


def plane_geometry(planes: list[PlaneInSpace], stated_by: str) -> Geometry:
    """Return the geometry of planes in order."""
    return Geometry(stack_affine(planes), planes[0].spacing_mm, stated_by)


def _pixel_spacing(dataset: Any) -> tuple[float, float] | None:
    if is_projection(dataset) and dataset.get("PixelSpacingCalibrationType") not in _CALIBRATED:
        return None
    spacing = [float(part) for part in dataset.get("PixelSpacing") or ()]
    return (spacing[0], spacing[1]) if len(spacing) == 2 and all(0 < part < 1e4 for part in spacing) else None


def _item(own: Any, shared: Any, sequence: str, keyword: str) -> Any:
    for group in (own, shared):
        items = group.get(sequence)
        if items and items[0].get(keyword) is not None:
            return items[0].get(keyword)
    return None
