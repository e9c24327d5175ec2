"""Captions burned into a grey picture, by the vertical strokes of their letters.

Tissue is bright in horizontal dashes, because an ultrasound beam is wide and its pulse is short; letters have upright
strokes that are thin, sharp on both sides, of one level, and stand in a row.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

Box = tuple[int, int, int, int]
Numbers = NDArray[np.float64]

WIDEST = 8
"""Pixels: a stroke is at most this wide (letters of two to three pixels, blurred by an export at another size)."""

_SHORTEST, _TALLEST = 5, 32  # rows of a stroke
_NOISE_QUANTILE = 0.98  # a caption itself is up to one pixel in fifty
_LEAST_NOISE, _MOST_NOISE = 6.0, 30.0  # grey levels
_STROKES = 3  # two upright lines are no text
_MOST_STROKES = 400  # the pairs of these are looked at


@dataclass(frozen=True, slots=True)
class _Strokes:
    """What is known of each stroke, and how bright the strokes are that speckle makes in this picture."""

    top: Numbers
    left: Numbers
    bottom: Numbers
    right: Numbers
    level: Numbers
    contrast: Numbers
    noise: float


def find_captions(grey: NDArray[np.uint8]) -> list[tuple[float, Box]]:
    """Find rows of letters, bright on darker ground.

    Args:
        grey: (rows, columns).

    Returns:
        Score in 0..1 and (row, column, rows, columns) of each row of letters; words that are far apart stand on their own,
        and a box may leave out round letters, which have no upright stroke.
    """
    strokes = _strokes(grey)
    if strokes is None:
        return []
    rows = _rows_of(strokes)
    found = [_suspect(strokes, rows == row) for row in np.flatnonzero(np.bincount(rows) >= _STROKES)]
    return [(score, _inside(box, grey.shape)) for score, box in found]


def _strokes(grey: NDArray[np.uint8]) -> _Strokes | None:
    narrow = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, np.ones((1, WIDEST + 1), np.uint8))
    upright = cv2.morphologyEx(narrow, cv2.MORPH_OPEN, np.ones((_SHORTEST, 1), np.uint8))
    noise = _noise(upright, grey)
    crest = upright >= 0.6 * cv2.dilate(upright, np.ones((1, 5), np.uint8))
    drawn = ((upright >= 2 * noise) & crest).astype(np.uint8)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(drawn, connectivity=8)
    fits = (boxes[:, 3] <= _TALLEST) & (boxes[:, 2] <= WIDEST + 1)
    fits[0] = False  # the background
    if fits.sum() < _STROKES:
        return None
    where = np.nonzero(drawn)
    label, weight = labels[where], upright[where].astype(float)
    level = np.bincount(label, weight * grey[where]) / np.maximum(np.bincount(label, weight), 1)
    contrast = np.zeros(len(boxes))
    np.maximum.at(contrast, label, weight)
    keep = np.flatnonzero(fits)
    keep = keep[np.argsort(-contrast[keep], kind="stable")[:_MOST_STROKES]]
    left, top, wide, high = boxes[keep, :4].T.astype(float)
    return _Strokes(top, left, top + high, left + wide, level[keep], contrast[keep], noise)


def _noise(upright: NDArray[np.uint8], grey: NDArray[np.uint8]) -> float:
    """Return what nearly all of the picture stays below; a black margin is no part of it, much text must not raise it."""
    sample = upright[::2, ::2][grey[::2, ::2] > 0]
    noise = float(np.quantile(sample, _NOISE_QUANTILE)) if sample.size else 0.0
    return min(max(noise, _LEAST_NOISE), _MOST_NOISE)


def _rows_of(strokes: _Strokes) -> NDArray[np.intp]:
    """Give each stroke the number of its row: neighbours side by side, alike in height and level."""
    high = strokes.bottom - strokes.top
    shorter, taller = np.minimum.outer(high, high), np.maximum.outer(high, high)
    shared = np.minimum.outer(strokes.bottom, strokes.bottom) - np.maximum.outer(strokes.top, strokes.top)
    gap = np.maximum.outer(strokes.left, strokes.left) - np.minimum.outer(strokes.right, strokes.right)
    alike = np.abs(np.subtract.outer(strokes.level, strokes.level)) <= 25
    beside = (shared >= 0.6 * shorter) & (shorter >= 0.35 * taller) & (gap <= 1.6 * taller) & alike
    numbers: NDArray[np.intp] = connected_components(beside, directed=False)[1]
    return numbers


def _suspect(strokes: _Strokes, row: NDArray[np.bool_]) -> tuple[float, Box]:
    top, bottom = int(strokes.top[row].min()), int(strokes.bottom[row].max())
    left, right = int(strokes.left[row].min()), int(strokes.right[row].max())
    straight = float((strokes.bottom - strokes.top)[row].max()) / (bottom - top)
    clearness = float(np.median(strokes.contrast[row]) / (strokes.noise + strokes.level[row].std() / 4))
    # Three strokes have to stand out far, eight only a little: chance rarely sets so many in a row.
    score = 1 - np.exp(-(int(row.sum()) - _STROKES + 1) * straight * max(clearness - 2, 0) / 4)
    side = (bottom - top) // 2  # round letters at either end have no upright stroke
    return float(score), (top - 1, left - side, bottom - top + 2, right - left + 2 * side)


def _inside(box: Box, shape: tuple[int, ...]) -> Box:
    row, column = max(box[0], 0), max(box[1], 0)
    end, right = min(box[0] + box[2], shape[0]), min(box[1] + box[3], shape[1])
    return row, column, end - row, right - column
