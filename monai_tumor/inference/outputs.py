"""The results of one input as files: mask and overlay, in the geometry of the input."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.clinical.out_findings import FINDINGS, Algorithm
from monai_tumor.clinical.out_nifti import write_nifti_mask
from monai_tumor.clinical.out_segmentation import write_segmentation
from monai_tumor.clinical.source import SourceImage
from monai_tumor.errors import WrongCallError, WrongDataError, unknown_name
from monai_tumor.imaging.pictures import outline_picture
from monai_tumor.imaging.write import write_mask, write_picture

AUTO, PNG, NIFTI, SEG = "auto", "png", "nifti", "dicom-seg"
FORMATS = (PNG, NIFTI, SEG)
_SUFFIXES = {PNG: "_mask.png", NIFTI: "_mask.nii.gz", SEG: "_mask.dcm"}
_KEYS = {PNG: "mask", NIFTI: "nifti", SEG: "dicom_seg"}


def checked_formats(asked: str | Sequence[str]) -> tuple[str, ...]:
    """Return the formats that a setting asks for; none for ``auto``.

    Raises:
        WrongCallError: One is unknown.
    """
    names = [name.strip() for name in asked.split(",")] if isinstance(asked, str) else list(asked)
    if names == [AUTO]:
        return ()
    for name in names:
        if name not in FORMATS:
            raise unknown_name("format", name, (AUTO, *FORMATS))
    return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class Output:
    """How results are written.

    Attributes:
        folder: Where to.
        formats: Of masks, see ``checked_formats``; none to choose by the input: DICOM SEG for DICOM where highdicom is
            installed and the header allows it, else PNG for single pictures, NIfTI for volumes.
        finding: What a mask outlines, one of ``FINDINGS``.
        algorithm: The model, for DICOM results.
    """

    folder: Path
    formats: tuple[str, ...]
    finding: str
    algorithm: Algorithm

    def write(self, source: SourceImage, mask: NDArray[np.bool_]) -> dict[str, str]:
        """Write mask and overlay of an input, and return what each file is and its path below the folder.

        Args:
            source: The input.
            mask: bool (frames, rows, columns).

        Raises:
            WrongCallError: A format cannot hold this input, or a file exists.
            WrongDataError: The header of a DICOM input does not allow a SEG.
        """
        if not self.formats:
            return self._write_fitting(source, mask)
        return self._write_as(self.formats, source, mask)

    def _write_fitting(self, source: SourceImage, mask: NDArray[np.bool_]) -> dict[str, str]:
        """Write what fits to the input; where its header allows no DICOM SEG, a picture or volume instead."""
        if source.origin.instance_uids and importlib.util.find_spec("highdicom") is not None:
            with contextlib.suppress(WrongDataError):
                return self._write_as((SEG,), source, mask)
        return self._write_as((PNG,) if source.frames == 1 and not source.origin.header else (NIFTI,), source, mask)

    def _write_as(self, wanted: Sequence[str], source: SourceImage, mask: NDArray[np.bool_]) -> dict[str, str]:
        if PNG in wanted and source.frames > 1:
            raise WrongCallError(f"{source.name} has {source.frames} frames, and a PNG holds one; give format {NIFTI}")
        files = {_KEYS[name]: f"{source.name}{_SUFFIXES[name]}" for name in wanted}
        files["overlay"] = f"{source.name}_overlay.png"
        for name in wanted:
            self._write_mask(name, self.folder / files[_KEYS[name]], source, mask)
        shown = int(mask.sum(axis=(1, 2)).argmax()) if mask.any() else source.frames // 2
        picture = outline_picture(source.picture(shown), mask[shown])
        write_picture(self.folder / files["overlay"], picture)
        return files

    def _write_mask(self, name: str, path: Path, source: SourceImage, mask: NDArray[np.bool_]) -> None:
        if name == PNG:
            write_mask(path, mask[0])
        elif name == NIFTI:
            write_nifti_mask(path, mask, source)
        else:
            write_segmentation(path, mask, source, [FINDINGS[self.finding]], self.algorithm)


def described(source: SourceImage, mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Return what is told of a result: size of the image, pixels of the lesion, and millimetres where they are known."""
    pixels = int(mask.sum())
    found: dict[str, Any] = {"rows": source.rows, "columns": source.columns, "lesion_px": pixels}
    if source.frames > 1:
        found |= {"frames": source.frames, "frames_with_lesion": int(mask.any(axis=(1, 2)).sum())}
    size = _size_mm(source)
    if size is not None:
        found[size[0]] = round(pixels * size[1], 3)
    if source.notes:
        found["notes"] = list(source.notes)
    return found


def _size_mm(source: SourceImage) -> tuple[str, float] | None:
    """Return under which name, and how large one pixel or voxel is; None where it is unknown."""
    if source.kind.value == "volume" and source.geometry.affine is not None:
        return "lesion_mm3", float(abs(np.linalg.det(source.geometry.affine[:3, :3])))
    spacing = source.geometry.spacing_mm if source.crop is None else source.geometry.spacing_within(source.crop)
    known = spacing is not None and source.frames == 1 and (source.crop is not None or not source.geometry.regions)
    return ("lesion_mm2", spacing[0] * spacing[1]) if known and spacing is not None else None
