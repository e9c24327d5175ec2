"""Values of any type to uint8 or uint16 levels, without loss wherever they fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.clinical.source import ImageKind
from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.prepare import robust_range

_TOP = np.iinfo(np.uint16).max


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Levels and what they mean: value = scale x level + offset.

    Attributes:
        stack: Any shape, uint8 or uint16.
        scale: Value of one level.
        offset: Value of level 0.
    """

    stack: NDArray[Any]
    scale: float = 1.0
    offset: float = 0.0


def to_levels(name: str, values: NDArray[Any], scale: float = 1.0, offset: float = 0.0) -> Levels:
    """Bring grey values to uint8 or uint16.

    Whole numbers that span at most 65535 are kept exactly, moved to start at 0 only where some are negative or too
    large. All others are divided into 65536 equal steps between their minimum and maximum.

    Args:
        name: What the input is called.
        values: (frames, rows, columns), any number type.
        scale: Modality value of one unit of ``values``.
        offset: Modality value of 0 in ``values``.

    Raises:
        WrongDataError: Values are complex, NaN or infinite.
    """
    if values.dtype.kind == "b":
        values = values.astype(np.uint8)
    if values.dtype.kind not in "uif":
        raise WrongDataError(f"{name} has values of type {values.dtype}, expected grey numbers; convert it")
    if values.dtype.kind == "f":
        _refuse_not_finite(name, values)
    elif values.dtype.kind == "u" and values.dtype.itemsize <= 2:
        return Levels(values.astype(values.dtype.newbyteorder("=")), scale, offset)
    low, high = float(values.min()), float(values.max())
    if high - low <= _TOP and _whole(values):
        start = low if low < 0 or high > _TOP else 0.0
        return Levels(_moved(values, start), scale, offset + scale * start)
    step = (high - low) / _TOP or 1.0  # a constant fraction is level 0
    return Levels(_divided(values, low, step), scale * step, offset + scale * low)


def brighter_is_more(levels: Levels, inverted: bool, top: int | None = None) -> Levels:
    """Turn levels round where a low level means a bright pixel.

    Args:
        levels: As read.
        inverted: Whether the file shows its lowest value as white (MONOCHROME1).
        top: The level that becomes 0; the highest one by default.
    """
    if (levels.scale < 0) == inverted:
        return levels
    highest = max(int(levels.stack.max()), top or 0)
    turned = (highest - levels.stack.astype(np.int32)).astype(levels.stack.dtype)
    return replace(levels, stack=turned, scale=-levels.scale, offset=levels.offset + levels.scale * highest)


def volume_window(kind: ImageKind, levels: Levels) -> tuple[float, float] | None:
    """Return the levels that become 0 and 255 in all slices of a grey volume; None for pictures and cines.

    The 0.5 and 99.5 percentile of all voxels other than value 0, which is the air round a head in skull-stripped
    volumes: as the data sets of volumes prepare their slices.
    """
    if kind not in (ImageKind.VOLUME, ImageKind.PLANE) or levels.stack.ndim != 3:
        return None
    zero = -levels.offset / levels.scale if levels.scale else 0.0
    inside = levels.stack[levels.stack != zero]
    return robust_range(inside) if inside.size else (0.0, 0.0)


def _refuse_not_finite(name: str, values: NDArray[Any]) -> None:
    wrong = sum(int((~np.isfinite(plane)).sum()) for plane in values)
    if wrong:
        raise WrongDataError(f"{name} has {wrong} values that are not numbers; replace them at the source")


def _whole(values: NDArray[Any]) -> bool:
    return values.dtype.kind in "ui" or all(np.array_equal(plane, np.rint(plane)) for plane in values)


def _moved(values: NDArray[Any], start: float) -> NDArray[Any]:
    narrow = values.dtype.kind in "ui" and values.dtype.itemsize == 1
    levels = np.empty(values.shape, np.uint8 if narrow else np.uint16)
    for plane, level in zip(values, levels, strict=True):  # plane by plane: a whole volume in float64 is large
        level[...] = plane.astype(np.float64) - start
    return levels


def _divided(values: NDArray[Any], low: float, step: float) -> NDArray[np.uint16]:
    levels = np.empty(values.shape, np.uint16)
    for plane, level in zip(values, levels, strict=True):
        level[...] = np.clip(np.rint((plane.astype(np.float64) - low) / step), 0, _TOP)
    return levels
