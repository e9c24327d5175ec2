"""Files of one DICOM series to one volume, stacked by where they lie and never by how they are numbered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from monai_tumor.clinical.dicom_geometry import frame_rescale, has_place, plane_geometry, slice_plane
from monai_tumor.clinical.dicom_open import OpenedDicom, open_dicom
from monai_tumor.clinical.dicom_pixels import Stored, decode_stored
from monai_tumor.clinical.dicom_shown import shown_levels
from monai_tumor.clinical.levels import volume_window
from monai_tumor.clinical.limits import STANDARD, Limits, check_decoded, guarded
from monai_tumor.clinical.planes import PlaneInSpace, stack_order
from monai_tumor.clinical.privacy import burned_in_possible, shown_modality
from monai_tumor.clinical.source import ImageKind, Origin, SourceImage
from monai_tumor.errors import WrongDataError

_SAME = ("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "PixelRepresentation")


@dataclass(frozen=True, slots=True, eq=False)
class _Slice:
    path: Path
    opened: OpenedDicom
    plane: PlaneInSpace
    stored: Stored


def read_dicom_series(paths: Sequence[Path], name: str, limits: Limits = STANDARD) -> SourceImage:
    """Read the slices of one series and stack them along their normal.

    Raises:
        WrongDataError: A slice is damaged, differs in size, direction or spacing, is missing, or is there twice; it
            is named.
    """
    slices: list[_Slice] = []
    for path in paths:
        slices.append(_read_slice(path, f"{name}: slice {path.name}", limits))
        _refuse_other_size(name, slices[0], slices[-1])
        one = slices[0].stored.stack
        check_decoded(name, (len(paths), *one.shape[1:]), one.dtype.itemsize, limits)
    with guarded(name, "its geometry"):
        ordered = [slices[index] for index in stack_order(name, [one.plane for one in slices])]
        rescale = [frame_rescale(one.opened.dataset, 1)[0] for one in ordered]
    first = ordered[0].opened.dataset
    _refuse_own_tables(name, ordered)
    levels, remarks = shown_levels(first, np.concatenate([one.stored.stack for one in ordered]), rescale, name)
    told = [note for one in ordered for note in (*one.opened.notes, *one.stored.notes)]
    return SourceImage(
        name,
        ImageKind.VOLUME if len(ordered) > 1 else ImageKind.PLANE,
        levels.stack,
        shown_modality(first),
        plane_geometry([one.plane for one in ordered], "Pixel Spacing"),
        scale=levels.scale,
        offset=levels.offset,
        window=volume_window(ImageKind.VOLUME, levels),
        decoder=" and ".join(dict.fromkeys(one.stored.decoder for one in ordered)),
        notes=tuple(dict.fromkeys((*told, *remarks))),
        burned_in_possible=any(burned_in_possible(one.opened.dataset) for one in ordered),
        origin=Origin(
            tuple(one.path for one in ordered),
            tuple(str(one.opened.dataset.get("SOPInstanceUID", "")) for one in ordered),
        ),
    )


def _read_slice(path: Path, name: str, limits: Limits) -> _Slice:
    opened = open_dicom(path, name, limits)
    with guarded(name, "its geometry"):
        if not has_place(opened.dataset):
            raise WrongDataError(f"{name} states no place in the patient; export the series again")
        plane = slice_plane(opened.dataset, path.name)
    stored = decode_stored(opened.dataset, name, limits)
    if len(stored.stack) != 1:
        raise WrongDataError(f"{name} has {len(stored.stack)} frames, expected one; give it alone")
    del opened.dataset.PixelData  # a whole series would be held twice
    return _Slice(path, opened, plane, stored)


def _refuse_other_size(name: str, first: _Slice, other: _Slice) -> None:
    for keyword in _SAME:
        one, two = first.opened.dataset.get(keyword), other.opened.dataset.get(keyword)
        if one != two:
            files = f"{other.path.name} has other {_words(keyword)} than {first.path.name}"
            raise WrongDataError(f"{name} is no volume: {files}; give its files one by one")


def _words(keyword: str) -> str:
    return {"Rows": "rows", "Columns": "columns"}.get(keyword, "kinds of pixels")


def _refuse_own_tables(name: str, slices: Sequence[_Slice]) -> None:
    """Refuse series whose slices have tables each: they may differ, and their values would not be comparable."""
    with_table: list[Any] = [one for one in slices if one.opened.dataset.get("ModalityLUTSequence")]
    if with_table and len(slices) > 1:
        raise WrongDataError(f"{name} has a Modality LUT in every slice, which is not read; give its files one by one")
