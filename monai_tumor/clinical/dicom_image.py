"""One DICOM file to a source image: still, cine, single slice, or enhanced volume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monai_tumor.clinical.dicom_geometry import (
    flat_geometry,
    frame_planes,
    frame_rescale,
    has_place,
    plane_geometry,
    slice_plane,
)
from monai_tumor.clinical.dicom_open import open_dicom
from monai_tumor.clinical.dicom_pixels import decode_stored
from monai_tumor.clinical.dicom_shown import shown_levels
from monai_tumor.clinical.levels import volume_window
from monai_tumor.clinical.limits import STANDARD, Limits, guarded
from monai_tumor.clinical.planes import PlaneInSpace, stack_order
from monai_tumor.clinical.privacy import burned_in_possible, shown_modality
from monai_tumor.clinical.source import Box, Geometry, ImageKind, Origin, SourceImage


def read_dicom_image(path: Path, name: str, limits: Limits = STANDARD) -> SourceImage:
    """Read a single-frame or multi-frame DICOM image.

    Frames with positions come in the order of their positions along the normal, others in the order of the file.

    Raises:
        WrongDataError: The file is no image, is damaged or too large, or its frames make no volume.
    """
    opened = open_dicom(path, name, limits)
    dataset = opened.dataset
    stored = decode_stored(dataset, name, limits)
    frames = len(stored.stack)
    with guarded(name, "its geometry"):
        planes = _planes(dataset, frames, name)
        order = stack_order(name, planes) if planes else list(range(frames))
        rescale = frame_rescale(dataset, frames)
        geometry, crop, notes = _geometry(dataset, planes, order)
    levels, remarks = shown_levels(dataset, stored.stack[order], [rescale[index] for index in order], name)
    kind = _kind(frames, planes)
    return SourceImage(
        name,
        kind,
        levels.stack,
        shown_modality(dataset),
        geometry,
        crop,
        levels.scale,
        levels.offset,
        window=volume_window(kind, levels),
        decoder=stored.decoder,
        notes=(*opened.notes, *stored.notes, *remarks, *notes),
        burned_in_possible=burned_in_possible(dataset),
        origin=Origin(
            (path,),
            (str(dataset.get("SOPInstanceUID", "")),),
            tuple(index + 1 for index in order) if frames > 1 else (),
        ),
    )


def _planes(dataset: Any, frames: int, name: str) -> list[PlaneInSpace] | None:
    if frames == 1 and has_place(dataset):
        return [slice_plane(dataset, name)]
    return frame_planes(dataset, frames, name)


def _geometry(
    dataset: Any, planes: list[PlaneInSpace] | None, order: list[int]
) -> tuple[Geometry, Box | None, tuple[str, ...]]:
    if planes is None:
        return flat_geometry(dataset)
    stated_by = "Pixel Spacing" if has_place(dataset) else "Pixel Measures"
    return plane_geometry([planes[index] for index in order], stated_by), None, ()


def _kind(frames: int, planes: list[PlaneInSpace] | None) -> ImageKind:
    if frames == 1:
        return ImageKind.PLANE if planes else ImageKind.PICTURE
    return ImageKind.VOLUME if planes else ImageKind.FRAMES
