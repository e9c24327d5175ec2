"""Lesion shapes of the phantom, whose area is known by formula."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROOM = 1.15  # lesions keep this share of their reach between each other
_TRIES = 40
_PIXELS_OF_A_SPICULE = 9.0


@dataclass(frozen=True, slots=True)
class Lesion:
    """A closed curve r(t) = radius * (1 + sum of a_k cos(k t + p_k)), stretched along one direction.

    Attributes:
        row: Centre in pixels, counted from the middle of the first pixel.
        column: Centre in pixels.
        radius: Mean radius in pixels before stretching.
        stretch: Factor along the first axis of the lesion; the other axis is divided by it, so the area stays.
        angle: Direction of the first axis in radians.
        waves: (k, a_k, p_k) of every wave on the contour.
    """

    row: float
    column: float
    radius: float
    stretch: float
    angle: float
    waves: tuple[tuple[int, float, float], ...]

    @property
    def area_px(self) -> float:
        """Area inside the curve: half the integral of r(t)^2, in pixels."""
        return math.pi * self.radius**2 * (1 + sum(size**2 for _, size, _ in self.waves) / 2)

    @property
    def reach_px(self) -> float:
        """A radius that the curve never leaves, in pixels."""
        return self.radius * self.stretch * (1 + sum(size for _, size, _ in self.waves))

    def depth(self, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Return (rows, columns) float32: 1 at the centre, 0 on the curve, negative outside."""
        rows, columns = np.ogrid[: shape[0], : shape[1]]
        down, right = np.float32(rows - self.row), np.float32(columns - self.column)
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        first = (right * cosine + down * sine) / self.stretch
        second = (down * cosine - right * sine) * self.stretch
        turn = np.arctan2(second, first)
        border = np.ones_like(turn)
        for count, size, phase in self.waves:
            border += np.float32(size) * np.cos(count * turn + np.float32(phase))
        return np.asarray(1 - np.hypot(first, second) / (self.radius * border), np.float32)


def draw_lesions(
    random: np.random.Generator, count: int, malignant: bool, area: tuple[float, float, float, float], scale: float
) -> list[Lesion]:
    """Draw up to ``count`` lesions that neither touch each other nor leave an ellipse; crowded ones are left out.

    Args:
        random: Source of all randomness.
        count: How many to try for.
        malignant: Spiculated contours, else smooth ones.
        area: Centre row, centre column, half height and half width of the ellipse, in pixels.
        scale: Size of the picture, 1 for 192 pixels.
    """
    lesions: list[Lesion] = []
    for _ in range(count):
        lesion = _placed(random, malignant, area, scale, lesions)
        if lesion is not None:
            lesions.append(lesion)
    return lesions


def _placed(
    random: np.random.Generator,
    malignant: bool,
    area: tuple[float, float, float, float],
    scale: float,
    others: list[Lesion],
) -> Lesion | None:
    row, column, half_rows, half_columns = area
    for _ in range(_TRIES):
        turn, distance = random.uniform(0, 2 * math.pi), math.sqrt(random.uniform(0, 1))
        lesion = _shape(random, malignant, scale)
        reach = lesion.reach_px
        if min(half_rows, half_columns) <= reach:
            continue
        down = (half_rows - reach) * distance * math.sin(turn)
        right = (half_columns - reach) * distance * math.cos(turn)
        moved = Lesion(row + down, column + right, lesion.radius, lesion.stretch, lesion.angle, lesion.waves)
        if all(_apart(moved, other) for other in others):
            return moved
    return None


def _shape(random: np.random.Generator, malignant: bool, scale: float) -> Lesion:
    radius = scale * random.uniform(10, 28)
    lobes = [(k, random.uniform(0.02, 0.10), random.uniform(0, 2 * math.pi)) for k in (2, 3)]
    if malignant:
        # A spicule needs some pixels along the contour, else it is noise and not a shape.
        most = max(5, int(2 * math.pi * radius / _PIXELS_OF_A_SPICULE))
        count = int(random.integers(min(7, most), min(13, most + 1)))
        lobes.append((count, random.uniform(0.16, 0.26), random.uniform(0, 2 * math.pi)))
    return Lesion(0, 0, radius, random.uniform(1.0, 1.35), random.uniform(0, math.pi), tuple(lobes))


def _apart(one: Lesion, other: Lesion) -> bool:
    distance = math.hypot(one.row - other.row, one.column - other.column)
    return distance > _ROOM * (one.reach_px + other.reach_px)
