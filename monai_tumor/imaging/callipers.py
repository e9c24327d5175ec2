"""Callipers burned into a grey picture: small crosses, upright or slanting, of one level brighter than what is around.

A cross is a grey hit-or-miss: its four arms are bright to the last pixel, and in three of the four fields between them
not one pixel is. The fourth may hold the calliper's number; a dotted line may go on from an arm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]
Numbers = NDArray[np.float64]
_Offsets = tuple[NDArray[np.intp], NDArray[np.intp]]

_UPRIGHT, _SLANTING = range(3, 9), range(4, 9)
"""Pixels from the centre to the end of an arm; a letter is full of small slanting crosses."""

_WIDE_FROM = 5  # upright arms as long as this may be three pixels wide
_LEAST_ABOVE_MEAN = 20  # grey levels; only such points are looked at closely
_MOST_POINTS = 2000
_SURE_GAP = 30.0  # grey levels
_LEAST_SCORE = 0.05
_PAD = 12


@dataclass(frozen=True, slots=True)
class _Cross:
    """Where to look from the centre: along each arm, between the arms, and beyond each arm."""

    reach: int
    arms: list[_Offsets]
    fields: list[_Offsets]
    ends: list[_Offsets]


def find_callipers(grey: NDArray[np.uint8]) -> list[tuple[float, Box]]:
    """Find crosses with arms of three to eight pixels, with or without a gap in the middle.

    Args:
        grey: (rows, columns).

    Returns:
        Score in 0..1 and (row, column, rows, columns) of each cross, the surest first; no two of them overlap.
    """
    padded = cv2.copyMakeBorder(grey, _PAD, _PAD, _PAD, _PAD, cv2.BORDER_REPLICATE).astype(np.int16)
    mean = cv2.blur(grey, (13, 13))
    upright, slanting = (_apart(_fits(grey, mean, padded, slanting)) for slanting in (False, True))
    # One slanting cross alone is a crossing of fibres or part of a letter: they measure in pairs.
    surest_partner = slanting[1][0] if len(slanting) > 1 else 0.0
    return _apart([*upright, *((min(score, surest_partner), box) for score, box in slanting if surest_partner)])


def _apart(found: list[tuple[float, Box]]) -> list[tuple[float, Box]]:
    """Return the surest of those that overlap, the surest first."""
    kept: list[tuple[float, Box]] = []
    for score, box in sorted(found, reverse=True):
        if not any(overlap(box, other) for _, other in kept):
            kept.append((score, box))
    return kept


def _fits(
    grey: NDArray[np.uint8], mean: NDArray[np.uint8], padded: NDArray[np.int16], slanting: bool
) -> list[tuple[float, Box]]:
    """Return score and box of every point that may be the centre of a cross."""
    rows, columns = _points(grey, mean, slanting)
    first = _gap(padded, rows, columns, _cross(3, 1 if slanting else 3, slanting))[0] > 0  # every larger one's is less
    rows, columns = rows[first], columns[first]
    score, reach = np.zeros(len(rows)), np.zeros(len(rows), int)
    for cross in _CROSSES[slanting] if len(rows) else []:
        new = _score(padded, rows, columns, cross)
        # Of two that fit alike the longer one is meant: its beginning is a cross too.
        better = new > score - 0.02 * (cross.reach > reach)
        score, reach = np.where(better, new, score), np.where(better, cross.reach, reach)
    corners = np.column_stack([rows - reach, columns - reach, 2 * reach + 1]).tolist()
    fits = [
        (value, (row, column, side, side)) for value, (row, column, side) in zip(score.tolist(), corners, strict=True)
    ]
    return [(value, box) for value, box in fits if value >= _LEAST_SCORE and _whole(box, grey.shape)]


def _points(grey: NDArray[np.uint8], mean: NDArray[np.uint8], slanting: bool) -> _Offsets:
    """Return where four points around are all brighter than the surroundings' mean: a cheap necessary condition."""
    around = np.zeros((5, 5), np.uint8)
    around[([0, 0, 4, 4], [0, 4, 0, 4]) if slanting else ([0, 4, 2, 2], [2, 2, 0, 4])] = 1
    above = cv2.subtract(cv2.erode(grey, around), mean)
    crest = (above >= _LEAST_ABOVE_MEAN) & (above == cv2.dilate(above, np.ones((3, 3), np.uint8)))
    rows, columns = np.nonzero(crest)
    best = np.argsort(-above[rows, columns].astype(int), kind="stable")[:_MOST_POINTS]
    return rows[best], columns[best]


def _seen(padded: NDArray[np.int16], rows: NDArray[np.intp], columns: NDArray[np.intp], places: list[_Offsets]) -> Any:
    """Return the pixels at some places around each point, (points, 4, places)."""
    rows, columns = rows[:, None] + _PAD, columns[:, None] + _PAD
    return np.stack([padded[rows + down, columns + right] for down, right in places], axis=1)


def _gap(padded: NDArray[np.int16], rows: NDArray[np.intp], columns: NDArray[np.intp], cross: _Cross) -> Any:
    """Return how far the darkest pixel of the arms is above the three darker fields, and the level and contrast."""
    arms, fields = _seen(padded, rows, columns, cross.arms), _seen(padded, rows, columns, cross.fields)
    level = arms.mean(axis=(1, 2))
    contrast = level - np.sort(fields.mean(axis=2), axis=1)[:, :3].mean(axis=1)
    return arms.min(axis=(1, 2)) - np.sort(fields.max(axis=2), axis=1)[:, 2], level, np.maximum(contrast, 1)


def _score(padded: NDArray[np.int16], rows: NDArray[np.intp], columns: NDArray[np.intp], cross: _Cross) -> Numbers:
    gap, level, contrast = _gap(padded, rows, columns, cross)
    # The arms end: beyond two of them at least it is darker again.
    ends = np.sort(_seen(padded, rows, columns, cross.ends).min(axis=2), axis=1)[:, 1]
    clean = np.clip(gap / contrast / 0.3, 0, 1) * np.clip((level - ends) / contrast / 0.5, 0, 1)
    return np.asarray((1 - np.exp(-np.maximum(gap, 0) / _SURE_GAP)) * clean)


def _cross(reach: int, width: int, slanting: bool) -> _Cross:
    """Return the places of a cross; its middle, where some devices leave a gap, is not looked at."""
    along, beyond = np.arange(2, reach + 1), np.arange(reach + 2, reach + 4)
    straight, diagonal = [(0, 1), (0, -1), (1, 0), (-1, 0)], [(1, 1), (1, -1), (-1, 1), (-1, -1)]
    if slanting:
        return _Cross(reach, _rays(diagonal, along), _rays(straight, np.arange(3, reach + 2)), _rays(diagonal, beyond))
    side = np.arange(width // 2 + 2, reach + 2)
    down, right = np.repeat(side, len(side)), np.tile(side, len(side))
    fields = [(a * down, b * right) for a, b in diagonal]
    return _Cross(reach, _rays(straight, along), fields, _rays(straight, beyond))


def _rays(directions: list[tuple[int, int]], steps: NDArray[np.intp]) -> list[_Offsets]:
    return [(down * steps, right * steps) for down, right in directions]


def _whole(box: Box, shape: tuple[int, ...]) -> bool:
    return box[0] > 0 and box[1] > 0 and box[0] + box[2] < shape[0] and box[1] + box[3] < shape[1]


def overlap(one: Box, other: Box) -> bool:
    """Return whether two boxes, (row, column, rows, columns), share a pixel."""
    rows = one[0] < other[0] + other[2] and other[0] < one[0] + one[2]
    return rows and one[1] < other[1] + other[3] and other[1] < one[1] + one[3]


_CROSSES = {
    False: [_cross(reach, width, False) for reach in _UPRIGHT for width in (1, 3) if width == 1 or reach >= _WIDE_FROM],
    True: [_cross(reach, 1, True) for reach in _SLANTING],
}
