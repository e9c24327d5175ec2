"""Volumes stored along any axes to axial slices, by exchanging axes and turning them round only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.clinical.source import Affine, Geometry

Turn = tuple[tuple[int, int], ...]
_AS_STORED: Turn = ((2, 1), (1, 1), (0, 1))
_UP = 2


def turning(affine: Affine | None, shape: tuple[int, ...]) -> Turn:
    """Return for frames, rows and columns the stored axis and its direction (1 or -1).

    Frames are axial slices counted upward, their rows run from front to back and their columns from the patient's right
    to the left. One plane that is stored across another axis stays one plane: its rows run downward or to the back.
    Without an orientation the stored axes are taken as columns, rows and frames.
    """
    if affine is None:
        return _AS_STORED
    import nibabel

    # For each stored axis: the axis of space (right, anterior, superior) that it is nearest to, and its direction.
    along = [(int(world), int(sign)) for world, sign in nibabel.io_orientation(affine)]
    thin = [axis for axis in range(3) if shape[axis] == 1]
    upward = next(axis for axis in range(3) if along[axis][0] == _UP)
    frames = thin[0] if thin and upward not in thin else upward
    columns, rows = sorted((axis for axis in range(3) if axis != frames), key=lambda axis: along[axis][0])
    return (frames, along[frames][1]), (rows, -along[rows][1]), (columns, -along[columns][1])


def turned_voxels(stored: NDArray[Any], turn: Turn) -> NDArray[Any]:
    """Return (frames, rows, columns) of a volume along its stored axes."""
    view = stored.transpose([axis for axis, _ in turn])
    return np.ascontiguousarray(view[tuple(slice(None, None, direction) for _, direction in turn)])


def turned_geometry(
    affine: Affine | None,
    shape: tuple[int, ...],
    spacing_mm: tuple[float, ...] | None,
    turn: Turn,
    stated_by: str,
) -> Geometry:
    """Return the geometry of the turned volume; the spacing of its rows and columns belongs to their stored axes."""
    spacing = (spacing_mm[turn[1][0]], spacing_mm[turn[2][0]]) if spacing_mm else None
    stated = stated_by if spacing else "unknown"
    if affine is None:
        return Geometry(None, spacing, stated)
    turned: Affine = np.eye(4)
    turned[:3, 3] = affine[:3, 3]
    for index, (axis, direction) in enumerate(turn):
        turned[:3, index] = affine[:3, axis] * direction
        if direction < 0:
            turned[:3, 3] += affine[:3, axis] * (shape[axis] - 1)
    return Geometry(turned, spacing, stated)
