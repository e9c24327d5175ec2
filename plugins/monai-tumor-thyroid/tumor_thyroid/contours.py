"""Contours as DDTI writes them: a JSON list of drawings, each with its points; and what they enclose."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

MAX_DRAWINGS = 100
MAX_POINTS = 10_000
"""Bounds for one image; no mark of DDTI that was looked at has more than 4 drawings or 109 points."""

_MAX_COORDINATE = 100_000
_IN_LINE_PX = 1e-6  # what is left of the distance between points and their line when numbers were written as decimals
_UNREADABLE = (ValueError, TypeError, KeyError, OverflowError, RecursionError)  # what odd JSON makes of the lines below


@dataclass(frozen=True, slots=True)
class Mark:
    """What is drawn on one image.

    Attributes:
        contours: One array (n, 2) of x (column) and y (row) in pixels for each contour, not all in one line.
        skipped: How many drawings enclose nothing: arrows, fewer than three points, or points in one line.
        problem: Why this is no reference, as the end of a sentence; empty where it is one.
    """

    contours: tuple[NDArray[np.float64], ...] = ()
    skipped: int = 0
    problem: str = ""


def read_mark(text: str) -> Mark:
    """Read the drawings on one image; text that cannot be read whole gives a mark with a ``problem``."""
    if not text.strip():
        return Mark(problem="is empty")
    try:
        drawings = json.loads(text)
    except (ValueError, RecursionError):
        return Mark(problem=f"is cut off or damaged: its {len(text)} characters are no whole JSON")
    try:
        points = [_points(drawing) for drawing in drawings]
        arrows = [str(drawing.get("regionType")).lower() == "arrow" for drawing in drawings]
    except _UNREADABLE:
        return Mark(problem="is damaged: it is no list of drawings with points x, y")
    if len(points) > MAX_DRAWINGS or sum(map(len, points)) > MAX_POINTS:
        return Mark(problem=f"is damaged: it has more than {MAX_DRAWINGS} drawings or {MAX_POINTS:,} points")
    contours = tuple(one for one, arrow in zip(points, arrows, strict=True) if not arrow and _encloses(one))
    return Mark(contours, len(points) - len(contours), "" if contours else "has no contour that encloses anything")


def joined(first: Mark, second: Mark) -> Mark:
    """Join two marks of one image; a part that is lost makes the whole no reference."""
    return Mark(first.contours + second.contours, first.skipped + second.skipped, first.problem or second.problem)


def fill(contours: Iterable[NDArray[np.float64]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels that at least one contour encloses; the pixels of the line itself belong to it.

    Args:
        contours: Arrays (n, 2) of x, y in pixels; what lies outside of the image is cut away.
        shape: Rows and columns of the image.

    Returns:
        (rows, columns) bool.
    """
    filled = np.zeros(shape, np.uint8)
    for contour in contours:
        # One at a time, for together they would be filled by the even-odd rule and a repeated contour cancel itself.
        # By Pillow, because OpenCV paints the border of the image where a contour runs outside of it.
        one = Image.new("L", shape[::-1])
        ImageDraw.Draw(one).polygon([(x, y) for x, y in np.rint(contour).astype(int).tolist()], fill=1, outline=1)
        # By the same rule a contour that crosses itself, or was drawn round twice, has holes: keep its outer border.
        borders = cv2.findContours(np.asarray(one), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
        cv2.drawContours(filled, borders, -1, (1,), cv2.FILLED)
    return filled > 0


def _encloses(points: NDArray[np.float64]) -> bool:
    """Say whether there are three points that are not in one line; a line would be filled one pixel wide."""
    return len(points) > 2 and int(np.linalg.matrix_rank(points - points.mean(axis=0), tol=_IN_LINE_PX)) == 2


def _points(drawing: Any) -> NDArray[np.float64]:
    points = np.array([(point["x"], point["y"]) for point in drawing["points"]], np.float64).reshape(-1, 2)
    if not (np.abs(points) <= _MAX_COORDINATE).all():  # also where one is not a number
        raise ValueError("coordinates are out of range")
    return points
