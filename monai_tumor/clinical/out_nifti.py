"""Masks to NIfTI on the grid of their source, with the source's own header where it has one."""

from __future__ import annotations

import gzip
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.clinical.nifti import stored_axes
from monai_tumor.clinical.out_masks import checked_labels
from monai_tumor.clinical.source import Geometry, SourceImage
from monai_tumor.errors import WrongCallError
from monai_tumor.imaging.write import write_bytes

_MOST_LABELS = 255
_UINT8 = 2
_SCANNER = 1
_AGREE_MM = 1e-4
_TEXTS = ("descrip", "aux_file", "intent_name", "data_type", "db_name")
_OF_THE_VALUES = ("cal_max", "cal_min", "intent_code", "intent_p1", "intent_p2", "intent_p3", "glmax", "glmin")
_NO_EXTENSIONS = bytes(4)


def write_nifti_mask(path: str | os.PathLike[str], mask: NDArray[Any], source: SourceImage) -> None:
    """Write a mask as uint8 (``.nii``, or compressed as ``.nii.gz``).

    A NIfTI source gives its header: orientation, voxel sizes, units and order of axes stay as they are, byte for byte;
    free texts, extensions and what describes the values are cleared. Other sources give their affine.

    Args:
        path: File to write; its folder is made.
        mask: (frames, rows, columns) on the grid of the source, bool or whole numbers from 0 to 255.
        source: The image that the mask was made from.

    Raises:
        WrongCallError: The suffix is another one, the mask has another shape or other values, or the file exists.
    """
    name = os.fspath(path).lower()
    if not name.endswith((".nii", ".nii.gz")):
        raise WrongCallError(f"{path} has a suffix that is not written; give .nii or .nii.gz")
    labels = checked_labels(mask, source, _MOST_LABELS)
    if source.origin.header:
        content = _with_header_of(source.origin.header, stored_axes(labels, source.origin))
    else:
        content = _with_affine(source.geometry, labels.transpose())
    write_bytes(path, gzip.compress(content, 6, mtime=0) if name.endswith(".gz") else content)


def _with_header_of(head: bytes, voxels: NDArray[np.uint8]) -> bytes:
    import nibabel

    second = head[4:8] == b"n+2\0"
    kind, size = (nibabel.Nifti2Header, 540) if second else (nibabel.Nifti1Header, 348)
    header = kind(head[:size], check=False)
    fields = header.structarr
    for field in (*_TEXTS, *_OF_THE_VALUES):
        if field in fields.dtype.names:
            fields[field] = np.zeros((), fields.dtype[field])
    return _file(header, voxels)


def _with_affine(geometry: Geometry, voxels: NDArray[np.uint8]) -> bytes:
    """Return a file of (columns, rows, frames); its codes are 0 where the orientation is unknown."""
    import nibabel

    header = nibabel.Nifti1Header()
    header.set_data_shape(voxels.shape)
    header.set_xyzt_units("mm")
    if geometry.affine is not None:
        affine = geometry.affine[:, [2, 1, 0, 3]]
        header.set_sform(affine, _SCANNER)
        header.set_qform(affine, _SCANNER)  # sets the voxel sizes as well
        if not np.allclose(header.get_qform(), affine, atol=_AGREE_MM):
            header["qform_code"] = 0  # quaternions cannot say what lies askew
    elif geometry.spacing_mm is not None:
        header["pixdim"][1:4] = (geometry.spacing_mm[1], geometry.spacing_mm[0], 1)
    else:
        header.set_xyzt_units("unknown")
    return _file(header, voxels)


def _file(header: Any, voxels: NDArray[np.uint8]) -> bytes:
    fields = header.structarr
    fields["datatype"], fields["bitpix"] = _UINT8, 8
    fields["scl_slope"], fields["scl_inter"] = 1, 0
    fields["vox_offset"] = int(fields["sizeof_hdr"]) + len(_NO_EXTENSIONS)
    return bytes(header.binaryblock) + _NO_EXTENSIONS + voxels.tobytes(order="F")
