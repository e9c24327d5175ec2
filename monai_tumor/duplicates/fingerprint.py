"""What is kept of a picture to recognise it again: a digest of its pixels, a perceptual hash, and landmarks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

LANDMARKS = 200
LONGEST_SIDE = 1024
"""Larger pictures are reduced to this many pixels before anything else."""

_HASH_SIDE = 16
HASH_BITS = _HASH_SIDE * _HASH_SIDE
_LEAST_CONTRAST = 1.0


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is kept of one picture.

    Attributes:
        digest: 32 hexadecimal digits that only pictures of equal grey or colour pixels share, however they are stored.
        hash: (4,) uint64, the 256 bits of ``difference_hash``.
        descriptors: (k, 32) uint8, ORB descriptors of at most ``LANDMARKS`` landmarks.
        blank: Whether there is nothing to recognise: all pixels are (nearly) equal.
    """

    digest: str
    hash: NDArray[np.uint64]
    descriptors: NDArray[np.uint8]
    blank: bool


def fingerprint(image: NDArray[Any]) -> Fingerprint:
    """Return the fingerprint of a picture.

    Args:
        image: (rows, columns) or (rows, columns, 3), uint8 or uint16.
    """
    grey = reduced(as_grey(image))
    blank = float(grey.std()) < _LEAST_CONTRAST
    return Fingerprint(pixel_digest(image), difference_hash(grey), find_landmarks(grey, LANDMARKS)[1], blank)


def pixel_digest(image: NDArray[Any]) -> str:
    """Return a digest of the pixels; a picture in grey and the same one in three equal channels have the same one."""
    digest = hashlib.blake2b(digest_size=16)
    if (
        image.ndim == 3
        and np.array_equal(image[..., 0], image[..., 1])
        and np.array_equal(image[..., 0], image[..., 2])
    ):
        image = image[..., 0]
    digest.update(f"{image.dtype}{image.shape}".encode())
    digest.update(np.ascontiguousarray(image).tobytes())
    return digest.hexdigest()


def as_grey(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return (rows, columns) uint8: colours by luminance, 16 bits by their own range."""
    if image.dtype == np.uint16:
        low, high = int(image.min()), int(image.max())
        image = ((image.astype(np.float32) - low) * (255.0 / max(high - low, 1))).astype(np.uint8)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image, np.uint8)


def reduced(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture, made smaller if a side is longer than ``LONGEST_SIDE`` pixels."""
    factor = LONGEST_SIDE / max(grey.shape)
    if factor >= 1:
        return grey
    rows, columns = (max(1, round(side * factor)) for side in grey.shape)
    return np.asarray(cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)


def difference_hash(grey: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return 256 bits: whether each of 16 x 16 cells is darker than its right neighbour.

    Known as dHash (Krawetz, "Kind of like that", 2013).

    Returns:
        (4,) uint64.
    """
    cells = cv2.resize(grey, (_HASH_SIDE + 1, _HASH_SIDE), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.packbits(cells[:, 1:] > cells[:, :-1]).view(np.uint64)


def hash_distance(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the number of differing bits along the last axis, which has four words."""
    return np.asarray(np.bitwise_count(first ^ second).sum(axis=-1), np.int64)


def find_landmarks(grey: NDArray[np.uint8], count: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Find corners that survive cropping, scaling and other marks (ORB; Rublee et al., ICCV 2011).

    Returns:
        Positions (k, 2) float32 as x, y in pixels, and descriptors (k, 32) uint8, with k at most ``count``.
    """
    orb = cv2.ORB.create(nfeatures=count)
    # ORB looks at smaller copies as well, and fails where a side of one pixel cannot become smaller.
    points, descriptors = orb.detectAndCompute(grey, None) if min(grey.shape) > 1 else ((), None)
    if descriptors is None:
        return np.zeros((0, 2), np.float32), np.zeros((0, 32), np.uint8)
    return np.array([point.pt for point in points], np.float32), np.asarray(descriptors, np.uint8)
