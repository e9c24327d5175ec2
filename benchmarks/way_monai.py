"""MONAI's straight bundle style: dictionary transforms in a CacheDataset, its trainer, evaluator and MeanDice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from common import Clock, PartFiles
from ignite.engine import Events
from monai import transforms as mt
from monai.data import CacheDataset, DataLoader
from monai.engines import SupervisedEvaluator, SupervisedTrainer
from monai.handlers import MeanDice, ValidationHandler, from_engine
from monai.inferers import SimpleInferer
from monai.losses import DiceCELoss

KEYS = ("image", "label")


def fixed_transforms() -> list[Any]:
    """Return what the cache holds the result of."""
    return [
        mt.LoadImaged(KEYS),
        mt.EnsureChannelFirstd(KEYS),
        mt.ScaleIntensityd(KEYS),
        mt.Resized(KEYS, (256, 256), mode=("area", "nearest")),
    ]


def random_transforms() -> list[Any]:
    """Return the augmentation, with the ranges of the brain bundle."""
    modes = ("bilinear", "nearest")
    return [
        mt.RandFlipd(KEYS, prob=0.5, spatial_axis=0),  # MONAI's PNG axes are (columns, rows)
        mt.RandRotated(KEYS, range_x=15 * 3.1416 / 180, prob=0.9, mode=modes, padding_mode="reflection"),
        mt.RandZoomd(KEYS, min_zoom=0.9, max_zoom=1.1, prob=0.9, mode=modes),
        mt.RandAdjustContrastd("image", gamma=(0.8, 1.25), prob=0.8),
    ]


def cached(files: list[tuple[str, str]], transform: list[Any]) -> CacheDataset:
    items = [{"image": image, "label": mask} for image, mask in files]
    return CacheDataset(items, mt.Compose(transform), cache_rate=1.0, num_workers=1, progress=False)


def train(data: Path, scratch: Path, epochs: int, files: PartFiles) -> dict[str, Any]:
    """Train on ``data`` and return one look at the clock per epoch (training and validation)."""
    network = torch.nn.Conv2d(1, 1, 1)
    loss = DiceCELoss(sigmoid=True, batch=True)
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-4)
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=DataLoader(cached(files.validation, fixed_transforms()), batch_size=8),
        network=network,
        inferer=SimpleInferer(),
        postprocessing=mt.Compose([mt.Activationsd("pred", sigmoid=True), mt.AsDiscreted("pred", threshold=0.5)]),
        key_val_metric={"val_mean_dice": MeanDice(output_transform=from_engine(["pred", "label"]))},
    )
    dataset = cached(files.training, [*fixed_transforms(), *random_transforms()])
    trainer = SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=epochs,
        train_data_loader=DataLoader(dataset, batch_size=8, shuffle=True, drop_last=True),
        network=network,
        optimizer=optimizer,
        loss_function=loss,
        inferer=SimpleInferer(),
        train_handlers=[ValidationHandler(validator=evaluator, interval=1, epoch_level=True)],
    )
    looks: list[dict[str, float]] = []
    clock = Clock()
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda engine: looks.append(clock.look()))
    trainer.run()
    return {"looks": looks, "network": (network, loss, optimizer)}
