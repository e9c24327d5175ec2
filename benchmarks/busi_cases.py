"""Cases of a BUSI folder for benchmarks that train on their own: files, and Dice in the geometry of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def cases_of(folder: Path, split: Path, part: str, fold: int | None = None) -> list[Any]:
    """Return the cases of one part of a split."""
    from monai_tumor.datasets import open_dataset
    from monai_tumor.splits.split import read_split

    ids = set(read_split(split).ids(part, fold))
    return [case for case in open_dataset("busi").cases(folder) if case.id in ids]


def clusters_of(split: Path) -> dict[str, str]:
    """Return the near-duplicate cluster of every case."""
    from monai_tumor.splits.split import read_split

    return {name: entry.cluster for name, entry in read_split(split).cases.items()}


def score_cases(network: Any, settings: Any, cases: list[Any]) -> dict[str, float]:
    """Return the Dice of every case with a lesion.

    Args:
        network: In evaluation mode, made by ``monai_tumor.networks.build`` for one channel.
        settings: What images are prepared with.
        cases: Of BUSI.
    """
    import torch

    from monai_tumor.datasets import open_dataset
    from monai_tumor.imaging.prepare import prepare_image, restore_probability
    from monai_tumor.metrics.overlap import overlap
    from monai_tumor.networks.normalisation import normalisation_of

    stated, scores = normalisation_of(network), {}
    for case in cases:
        image, reference = open_dataset("busi").load(case)
        prepared = prepare_image(image, settings).transpose(2, 0, 1)
        pixels = torch.from_numpy(np.ascontiguousarray(prepared)).float()[None] / 255
        with torch.inference_mode():
            probability = torch.sigmoid(network((pixels - stated.mean[0]) / stated.std[0]))[0, 0].numpy()
        mask = restore_probability(probability, image.shape[:2], settings) >= 0.5
        scores[case.id] = overlap(mask, reference).dice
    return {name: dice for name, dice in scores.items() if dice == dice}


def mean_dice(scores: dict[str, float], clusters: dict[str, str]) -> dict[str, Any]:
    """Return the mean with its interval by cluster, as plain values."""
    from monai_tumor.metrics.summary import mean_interval

    groups = [clusters[name] for name in scores]
    return mean_interval(list(scores.values()), groups, limits=(0.0, 1.0)).plain()


def mean_difference(first: dict[str, float], second: dict[str, float], clusters: dict[str, str]) -> dict[str, Any]:
    """Return the mean of ``first`` minus ``second``, case by case, with its interval by cluster."""
    from monai_tumor.metrics.summary import mean_interval

    names = [name for name in first if name in second]
    values = [first[name] - second[name] for name in names]
    return mean_interval(values, [clusters[name] for name in names], limits=(-1.0, 1.0)).plain()
