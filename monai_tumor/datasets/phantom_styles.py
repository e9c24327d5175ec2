"""What the phantom looks like: a magnetic resonance slice or an ultrasound frame around given lesions."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


def magnetic_resonance(random: np.random.Generator, shape: tuple[int, int], depth: Plane) -> NDArray[np.uint8]:
    """Synthesise a brain slice: scalp and skull rings, textured tissue, dark ventricles, bias field, Rician noise.

    Args:
        random: Source of all randomness.
        shape: (R, C) of the picture.
        depth: (R, C), positive inside a lesion; far negative where there is none.

    Returns:
        (R, C) uint8. Lesions are brighter than the tissue round them and darker than the scalp.
    """
    head = _head_depth(shape)
    texture = _smooth_noise(random, shape, 9) * 0.07 + _smooth_noise(random, shape, 2.5) * 0.05
    signal = np.where(head > 0.16, 0.42 + texture, 0.10)  # tissue inside, dark skull
    signal = np.where(head < 0.09, 0.90 + texture, signal)  # bright scalp
    inside = _soft_step(depth, 0.10)
    signal = signal - 0.28 * _ventricles(random, shape) * (1 - inside)  # a lesion displaces what was there
    contrast = random.uniform(0.27, 0.40) * (1 + 0.2 * _smooth_noise(random, shape, 4))
    signal = (signal + contrast * inside) * _bias_field(random, shape)
    signal = np.where(head > 0, signal, 0)
    noise = random.standard_normal((2, *shape), np.float32) * np.float32(0.035)
    return _to_bytes(np.hypot(signal + noise[0], noise[1]) * 190)


def ultrasound(random: np.random.Generator, shape: tuple[int, int], depth: Plane, malignant: bool) -> NDArray[np.uint8]:
    """Synthesise an ultrasound frame: layers, speckle, attenuation, shadows; lesions dark, their far side altered.

    Args:
        random: Source of all randomness.
        shape: (R, C) of the picture, the probe above the first row.
        depth: (R, C), positive inside a lesion; far negative where there is none.
        malignant: Shadow behind the lesions, else enhancement.

    Returns:
        (R, C) uint8.
    """
    signal = 0.62 + 0.16 * _layers(random, shape) + 0.08 * _smooth_noise(random, shape, 12)
    inside = _soft_step(depth, 0.12)
    behind = np.clip(cv2.blur(np.cumsum(inside, axis=0, dtype=np.float32), (9, 9)) / 20, 0, 1) * (1 - inside)
    signal = signal * (1 + (-0.30 if malignant else 0.22) * behind)
    signal = signal * (1 - random.uniform(0.55, 0.70) * inside) * _shadows(random, shape)
    rows = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None]
    signal = signal * np.exp(-random.uniform(0.2, 0.7) * rows)
    return _to_bytes(255 * np.clip(signal * _speckle(random, shape), 0, 1) ** 0.8)


def _head_depth(shape: tuple[int, int]) -> Plane:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    down = (rows - (shape[0] - 1) / 2) / (0.48 * shape[0])
    right = (columns - (shape[1] - 1) / 2) / (0.46 * shape[1])
    return np.asarray(1 - np.hypot(down, right), np.float32)


def _ventricles(random: np.random.Generator, shape: tuple[int, int]) -> Plane:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    down = (rows - shape[0] * random.uniform(0.44, 0.52)) / (shape[0] * random.uniform(0.12, 0.18))
    middle, width = shape[1] * random.uniform(0.48, 0.52), shape[1] * random.uniform(0.035, 0.055)
    gap = shape[1] * 0.065
    sides = [np.hypot(down, (columns - middle - side * gap) / width) for side in (-1, 1)]
    return _soft_step(np.asarray(1 - np.minimum(*sides), np.float32), 0.3)


def _layers(random: np.random.Generator, shape: tuple[int, int]) -> Plane:
    """Return tissue layers, about -1..1, that run across the picture and wave a little."""
    knots = random.uniform(-1, 1, (9, 3)).astype(np.float32)
    return np.asarray(cv2.resize(knots, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def _shadows(random: np.random.Generator, shape: tuple[int, int]) -> Plane:
    shadow = np.ones((1, shape[1]), np.float32)
    for _ in range(int(random.integers(0, 4))):
        centre, width = random.uniform(0, shape[1]), random.uniform(3, 12)
        distance = (np.arange(shape[1]) - centre) / width
        shadow[0] *= 1 - random.uniform(0.2, 0.5) * np.exp(-(distance**2))
    start = random.uniform(0.0, 0.3) * shape[0]
    fade = np.clip((np.arange(shape[0]) - start) / 25, 0, 1)[:, None]
    return np.asarray(1 - (1 - shadow) * fade, np.float32)


def _speckle(random: np.random.Generator, shape: tuple[int, int]) -> Plane:
    """Return fully developed speckle of mean 1: the magnitude of blurred complex noise, log-compressed by its root."""
    noise = random.standard_normal((*shape, 2), np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), sigmaX=1.6, sigmaY=0.9)
    magnitude = np.sqrt(np.hypot(blurred[..., 0], blurred[..., 1]))
    return np.asarray(magnitude / magnitude.mean(), np.float32)


def _bias_field(random: np.random.Generator, shape: tuple[int, int]) -> Plane:
    knots = random.uniform(0.72, 1.28, (3, 3)).astype(np.float32)
    return np.asarray(cv2.resize(knots, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def _smooth_noise(random: np.random.Generator, shape: tuple[int, int], sigma: float) -> Plane:
    """Return noise of unit spread and about ``sigma`` pixels grain; made small and enlarged, which is fast."""
    small = (int(shape[0] / sigma) + 4, int(shape[1] / sigma) + 4)
    noise = random.standard_normal(small, np.float32)
    return np.asarray(cv2.resize(noise, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def _soft_step(depth: Plane, width: float) -> Plane:
    return np.asarray(np.clip(0.5 + depth / width, 0, 1), np.float32)


def _to_bytes(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
