"""What was burned into a picture after it was taken: captions, callipers, colour. Suspects with a score, for eyes to judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongCallError
from monai_tumor.imaging.callipers import find_callipers, overlap
from monai_tumor.imaging.captions import find_captions
from monai_tumor.imaging.prepare import robust_range, scale_to_bytes

Kind = Literal["text", "calliper", "colour"]
Box = tuple[int, int, int, int]

LEAST_SCORE = 0.5
"""Suspects below this are not returned."""

_COLOURED = 12  # levels between the channels of a pixel; JPEG leaves up to nine in a grey picture
_ALL_OVER = 0.3  # of what is not dark: no grey picture with marks on it
_NEAR = 9  # pixels
_DARK = 16  # a level below which a pixel shows no colour
_LONG = 2.5  # columns to rows: a row of letters, not the number of a calliper
_SURE_COLOUR = 2000.0  # sum of the levels between the channels: 50 pixels of a faint yellow


@dataclass(frozen=True, slots=True)
class BurnedInMark:
    """A suspect.

    Attributes:
        kind: ``text`` is a row of letters or digits, ``calliper`` one cross, ``colour`` a coloured patch or line.
        score: How sure, 0..1: comparable within a kind only.
        box: (row, column, rows, columns) around it, in pixels.
    """

    kind: Kind
    score: float
    box: Box


def find_marks(image: NDArray[Any]) -> list[BurnedInMark]:
    """Find captions, callipers and colour that were drawn over a picture; takes a few milliseconds.

    Found are bright letters upright on darker ground (three upright strokes at least), crosses + and x of 7 to 17 pixels,
    and colour on a grey picture. Not found are dark or rotated letters, dotted lines without crosses, and pictures
    that are coloured all over.

    Args:
        image: (rows, columns) or (rows, columns, 3), uint8 or uint16; of uint16 the 0.5..99.5 percentile range is looked at.

    Returns:
        The suspects with a score of ``LEAST_SCORE`` or more, the surest first.

    Raises:
        WrongCallError: The array is no such picture.
    """
    pixels = as_bytes(image)
    grey = brightest(pixels)
    captions = _sure(find_captions(grey))
    rows = [box for _, box in captions if box[3] >= _LONG * box[2]]
    crosses = [(score, box) for score, box in _sure(find_callipers(grey)) if not any(overlap(box, row) for row in rows)]
    coloured = _sure(_find_colour(pixels)) if pixels.ndim == 3 else []
    found: list[tuple[Kind, list[tuple[float, Box]]]] = [
        ("text", captions),
        ("calliper", crosses),
        ("colour", coloured),
    ]
    marks = [BurnedInMark(kind, round(score, 3), box) for kind, suspects in found for score, box in suspects]
    return sorted(marks, key=lambda mark: -mark.score)


def as_bytes(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a picture as uint8; of uint16 the 0.5..99.5 percentile range becomes 0..255.

    Raises:
        WrongCallError: The array is not (rows, columns) or (rows, columns, 3) of uint8 or uint16.
    """
    shape = getattr(image, "shape", None)
    grey_or_colour = shape is not None and (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)) and 0 not in shape
    if not grey_or_colour or image.dtype not in (np.uint8, np.uint16):
        found = f"{getattr(image, 'dtype', type(image).__name__)} {shape}"
        raise WrongCallError(f"a picture is {found}, expected (R, C) or (R, C, 3) of uint8 or uint16; use read_image")
    return image if image.dtype == np.uint8 else scale_to_bytes(image, *robust_range(image))


def brightest(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the brightest channel of each pixel, (rows, columns): what is yellow or cyan stays as bright as white."""
    if pixels.ndim == 2:
        return pixels
    red, green, blue = cv2.split(pixels)  # ten times faster than numpy's maximum along the last axis
    return np.asarray(cv2.max(cv2.max(red, green), blue))


def _sure(suspects: list[tuple[float, Box]]) -> list[tuple[float, Box]]:
    return [(score, box) for score, box in suspects if score >= LEAST_SCORE]


def _find_colour(pixels: NDArray[np.uint8]) -> list[tuple[float, Box]]:
    """Find coloured patches and lines; a picture that is coloured all over is not grey with marks on it."""
    highest = brightest(pixels)
    spread = cv2.subtract(highest, cv2.bitwise_not(brightest(cv2.bitwise_not(pixels))))
    coloured = (spread >= _COLOURED).astype(np.uint8)
    if np.count_nonzero(coloured) > _ALL_OVER * np.count_nonzero(highest >= _DARK):
        return []
    near = cv2.dilate(coloured, np.ones((_NEAR, _NEAR), np.uint8))  # the dots of a line, the letters of a word
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    where = np.nonzero(coloured)
    amount = np.bincount(labels[where], spread[where], count)
    return [
        (float(1 - np.exp(-amount[label] / _SURE_COLOUR)), _shrunk(boxes[label], spread.shape))
        for label in range(1, count)
    ]


def _shrunk(box: NDArray[np.int32], shape: tuple[int, ...]) -> Box:
    """Undo what the dilation added; at the picture's edge it added less."""
    left, top, right, bottom = (int(side) for side in (box[0], box[1], box[0] + box[2], box[1] + box[3]))
    left, top = (side + _NEAR // 2 if side else side for side in (left, top))
    bottom = bottom - _NEAR // 2 if bottom < shape[0] else bottom
    right = right - _NEAR // 2 if right < shape[1] else right
    return top, left, bottom - top, right - left
