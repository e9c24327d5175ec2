"""Changes that wait: geometry as one matrix, brightness as one gain, grey levels as one table, applied together.

An item carries what is waiting under ``"deferred"``. Resampling an image once for a flip, a rotation, a zoom and a shift
together is faster than doing it four times, and blurs it once instead of four times.

They are applied in the order in which an image comes about, whatever order they were deferred in: how the probe or the
patient lies (matrix), what the scanner receives (gain), how it is displayed (levels).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

KEY = "deferred"
Item = dict[str, Any]
Matrix = npt.NDArray[np.float64]
Levels = npt.NDArray[np.float32]
Gain = npt.NDArray[np.float32]


@dataclass(slots=True)
class Deferred:
    """Changes not yet applied to an item.

    Attributes:
        matrix: (3, 3) map from a pixel (column, row, 1) of the result to one of the present image; None is no change.
        levels: (256,) float32, new grey level for each old one; None is no change.
        gain: (rows, columns) float32, factor for each pixel of the result; None is no change.
    """

    matrix: Matrix | None = None
    levels: Levels | None = None
    gain: Gain | None = None


def deferred(item: Item) -> Deferred:
    """Return what is waiting for ``item``, beginning an empty record when nothing is."""
    found = item.get(KEY)
    if not isinstance(found, Deferred):
        found = item[KEY] = Deferred()
    return found


def defer_matrix(item: Item, matrix: Matrix) -> None:
    """Let ``matrix`` (result pixel to present pixel) follow what is already waiting."""
    waiting = deferred(item)
    waiting.matrix = matrix if waiting.matrix is None else waiting.matrix @ matrix


def defer_levels(item: Item, levels: Levels) -> None:
    """Let the table ``levels`` follow what is already waiting."""
    waiting = deferred(item)
    waiting.levels = levels if waiting.levels is None else np.interp(waiting.levels, _LEVELS, levels).astype(np.float32)


def defer_gain(item: Item, gain: Gain) -> None:
    """Let the factors ``gain`` (rows, columns), in the geometry of the result, follow what is already waiting."""
    waiting = deferred(item)
    waiting.gain = gain if waiting.gain is None else waiting.gain * gain


def apply_deferred(item: Item) -> Item:
    """Apply what is waiting: image linear, label nearest, edges mirrored, both by the same matrix; then the image's values.

    Args:
        item: ``image`` is (channels, rows, columns) uint8, or float in 0..255 after a foreign transform; ``label``, if
            there is one, is (1, rows, columns). Changed in place.

    Returns:
        The same item with arrays of the same layout and dtype kind, and nothing waiting.
    """
    waiting = item.pop(KEY, None)
    if waiting is None:
        return item
    image = _channels_last(item["image"])
    label = _channels_last(item["label"]) if "label" in item else None
    if waiting.matrix is not None:
        image = _warp(image, waiting.matrix, cv2.INTER_LINEAR)
        label = None if label is None else _warp(label, waiting.matrix, cv2.INTER_NEAREST)
    if waiting.gain is not None:
        image = _multiply(image, waiting.gain)
    if waiting.levels is not None:
        image = _map_levels(image, waiting.levels)
    item["image"] = image.transpose(2, 0, 1)
    if label is not None:
        item["label"] = label.transpose(2, 0, 1)
    return item


_LEVELS = np.arange(256, dtype=np.float32)


def as_array(value: Any) -> npt.NDArray[Any]:
    """Return the plain array of what a transform may have made of one: array, tensor or MONAI's MetaTensor."""
    array: npt.NDArray[Any] = np.asarray(value.as_tensor() if hasattr(value, "as_tensor") else value)
    return array


def _channels_last(value: Any) -> npt.NDArray[Any]:
    """Return (rows, columns, channels) of something channel-first (a view where it can be)."""
    return np.ascontiguousarray(as_array(value).transpose(1, 2, 0))


def _warp(array: npt.NDArray[Any], matrix: Matrix, interpolation: int) -> npt.NDArray[Any]:
    rows, columns, channels = array.shape
    flags = interpolation | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(array, matrix[:2], (columns, rows), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(warped).reshape(rows, columns, channels)


def _multiply(image: npt.NDArray[Any], gain: Gain) -> npt.NDArray[Any]:
    if image.dtype == np.uint8:
        factors = cv2.merge([gain] * image.shape[2])
        return np.asarray(cv2.multiply(image, factors, dtype=cv2.CV_8U)).reshape(image.shape)  # rounded, up to 255
    brighter: npt.NDArray[Any] = np.clip(image * gain[:, :, None], 0, 255).astype(image.dtype)
    return brighter


def _map_levels(image: npt.NDArray[Any], levels: Levels) -> npt.NDArray[Any]:
    if image.dtype == np.uint8:
        table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
        return np.asarray(cv2.LUT(image, table)).reshape(image.shape)
    mapped: npt.NDArray[Any] = np.interp(image, _LEVELS, levels).astype(np.float32)
    return mapped
