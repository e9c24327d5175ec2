"""The one way from a file's pixels to network input, and the one way back to the source geometry.

Training, prediction and labelling all use these functions. Nothing here knows a file or a network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.imaging.filters import Entry, apply_filters, build_filters

Pixels = NDArray[Any]

# Part of every cache key: raise it when the same settings would give other pixels than before.
_VERSION = 1
_FITS = ("pad", "stretch")
_RANGE_PERCENT = (0.5, 99.5)


@dataclass(frozen=True, slots=True)
class PrepareSettings:
    """What prepared arrays look like.

    Attributes:
        rows: Height of the prepared array in pixels.
        columns: Width of the prepared array in pixels.
        channels: 1 (grey) or 3 (RGB).
        fit: ``"pad"`` keeps the aspect ratio and centres the picture in zeros; ``"stretch"`` fills the array.
        filters: What is done to the picture after it is resized and before it is padded, in order; see ``filters``.

    Raises:
        WrongCallError: A value is impossible.
    """

    rows: int = 256
    columns: int = 256
    channels: int = 3
    fit: str = "pad"
    filters: Sequence[Entry] = ()

    def __post_init__(self) -> None:
        if not all(isinstance(side, int) and side is not True and side >= 1 for side in (self.rows, self.columns)):
            raise WrongCallError(
                f"prepared size {self.rows} x {self.columns} is impossible; give whole numbers from 1 x 1"
            )
        if self.channels not in (1, 3):
            raise WrongCallError(f"channels={self.channels} is impossible; give 1 (grey) or 3 (RGB)")
        if self.fit not in _FITS:
            raise WrongCallError(f"fit={self.fit!r} is unknown; give one of {', '.join(_FITS)}")
        object.__setattr__(self, "filters", build_filters(self.filters))

    def key(self) -> str:
        """Return a stable text that differs whenever prepared pixels would differ."""
        shape = f"prepare{_VERSION}-{self.rows}x{self.columns}x{self.channels}-{self.fit}"
        return "-".join([shape, *map(repr, self.filters)])


@dataclass(frozen=True, slots=True)
class _Placement:
    """Where the picture lies in the prepared array, in pixels."""

    top: int
    left: int
    rows: int
    columns: int

    @property
    def window(self) -> tuple[slice, slice]:
        return slice(self.top, self.top + self.rows), slice(self.left, self.left + self.columns)


def prepare_image(image: Pixels, settings: PrepareSettings) -> NDArray[np.uint8]:
    """Bring an image to the size, channels and depth that networks read.

    Args:
        image: (R, C) or (R, C, 3), uint8, or uint16 (its 0.5..99.5 percentile range becomes 0..255).
        settings: What to bring it to.

    Returns:
        (rows, columns, channels) uint8, zero where padded.

    Raises:
        WrongDataError: The array has another shape or dtype.
    """
    _check_pixels(image)
    bytes_ = image if image.dtype == np.uint8 else scale_to_bytes(image, *robust_range(image))
    placement = _place(image.shape[:2], settings)
    resized = _resample(_with_channels(bytes_, settings.channels), placement.rows, placement.columns)
    inner = apply_filters(resized, build_filters(settings.filters))
    prepared = np.zeros((settings.rows, settings.columns, settings.channels), np.uint8)
    prepared[placement.window] = inner.reshape(placement.rows, placement.columns, settings.channels)
    return prepared


def prepare_mask(mask: Pixels, settings: PrepareSettings) -> NDArray[np.uint8]:
    """Bring a mask to where ``prepare_image`` brings its image: averaged by area, foreground from one half up.

    Args:
        mask: (R, C) bool.
        settings: The settings given to ``prepare_image``.

    Returns:
        (rows, columns) uint8, 0 or 1.

    Raises:
        WrongDataError: The mask has another number of axes, or no pixels.
    """
    if mask.ndim != 2 or mask.size == 0:
        raise WrongDataError(f"a mask has the shape {mask.shape}, expected (rows, columns); check its reader")
    placement = _place(mask.shape, settings)
    share = _resample(mask.astype(np.float32), placement.rows, placement.columns)
    prepared = np.zeros((settings.rows, settings.columns), np.uint8)
    prepared[placement.window] = share >= 0.5
    return prepared


def restore_probability(
    probability: NDArray[np.float32], shape: tuple[int, ...], settings: PrepareSettings
) -> NDArray[np.float32]:
    """Undo the geometry of ``prepare_image``: cut the padding off and resize back, linear on probabilities.

    Args:
        probability: (rows, columns) float32, as large as the settings say.
        shape: (R, C) of the source image; further axes are ignored.
        settings: The settings given to ``prepare_image``.

    Returns:
        (R, C) float32.

    Raises:
        WrongDataError: The probability map is not of the prepared size.
    """
    expected = (settings.rows, settings.columns)
    if probability.shape != expected:
        raise WrongDataError(f"a probability map has the shape {probability.shape}, expected {expected}")
    inner = probability[_place(shape, settings).window]
    return np.asarray(_resample(inner, shape[0], shape[1]), np.float32)


def robust_range(values: Pixels) -> tuple[float, float]:
    """Return the 0.5 and 99.5 percentile, or minimum and maximum where these two are equal."""
    low, high = np.percentile(values, _RANGE_PERCENT)
    return (float(low), float(high)) if high > low else (float(values.min()), float(values.max()))


def scale_to_bytes(values: Pixels, low: float, high: float) -> NDArray[np.uint8]:
    """Map ``low..high`` linearly to 0..255 and clip what lies outside; a range without width becomes 0."""
    if high <= low:
        return np.zeros(values.shape, np.uint8)
    scaled = (values.astype(np.float32) - np.float32(low)) * np.float32(255 / (high - low))
    return np.asarray(np.clip(np.rint(scaled), 0, 255), np.uint8)


def _check_pixels(image: Pixels) -> None:
    shaped = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if not shaped or image.size == 0 or image.dtype not in (np.uint8, np.uint16):
        raise WrongDataError(
            f"an image is {image.dtype} {image.shape}, expected (rows, columns) or (rows, columns, 3) "
            "of uint8 or uint16; check its reader"
        )


def _place(shape: tuple[int, ...], settings: PrepareSettings) -> _Placement:
    """Return where an image of ``shape`` lies; the only place that knows the geometry."""
    if settings.fit == "stretch":
        return _Placement(0, 0, settings.rows, settings.columns)
    scale = min(settings.rows / shape[0], settings.columns / shape[1])
    rows = min(settings.rows, max(1, round(shape[0] * scale)))  # a 1 x 300 picture keeps one row
    columns = min(settings.columns, max(1, round(shape[1] * scale)))
    return _Placement((settings.rows - rows) // 2, (settings.columns - columns) // 2, rows, columns)


def _resample(array: Pixels, rows: int, columns: int) -> Pixels:
    """Resize by area where an axis shrinks and linearly where it grows (OpenCV's area does not do the latter)."""
    shrunk = (min(rows, array.shape[0]), min(columns, array.shape[1]))
    if shrunk != array.shape[:2]:
        array = cv2.resize(array, shrunk[::-1], interpolation=cv2.INTER_AREA)
    if shrunk != (rows, columns):
        array = cv2.resize(array, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return array


def _with_channels(image: NDArray[np.uint8], channels: int) -> Pixels:
    if channels == 1:
        return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    return image if image.ndim == 3 else np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB))
