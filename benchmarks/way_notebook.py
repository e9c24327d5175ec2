"""The plain notebook loop: files read and augmented anew with OpenCV in every epoch, a hand-written torch loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from common import Clock, PartFiles
from torch.utils.data import DataLoader, Dataset


class Images(Dataset):
    """Grey image and mask, 256x256, augmented when ``random`` is given; changes as in the brain bundle."""

    def __init__(self, files: list[tuple[str, str]], random: np.random.Generator | None = None) -> None:
        self.files, self.random = files, random

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        image_file, mask_file = self.files[index]
        image = cv2.resize(cv2.imread(image_file, cv2.IMREAD_GRAYSCALE), (256, 256), interpolation=cv2.INTER_AREA)
        mask = cv2.resize(cv2.imread(mask_file, cv2.IMREAD_GRAYSCALE), (256, 256), interpolation=cv2.INTER_NEAREST)
        if self.random is not None:
            image, mask = augment(image, mask, self.random)
        pixels = (image.astype(np.float32) / 255.0 - 0.5) / 0.5
        return torch.from_numpy(pixels)[None], torch.from_numpy((mask > 127).astype(np.float32))[None]


def augment(image: np.ndarray, mask: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Flip, rotate with zoom and shift, change contrast and brightness: one call after the other."""
    if random.random() < 0.5:
        image, mask = cv2.flip(image, 1), cv2.flip(mask, 1)
    if random.random() < 0.9:
        matrix = cv2.getRotationMatrix2D((127.5, 127.5), random.uniform(-15, 15), random.uniform(0.9, 1.1))
        matrix[:, 2] += random.uniform(-0.06, 0.06, 2) * 256
        image = cv2.warpAffine(image, matrix, (256, 256), borderMode=cv2.BORDER_REFLECT_101)
        mask = cv2.warpAffine(mask, matrix, (256, 256), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101)
    if random.random() < 0.8:
        contrast, brightness = random.uniform(0.85, 1.15), random.uniform(-25, 25)
        image = cv2.convertScaleAbs(image, alpha=contrast, beta=127.5 * (1 - contrast) + brightness)
    return image, mask


def loss_function(logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Return Dice of the whole batch plus binary cross entropy."""
    chance = torch.sigmoid(logits)
    dice = (2 * (chance * label).sum() + 1e-5) / (chance.sum() + label.sum() + 1e-5)
    return 1 - dice + torch.nn.functional.binary_cross_entropy_with_logits(logits, label)


def train(data: Path, scratch: Path, epochs: int, files: PartFiles) -> dict[str, Any]:
    """Train on ``data`` and return one look at the clock per epoch (training and validation)."""
    loader = DataLoader(Images(files.training, np.random.default_rng(0)), batch_size=8, shuffle=True, drop_last=True)
    validation = DataLoader(Images(files.validation), batch_size=8)
    network = torch.nn.Conv2d(1, 1, 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-4)
    looks, clock = [], Clock()
    for _ in range(epochs):
        network.train()
        total = 0.0
        for image, label in loader:
            optimizer.zero_grad()
            loss = loss_function(network(image), label)
            loss.backward()
            optimizer.step()
            total += loss.item()
        validation_dice(network, validation)
        looks.append(clock.look())
    return {"looks": looks, "network": (network, loss_function, optimizer)}


@torch.no_grad()
def validation_dice(network: torch.nn.Module, loader: DataLoader) -> float:
    """Return the mean Dice per case."""
    network.eval()
    figures: list[float] = []
    for image, label in loader:
        predicted = (torch.sigmoid(network(image)) > 0.5).float()
        both = (predicted * label).sum((1, 2, 3))
        figures += (2 * both / (predicted.sum((1, 2, 3)) + label.sum((1, 2, 3)) + 1e-8)).tolist()
    return float(np.mean(figures))
