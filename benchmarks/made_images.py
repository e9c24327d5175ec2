"""Made-up grey images with an elliptic lesion and their masks, as PNG files of about 560x470 pixels."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def write_images(folder: Path, count: int, seed: int = 0) -> None:
    """Write ``images/NNN.png`` and ``masks/NNN.png`` (8-bit grey, mask 0/255) into ``folder``."""
    random = np.random.default_rng(seed)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for index in range(count):
        image, mask = make_case(random)
        cv2.imwrite(str(folder / "images" / f"{index:03d}.png"), image)
        cv2.imwrite(str(folder / "masks" / f"{index:03d}.png"), mask)


def make_case(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return one speckled image and its mask, both (rows, columns) uint8."""
    rows, columns = 470 + int(random.integers(-20, 21)), 560 + int(random.integers(-20, 21))
    mask = np.zeros((rows, columns), np.uint8)
    centre = (int(random.uniform(0.35, 0.65) * columns), int(random.uniform(0.35, 0.65) * rows))
    axes = (int(random.uniform(30, 90)), int(random.uniform(20, 60)))
    cv2.ellipse(mask, centre, axes, float(random.uniform(0, 180)), 0, 360, 255, -1)
    tissue = cv2.GaussianBlur(random.normal(0, 1, (rows, columns)).astype(np.float32), (0, 0), 12) * 400 + 110
    tissue = np.where(mask > 0, tissue * 0.5, tissue)
    speckle = random.rayleigh(0.8, (rows, columns)).astype(np.float32)
    return np.clip(tissue * speckle, 0, 255).astype(np.uint8), mask
