"""Random changes of a training case. Each class draws; the function beside it is the plain twin that says what is done.

They do not touch pixels: they defer (see ``deferred``), and a ``TransformChain`` applies everything in one resampling.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from monai.transforms import Randomizable

from monai_tumor.errors import WrongCallError
from monai_tumor.pipeline.deferred import Item, Levels, Matrix, defer_levels, defer_matrix

_AXES = ("rows", "columns")
_SHARES = np.linspace(0.0, 1.0, 256, dtype=np.float32)


class DeferredTransform(Randomizable, ABC):
    """Base of transforms that only defer; a chain need not apply what is waiting before it calls one."""

    @abstractmethod
    def __call__(self, item: Item) -> Item:
        """Draw and defer. ``item`` is changed in place and returned."""


class RandomFlip(DeferredTransform):
    """Flip along each of ``axes`` with probability ``prob``.

    Args:
        axes: Any of ``rows`` (upside down) and ``columns`` (left to right).
        prob: Probability for each axis by itself.
    """

    def __init__(self, axes: Sequence[str] = ("columns",), prob: float = 0.5) -> None:
        if wrong := [axis for axis in axes if axis not in _AXES]:
            raise WrongCallError(f"RandomFlip: unknown axis {wrong[0]!r}; use rows, columns or both")
        self.axes, self.prob = tuple(axes), prob

    def __call__(self, item: Item) -> Item:
        """Draw one flip for ``item``."""
        chosen = [axis for axis in self.axes if self.R.random_sample() < self.prob]
        if chosen:
            defer_matrix(item, flip_matrix(item["image"].shape[1:], chosen))
        return item


class RandomPose(DeferredTransform):
    """Rotate about the centre, zoom and shift, drawn together with probability ``prob``.

    Args:
        rotate_degrees: Largest rotation to either side.
        zoom: Smallest and largest magnification, the same on both axes.
        shift: Largest shift to either side, as a share of the rows and columns.
        prob: Probability that anything is done.
    """

    def __init__(
        self,
        rotate_degrees: float = 15.0,
        zoom: tuple[float, float] = (0.9, 1.1),
        shift: float = 0.06,
        prob: float = 0.9,
    ) -> None:
        self.rotate_degrees, self.zoom, self.shift, self.prob = rotate_degrees, tuple(zoom), shift, prob

    def __call__(self, item: Item) -> Item:
        """Draw one pose for ``item``."""
        if self.R.random_sample() < self.prob:
            degrees, down, right, size = self.R.random_sample(4) * 2 - 1
            shape = item["image"].shape[1:]
            middle, half = (self.zoom[0] + self.zoom[1]) / 2, (self.zoom[1] - self.zoom[0]) / 2
            shift = (down * self.shift * shape[0], right * self.shift * shape[1])
            defer_matrix(item, pose_matrix(shape, degrees * self.rotate_degrees, middle + size * half, shift))
        return item


class RandomIntensity(DeferredTransform):
    """Change contrast, brightness and gamma, drawn together with probability ``prob``.

    Args:
        contrast: Largest relative change of contrast about the middle grey.
        brightness: Largest shift of grey levels, as a share of the full range.
        gamma: Smallest and largest exponent.
        prob: Probability that anything is done.
    """

    def __init__(
        self,
        contrast: float = 0.15,
        brightness: float = 0.1,
        gamma: tuple[float, float] = (0.8, 1.25),
        prob: float = 0.8,
    ) -> None:
        self.contrast, self.brightness, self.gamma, self.prob = contrast, brightness, tuple(gamma), prob

    def __call__(self, item: Item) -> Item:
        """Draw one change of grey levels for ``item``."""
        if self.R.random_sample() < self.prob:
            contrast, brightness, exponent = self.R.random_sample(3) * 2 - 1
            low, high = np.log(self.gamma)
            gamma = float(np.exp((low + high) / 2 + exponent * (high - low) / 2))
            defer_levels(item, intensity_levels(1 + contrast * self.contrast, brightness * self.brightness, gamma))
        return item


def flip_matrix(shape: Sequence[int], axes: Sequence[str]) -> Matrix:
    """Return the (3, 3) result-to-source matrix of a flip of a (rows, columns) image along ``axes``."""
    matrix = np.eye(3)
    for name, row, size in (("columns", 0, shape[1]), ("rows", 1, shape[0])):
        if name in axes:
            matrix[row, row], matrix[row, 2] = -1.0, size - 1.0
    return matrix


def pose_matrix(shape: Sequence[int], degrees: float, zoom: float, shift: tuple[float, float]) -> Matrix:
    """Return the (3, 3) result-to-source matrix of a rotation and zoom about the centre, then a shift.

    Args:
        shape: Rows and columns.
        degrees: Rotation, positive turns the content clockwise as seen on the screen.
        zoom: Magnification, 2 shows everything twice as large.
        shift: Pixels down and to the right.
    """
    angle = np.deg2rad(degrees)
    cosine, sine = np.cos(angle) / zoom, np.sin(angle) / zoom
    column, row = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    new_column, new_row = column + shift[1], row + shift[0]
    return np.array(
        [
            [cosine, sine, column - cosine * new_column - sine * new_row],
            [-sine, cosine, row + sine * new_column - cosine * new_row],
            [0.0, 0.0, 1.0],
        ]
    )


def intensity_levels(contrast: float, brightness: float, gamma: float) -> Levels:
    """Return the (256,) table of gamma, then contrast about the middle grey, then brightness, within 0..255."""
    table: Any = ((_SHARES ** np.float32(gamma) - 0.5) * contrast + 0.5 + brightness) * 255.0
    levels: Levels = np.clip(table, 0.0, 255.0).astype(np.float32)
    return levels
