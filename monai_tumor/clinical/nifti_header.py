"""NIfTI headers: checked, bounded, and the one affine that is used of the two that may be there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from monai_tumor.clinical.limits import STANDARD, Limits, check_decoded, guarded
from monai_tumor.clinical.source import Affine
from monai_tumor.errors import WrongDataError

_MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_DIFFERENT_MM = 1e-2
_SHEAR = 1e-3
HEADER_BYTES = 544
"""Enough for the header of NIfTI-1 (348 + 4) and NIfTI-2 (540 + 4)."""


@dataclass(frozen=True, slots=True, eq=False)
class NiftiHeader:
    """What is believed of a NIfTI header.

    Attributes:
        shape: Voxels along the three stored axes; an axis that is not there counts 1.
        axes: How many of them the file has: 2 or 3.
        dtype: Stored type with its byte order.
        start: Offset of the first voxel in the unpacked file.
        slope: Value of one stored unit.
        intercept: Value of a stored 0.
        affine: 4 x 4, stored indices to millimetres; None where the header gives no orientation.
        spacing_mm: Distance of voxels along the stored axes; None where it gives none.
        notes: What had to be chosen.
    """

    shape: tuple[int, int, int]
    axes: int
    dtype: np.dtype[Any]
    start: int
    slope: float
    intercept: float
    affine: Affine | None
    spacing_mm: tuple[float, float, float] | None
    notes: tuple[str, ...]

    @property
    def data_bytes(self) -> int:
        """Bytes of all voxels."""
        return math.prod(self.shape) * self.dtype.itemsize


def parse_nifti_header(head: bytes, name: str, limits: Limits = STANDARD) -> NiftiHeader:
    """Read and check the first bytes of an unpacked NIfTI file.

    The sform is used where its code is positive, else the qform; with neither the orientation is unknown.

    Raises:
        WrongDataError: The header is damaged, of a kind that is not read, or claims more than is allowed.
    """
    with guarded(name, "its NIfTI header"):
        header = _nibabel_header(head, name)
        shape = _shape(header, name)
        dtype = _dtype(header, name)
        check_decoded(name, shape, dtype.itemsize, limits)
        unit, notes = _unit(header)
        affine, more = _affine(header, unit, name)
        slope, intercept = (float(header[field]) for field in ("scl_slope", "scl_inter"))
        scaled = math.isfinite(slope) and slope != 0
        return NiftiHeader(
            shape,
            2 if int(header["dim"][0]) == 2 else 3,
            dtype,
            _start(header, name),
            slope if scaled else 1.0,
            intercept if scaled and math.isfinite(intercept) else 0.0,
            affine,
            _spacing(header, affine, unit),
            (*notes, *more),
        )


def _nibabel_header(head: bytes, name: str) -> Any:
    import nibabel

    if head[344:348] == b"ni1\0" or head[4:8] == b"ni2\0":
        raise WrongDataError(f"{name} is half of a .hdr/.img pair; convert the pair to one .nii file")
    second = head[4:8] == b"n+2\0"
    kind, size = (nibabel.Nifti2Header, 540) if second else (nibabel.Nifti1Header, 348)
    header = kind(head[:size], check=False)
    if int(header["sizeof_hdr"]) != size:
        raise WrongDataError(f"{name} has a damaged NIfTI header (its size is wrong); copy or convert it again")
    return header


def _shape(header: Any, name: str) -> tuple[int, int, int]:
    count = int(header["dim"][0])
    if not 1 <= count <= 7:
        raise WrongDataError(f"{name} has a damaged NIfTI header ({count} axes); copy or convert it again")
    shape = [int(side) for side in header["dim"][1 : count + 1]]
    if any(side != 1 for side in shape[3:]):
        sides = " x ".join(map(str, shape))
        raise WrongDataError(f"{name} holds {sides} values, expected one volume; save each of its volumes as a file")
    if count < 2:
        raise WrongDataError(f"{name} has one axis, expected two or three; convert it again")
    return (shape[0], shape[1], shape[2] if count > 2 else 1)


def _dtype(header: Any, name: str) -> np.dtype[Any]:
    dtype = header.get_data_dtype()
    if dtype.names or dtype.kind not in "uif" or dtype.itemsize > 8:
        raise WrongDataError(f"{name} has colours or complex numbers, expected one grey value a voxel; convert it")
    return cast("np.dtype[Any]", np.dtype(dtype))


def _start(header: Any, name: str) -> int:
    start = float(header["vox_offset"])
    if not math.isfinite(start) or not 0 <= start < 1 << 31:
        raise WrongDataError(f"{name} has a damaged NIfTI header (offset of the voxels); copy or convert it again")
    return max(int(start), 352 if int(header["sizeof_hdr"]) == 348 else 544)


def _unit(header: Any) -> tuple[float, tuple[str, ...]]:
    code = int(header["xyzt_units"]) & 7
    note = () if code in (1, 2, 3) else ("the NIfTI header states no unit of length; read as millimetres",)
    return _MILLIMETRES.get(code, 1.0), note


def _affine(header: Any, unit: float, name: str) -> tuple[Affine | None, tuple[str, ...]]:
    sform, qform = _coded(header, "sform", name), _coded(header, "qform", name)
    if sform is None and qform is None:
        return None, ("the NIfTI header gives no orientation: left and right are unknown",)
    notes: tuple[str, ...] = ()
    chosen = sform if sform is not None else qform
    assert chosen is not None
    if sform is not None and qform is not None:
        notes = _compare(sform, qform, [int(side) for side in header["dim"][1:4]], name)
    scaled: Affine = np.diag([unit, unit, unit, 1.0]) @ chosen
    axes = scaled[:3, :3] / np.linalg.norm(scaled[:3, :3], axis=0)
    if np.abs(axes.T @ axes - np.eye(3)).max() > _SHEAR:
        notes = (*notes, "the axes of the volume are not at right angles")
    return scaled, notes


def _coded(header: Any, form: str, name: str) -> Affine | None:
    if int(header[f"{form}_code"]) <= 0:
        return None
    affine = np.asarray(header.get_sform() if form == "sform" else header.get_qform(), np.float64)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:
        raise WrongDataError(f"{name} has an impossible {form} in its header; convert it again from the source")
    return affine


def _compare(sform: Affine, qform: Affine, shape: list[int], name: str) -> tuple[str, ...]:
    """Refuse two orientations that mirror or turn each other; say where they merely lie apart."""
    import nibabel

    if nibabel.aff2axcodes(sform) != nibabel.aff2axcodes(qform):
        found = f"{''.join(nibabel.aff2axcodes(sform))} and {''.join(nibabel.aff2axcodes(qform))}"
        raise WrongDataError(
            f"{name} has an sform and a qform of different orientation ({found}); remove the wrong one"
        )
    corners = np.array(np.meshgrid(*[(0, side - 1) for side in shape])).reshape(3, -1)
    apart = np.linalg.norm(((sform - qform) @ np.vstack([corners, np.ones(corners.shape[1])]))[:3], axis=0).max()
    return (f"sform and qform lie up to {apart:.3g} apart; the sform is used",) if apart > _DIFFERENT_MM else ()


def _spacing(header: Any, affine: Affine | None, unit: float) -> tuple[float, float, float] | None:
    if affine is not None:
        sizes = np.linalg.norm(affine[:3, :3], axis=0)
    else:
        sizes = np.asarray(header["pixdim"][1:4], np.float64) * unit
    right = np.isfinite(sizes).all() and (sizes[:2] > 0).all()
    return (float(sizes[0]), float(sizes[1]), float(sizes[2])) if right else None
