"""Headers of sources that lie somewhere in the patient, in the one form of which highdicom makes a SEG."""

from __future__ import annotations

from typing import Any

import numpy as np

from monai_tumor.clinical.dicom_geometry import frame_planes, has_place
from monai_tumor.clinical.planes import PlaneInSpace
from monai_tumor.clinical.source import SourceImage
from monai_tumor.errors import WrongDataError


def has_places(source: SourceImage, headers: list[Any]) -> bool:
    """Say whether a result can be placed in the patient as its source is.

    A single plane without a thickness cannot: the standard wants one, and nothing tells it.

    Raises:
        WrongDataError: There are several files and no Frame of Reference that holds for all.
    """
    if source.geometry.affine is None:
        return False
    known = all(header.get("FrameOfReferenceUID") for header in headers)
    if not known and len(headers) > 1:
        reason = "states no Frame of Reference, so a DICOM SEG cannot place its slices"
        raise WrongDataError(f"{source.name} {reason}; write NIfTI instead")
    return known and (source.frames > 1 or _stated_thickness(headers[0]) is not None)


def even_places(headers: list[Any], source: SourceImage) -> None:
    """Let all frames share one orientation, spacing and thickness; changes the headers.

    The reader has made sure that they agree but for roundings, which highdicom would refuse. Distances of slices are
    left to the positions: what headers say of them is often the gap. They stand for a thickness that is not stated.
    """
    first = headers[0]
    thickness = _stated_thickness(first) or _distance(source)
    if has_place(first):
        for header in headers:
            header.ImageOrientationPatient, header.PixelSpacing = first.ImageOrientationPatient, first.PixelSpacing
            header.SliceThickness = thickness
        return
    planes = frame_planes(first, source.frames, source.name) or []
    first.SharedFunctionalGroupsSequence = [_shared(planes[0], thickness)]
    first.PerFrameFunctionalGroupsSequence = [_own(plane) for plane in planes]


def _distance(source: SourceImage) -> float:
    assert source.geometry.affine is not None
    return float(f"{np.linalg.norm(source.geometry.affine[:3, 0]):.6g}")


def _stated_thickness(header: Any) -> Any:
    if has_place(header):
        return header.get("SliceThickness") or None
    for groups in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"):
        measures = (header.get(groups) or [{}])[0].get("PixelMeasuresSequence")
        if measures and measures[0].get("SliceThickness"):
            return measures[0].SliceThickness
    return None


def _shared(plane: PlaneInSpace, thickness: Any) -> Any:
    from highdicom import PixelMeasuresSequence, PlaneOrientationSequence
    from pydicom.dataset import Dataset

    item = Dataset()
    item.PixelMeasuresSequence = PixelMeasuresSequence(plane.spacing_mm, thickness)
    directions = np.concatenate([plane.along_columns, plane.along_rows])
    item.PlaneOrientationSequence = PlaneOrientationSequence("PATIENT", directions)
    return item


def _own(plane: PlaneInSpace) -> Any:
    from highdicom import PlanePositionSequence
    from pydicom.dataset import Dataset

    item = Dataset()
    item.PlanePositionSequence = PlanePositionSequence("PATIENT", plane.position)
    return item
