"""Proof that two pictures show the same frame: aligned by landmarks, their fine texture agrees nearly everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from monai_tumor.duplicates.fingerprint import as_grey, difference_hash, find_landmarks, hash_distance, reduced

Matrix = NDArray[np.float64]

LEAST_AGREEMENT = 0.8
"""On breast and thyroid ultrasound pairs of one frame reach 0.95 and more, strangers 0.2. Neighbouring slices of MRI may pass,
where they are thin; to keep them together does no harm."""

CERTAIN_AGREEMENT = 0.95
"""From here on two pictures are one frame for sure, so that two diagnoses of it contradict each other."""

_LANDMARKS = 500
_LEAST_MATCHES = 12
_RATIO = 0.8  # Lowe, IJCV 2004
_REPROJECTION_PX = 3.0
_LARGEST_SCALE = 4.0
_LARGEST_SHEAR = 0.1
_ALIKE_BITS = 32
_TILE = 24  # pixels; a quarter of a side of small pictures
_SMALLEST_TILE = 8
_LEAST_TILES = 6
_LEAST_TEXTURE = 2.0
_EVEN = 4  # grey levels; the noise of a frame grabber
_FINE, _COARSE = 1.2, 5.0  # pixels
_NEARLY_EQUAL = 0.9


@dataclass(frozen=True, slots=True)
class SameFrame:
    """How one picture lies on another.

    Attributes:
        matrix: (2, 3) float64, from x, y of the first picture to x, y of the second, in pixels.
        agreement: Median correlation of the fine texture over tiles of 24 x 24 pixels (less in small pictures) that are not
            text or lines on even ground in both, up to 1.
        overlap: Share of the smaller picture (as it lies on the other) that both show, 0..1.
    """

    matrix: Matrix
    agreement: float
    overlap: float

    @property
    def scale(self) -> float:
        """How many pixels of the second picture one pixel of the first is wide (square root of how many it covers)."""
        return _scale(self.matrix)


@dataclass(frozen=True, slots=True)
class View:
    """A picture prepared for comparison; see ``view``."""

    grey: NDArray[np.uint8]
    texture: NDArray[np.float32]
    factor: float
    points: NDArray[np.float32]
    descriptors: NDArray[np.uint8]


def view(image: NDArray[Any]) -> View:
    """Prepare a picture, (rows, columns) or (rows, columns, 3) of uint8 or uint16, for any number of comparisons."""
    grey = as_grey(image)
    small = reduced(grey)
    points, descriptors = find_landmarks(small, _LANDMARKS)
    return View(small, _fine_texture(small), small.shape[1] / grey.shape[1], points, descriptors)


def same_frame(first: View, second: View) -> SameFrame | None:
    """Say how the first picture lies on the second if both show the same frame, else None.

    Captions, callipers, another crop, other grey levels, another scale and a rotation are allowed; frames of the same scene
    a moment later, neighbouring slices and pictures that share nothing but captions or a screen layout are not the same frame.
    """
    for matrix in _alignments(first, second):
        agreement, overlap = _agreement(first, second, matrix)
        if agreement >= LEAST_AGREEMENT:
            return SameFrame(_unreduced(matrix, first.factor, second.factor), agreement, overlap)
    return None


def carry_over(mask: NDArray[np.bool_], found: SameFrame, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Bring a mask (rows, columns) of the first picture to the ``shape`` of the second."""
    return _warp(mask.astype(np.uint8), found.matrix, shape, cv2.INTER_NEAREST) > 0


def _alignments(first: View, second: View) -> Iterator[Matrix]:
    """Yield how the first picture may lie on the second, the likeliest first.

    The landmarks of either are looked up in the other, for which of them match depends on whose neighbours are looked for.
    """
    there = _by_landmarks(first, second)
    if there is not None:
        yield there
    back = _by_landmarks(second, first)
    if back is not None:
        yield cv2.invertAffineTransform(back)
    whole = _by_size(first, second)
    if whole is not None:
        yield whole


def _by_landmarks(first: View, second: View) -> Matrix | None:
    """Estimate shift, scale along both axes and rotation from landmarks that look alike; None if they do not fit.

    The scales may differ, because many copies were squeezed into squares.
    """
    if min(len(first.descriptors), len(second.descriptors)) < _LEAST_MATCHES:
        return None
    nearest = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(first.descriptors, second.descriptors, k=2)
    sure = [two[0] for two in nearest if len(two) == 2 and two[0].distance < _RATIO * two[1].distance]
    if len(sure) < _LEAST_MATCHES:
        return None
    source = first.points[[match.queryIdx for match in sure]]
    target = second.points[[match.trainIdx for match in sure]]
    matrix, fitting = cv2.estimateAffine2D(source, target, ransacReprojThreshold=_REPROJECTION_PX)
    return matrix if matrix is not None and fitting.sum() >= _LEAST_MATCHES and _plausible(matrix) else None


def _by_size(first: View, second: View) -> Matrix | None:
    """Lay the whole of one picture on the whole of another that looks alike: for pictures with few landmarks."""
    if int(hash_distance(difference_hash(first.grey), difference_hash(second.grey))) > _ALIKE_BITS:
        return None
    across, down = (second.grey.shape[axis] / first.grey.shape[axis] for axis in (1, 0))
    return np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2]])


def _plausible(matrix: Matrix) -> bool:
    """Say whether a program that exports or turns pictures could have done this: it does not shear."""
    across, down = matrix[:, 0], matrix[:, 1]
    wide, high = float(np.hypot(*across)), float(np.hypot(*down))
    if not (1 / _LARGEST_SCALE < wide < _LARGEST_SCALE and 1 / _LARGEST_SCALE < high < _LARGEST_SCALE):
        return False
    shear = abs(float(across @ down)) / (wide * high)
    return shear <= _LARGEST_SHEAR and abs(np.log2(wide / high)) <= 1


def _scale(matrix: Matrix) -> float:
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def _agreement(first: View, second: View, matrix: Matrix) -> tuple[float, float]:
    """Return the median correlation of fine texture over tiles, and the share of the smaller picture that overlaps."""
    scale = _scale(matrix)
    if scale > 1:  # the finer picture is always brought to the coarser one: enlarging invents no texture
        first, second, matrix, scale = second, first, cv2.invertAffineTransform(matrix), 1 / scale
    shape = (second.grey.shape[0], second.grey.shape[1])
    both = _warp(np.ones_like(first.grey), matrix, shape, cv2.INTER_NEAREST)
    overlap = min(1.0, float(both.sum()) / min(second.grey.size, first.grey.size * scale * scale))
    side = max(_SMALLEST_TILE, min(_TILE, min(shape) // 4))
    ours, theirs = _tiles(_moved_texture(first, matrix, scale, shape), side), _tiles(second.texture, side)
    spread = np.stack([ours.std(axis=1), theirs.std(axis=1)])
    counted = (_tiles(both, side).min(axis=1) > 0) & (spread.max(axis=0) > _LEAST_TEXTURE)
    moved = _warp(first.grey, matrix, shape, cv2.INTER_LINEAR)
    scene = counted.copy()
    scene[counted] = ~(_drawn(_tiles(moved, side)[counted]) & _drawn(_tiles(second.grey, side)[counted]))
    counted = scene if scene.sum() >= _LEAST_TILES else counted  # the smallest pictures have no tile to spare
    if counted.sum() < _LEAST_TILES:
        return 0.0, overlap
    ours, theirs, spread = ours[counted], theirs[counted], spread[:, counted]
    together = (ours * theirs).mean(axis=1) - ours.mean(axis=1) * theirs.mean(axis=1)
    return float(np.median(together / np.maximum(spread.prod(axis=0), 1e-3))), overlap


def _drawn(tiles: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Say which tiles are text or lines on even ground, half of it of nearly one grey: strangers on one screen share those."""
    levels = np.sort(tiles, axis=1, kind="stable")  # of bytes by radix, many times faster than a median
    half = tiles.shape[1] // 2
    return np.asarray((levels[:, half:] - levels[:, :-half]).min(axis=1) <= _EVEN)


def _moved_texture(picture: View, matrix: Matrix, scale: float, shape: tuple[int, int]) -> NDArray[np.float32]:
    if scale > _NEARLY_EQUAL:
        return _warp(picture.texture, matrix, shape, cv2.INTER_LINEAR)
    return _fine_texture(_warp(cv2.GaussianBlur(picture.grey, (0, 0), 0.5 / scale), matrix, shape, cv2.INTER_LINEAR))


def _fine_texture(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), _FINE)
    return np.asarray(smooth - cv2.GaussianBlur(smooth, (0, 0), _COARSE), np.float32)


def _tiles(picture: NDArray[Any], side: int) -> NDArray[Any]:
    """Cut (rows, columns) into (tiles, side * side); what is left over at the edges is dropped."""
    down, across = picture.shape[0] // side, picture.shape[1] // side
    cut = picture[: down * side, : across * side].reshape(down, side, across, side)
    return cut.transpose(0, 2, 1, 3).reshape(down * across, side * side)


def _warp(picture: NDArray[Any], matrix: Matrix, shape: tuple[int, int], method: int) -> NDArray[Any]:
    return np.asarray(cv2.warpAffine(picture, matrix, (shape[1], shape[0]), flags=method))


def _unreduced(matrix: Matrix, first: float, second: float) -> Matrix:
    """Return the matrix for the pictures as they were before they were reduced by these factors."""
    return np.hstack([matrix[:, :2] * (first / second), matrix[:, 2:] / second])
