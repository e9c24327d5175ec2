"""NIfTI files, plain or compressed, to axial slices. The last byte is checked as well as the first."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.clinical.levels import to_levels, volume_window
from monai_tumor.clinical.limits import STANDARD, Limits, guarded
from monai_tumor.clinical.nifti_header import HEADER_BYTES, parse_nifti_header
from monai_tumor.clinical.source import ImageKind, Origin, SourceImage
from monai_tumor.clinical.turning import turned_geometry, turned_voxels, turning
from monai_tumor.errors import WrongDataError

_CHUNK = 1 << 20
_MOST_AFTER = 1 << 20


def read_nifti(path: Path, name: str, limits: Limits = STANDARD) -> SourceImage:
    """Read a NIfTI-1 or NIfTI-2 file of one volume or one plane.

    Volumes come as axial slices counted from the feet upward, the front at the top and the patient's right on the
    left, as the data sets of volumes show them; axes are exchanged and turned round, nothing is resampled.

    Raises:
        WrongDataError: The file is cut off, damaged, too large, of more than one volume, or not of grey values.
    """
    with guarded(name, "its NIfTI data"):
        content, start = _content(path, name, limits)
    header = parse_nifti_header(bytes(content[:HEADER_BYTES]), name, limits)
    stored = np.frombuffer(content, header.dtype, int(np.prod(header.shape)), start).reshape(header.shape, order="F")
    turn = turning(header.affine, header.shape)
    levels = to_levels(name, turned_voxels(stored, turn), header.slope, header.intercept)
    kind = ImageKind.VOLUME if len(levels.stack) > 1 else ImageKind.PLANE
    return SourceImage(
        name,
        kind if header.axes == 3 or header.affine is not None else ImageKind.PICTURE,
        levels.stack,
        geometry=turned_geometry(header.affine, header.shape, header.spacing_mm, turn, "NIfTI header"),
        scale=levels.scale,
        offset=levels.offset,
        window=volume_window(kind, levels),
        decoder="nibabel",
        notes=header.notes,
        origin=Origin((path,), header=bytes(content[:start]), turn=turn),
    )


def _content(path: Path, name: str, limits: Limits) -> tuple[bytearray, int]:
    """Return the unpacked file and where its voxels start."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    size = path.stat().st_size
    opener: Any = gzip.open if packed else open
    with opener(path, "rb") as file:
        head = file.read(HEADER_BYTES)
        header = parse_nifti_header(head, name, limits)
        total = header.start + header.data_bytes
        if header.start > limits.header_bytes:
            raise WrongDataError(f"{name} claims a header of {header.start:,} bytes; it is broken, convert it again")
        if not packed and size < total:
            raise WrongDataError(f"{name} is cut off: {size:,} of {total:,} bytes; copy or export it again")
        return _read_exactly(file, bytearray(head), total, name), header.start


def _read_exactly(file: Any, content: bytearray, total: int, name: str) -> bytearray:
    """Read up to ``total`` bytes, then to the end: only there does gzip compare its checksum."""
    try:
        while len(content) < total:
            part = file.read(min(_CHUNK, total - len(content)))
            if not part:
                raise EOFError
            content += part
        after = file.read(_MOST_AFTER)
    except EOFError:
        found = f"{len(content):,} of {total:,} bytes"
        raise WrongDataError(f"{name} is cut off: {found}; copy or export it again") from None
    if len(after) == _MOST_AFTER:
        raise WrongDataError(f"{name} holds far more data than its header says; it is broken, convert it again")
    return content


def stored_axes(stack: NDArray[Any], origin: Origin) -> NDArray[Any]:
    """Turn slices back to the axes in which the file stores its voxels.

    Args:
        stack: (frames, rows, columns) on the grid of the source image.
        origin: The ``origin`` of that image.

    Returns:
        The same values along the three stored axes.
    """
    order = [axis for axis, _ in origin.turn]
    flipped = stack[tuple(slice(None, None, direction) for _, direction in origin.turn)]
    return np.ascontiguousarray(flipped.transpose(np.argsort(order)))
