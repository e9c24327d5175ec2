"""The results of one input as files: mask and overlay, in the geometry of the input."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.clinical.out_findings import FINDINGS, Algorithm, Finding
from monai_tumor.clinical.out_nifti import write_nifti_mask
from monai_tumor.clinical.out_report import MeasuredFinding, write_report_sr
from monai_tumor.clinical.out_segmentation import write_segmentation
from monai_tumor.clinical.source import ImageKind, SourceImage
from monai_tumor.errors import WrongCallError, WrongDataError, unknown_name
from monai_tumor.imaging.pictures import outline_picture
from monai_tumor.imaging.write import write_mask, write_picture
from monai_tumor.metrics.lesion_size import measure_lesion

AUTO, PNG, NIFTI, SEG, SR = "auto", "png", "nifti", "dicom-seg", "dicom-sr"
FORMATS = (PNG, NIFTI, SEG, SR)  # in the order in which they are written: a report refers to the SEG
_SUFFIXES = {PNG: "_mask.png", NIFTI: "_mask.nii.gz", SEG: "_mask.dcm", SR: "_report.dcm"}
_KEYS = {PNG: "mask", NIFTI: "nifti", SEG: "dicom_seg", SR: "dicom_sr"}


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
    return tuple(name for name in FORMATS if name in names)


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
            self._write_result(name, files, source, mask)
        shown = int(mask.sum(axis=(1, 2)).argmax()) if mask.any() else source.frames // 2
        picture = outline_picture(source.picture(shown), mask[shown])
        write_picture(self.folder / files["overlay"], picture)
        return files

    def _write_result(self, name: str, files: Mapping[str, str], source: SourceImage, mask: NDArray[np.bool_]) -> None:
        path, finding = self.folder / files[_KEYS[name]], FINDINGS[self.finding]
        if name == PNG:
            write_mask(path, mask[0])
        elif name == NIFTI:
            write_nifti_mask(path, mask, source)
        elif name == SEG:
            write_segmentation(path, mask, source, [finding], self.algorithm)
        else:
            outlined = self.folder / files[_KEYS[SEG]] if _KEYS[SEG] in files else None
            write_report_sr(path, [measured(source, mask, finding)], source, self.algorithm, outlined)


def described(source: SourceImage, mask: NDArray[np.bool_], finding: str) -> dict[str, Any]:
    """Return what is told of a result: size of the image, pixels of the lesion, its measures, and what was assumed.

    Args:
        source: The input.
        mask: bool (frames, rows, columns).
        finding: One of ``FINDINGS``.
    """
    found: dict[str, Any] = {"rows": source.rows, "columns": source.columns, "lesion_px": int(mask.sum())}
    if source.frames > 1:
        found |= {"frames": source.frames, "frames_with_lesion": int(mask.any(axis=(1, 2)).sum())}
    size = measured(source, mask, FINDINGS[finding])
    names = ("unit", "area", "volume", "longest_diameter", "short_axis", "frame")
    values = {name: getattr(size, name) for name in names}
    found["lesion"] = {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in values.items()
        if value is not None
    }
    if source.notes:
        found["notes"] = list(source.notes)
    return found


def measured(source: SourceImage, mask: NDArray[np.bool_], finding: Finding) -> MeasuredFinding:
    """Return how large a lesion is, in millimetres where the header states the spacing, else in pixels.

    Of a volume that is its volume, and longest diameter and short axis of the slice with the longest. Of a picture or a
    cine, area and diameters of the frame with the largest area.

    Args:
        source: The input.
        mask: bool (frames, rows, columns).
        finding: What it outlines.
    """
    spacing, affine = _spacing(source), source.geometry.affine
    sizes = {frame: measure_lesion(one, spacing) for frame, one in enumerate(mask) if one.any()}
    if source.kind is ImageKind.VOLUME and source.frames > 1:
        known = spacing is not None and affine is not None
        voxel = float(abs(np.linalg.det(affine[:3, :3]))) if known and affine is not None else 1.0
        if not known:
            sizes = {frame: measure_lesion(mask[frame]) for frame in sizes}
        longest = max(sizes.values(), key=lambda size: size.longest_diameter, default=None)
        long, short = (None, None) if longest is None else (longest.longest_diameter, longest.short_axis)
        volume, unit = float(mask.sum()) * voxel, "mm" if known else "px"
        return MeasuredFinding(finding, unit, volume=volume, longest_diameter=long, short_axis=short)
    unit = "px" if spacing is None else "mm"
    if not sizes:
        return MeasuredFinding(finding, unit, area=0.0, frame=0)
    frame = max(sizes, key=lambda one: sizes[one].area)
    size = sizes[frame]
    return MeasuredFinding(
        finding,
        unit,
        area=size.area,
        longest_diameter=size.longest_diameter,
        short_axis=size.short_axis,
        frame=frame,
    )


def _spacing(source: SourceImage) -> tuple[float, float] | None:
    """Return the millimetres from row to row and from column to column where the lesion may lie; None where unknown."""
    if source.crop is not None:
        return source.geometry.spacing_within(source.crop)
    return None if source.geometry.regions else source.geometry.spacing_mm
