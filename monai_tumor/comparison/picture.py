"""The same cases under every method, from the worst to the best."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.comparison.figures import Folds
from monai_tumor.datasets import open_dataset
from monai_tumor.imaging.pictures import ComparedCase, methods_picture
from monai_tumor.imaging.read import read_mask

_ROWS = 6


def picture_of(methods: Mapping[str, Folds], dataset: str, dataset_dir: str | None) -> NDArray[np.uint8] | None:
    """Draw cases with outlines of the reference and of what each method predicts, its Dice as caption.

    Args:
        methods: Name of each method to its tested folds.
        dataset: Name of the data set.
        dataset_dir: Its folder, or None.

    Returns:
        (height, width, 3) uint8 RGB, or None where no lesion case was tested under all methods.
    """
    chosen = evenly_chosen(mean_dice(methods))
    if not chosen:
        return None
    data = open_dataset(dataset)
    by_id = {case.id: case for case in data.cases(dataset_dir)}
    cases = []
    for name in chosen:
        image, reference = data.load(by_id[name])
        cases.append(ComparedCase(image, reference, name, [_prediction(*one, name) for one in methods.items()]))
    return methods_picture(cases)


def mean_dice(methods: Mapping[str, Folds]) -> dict[str, float]:
    """Return the mean Dice over methods of every lesion case that was tested under all of them."""
    found: dict[str, list[float]] = {}
    for folds in methods.values():
        for fold in folds.values():
            for name, case in fold.cases.items():
                found.setdefault(name, []).append(case.values["dice"])
    means = {name: fmean(values) for name, values in found.items() if len(values) == len(methods)}
    return {name: mean for name, mean in means.items() if not math.isnan(mean)}


def evenly_chosen(figures: Mapping[str, float], count: int = _ROWS) -> list[str]:
    """Return names spread evenly from the smallest to the largest figure, so that nobody picks the pretty ones."""
    ranked: Sequence[str] = sorted(figures, key=lambda name: (figures[name], name))
    places = np.linspace(0, len(ranked) - 1, min(count, len(ranked))).round().astype(int)
    return [ranked[place] for place in places]


def _prediction(method: str, folds: Folds, case: str) -> tuple[str, Any]:
    fold = next(fold for fold in folds.values() if case in fold.cases)
    return f"{method}  {fold.cases[case].values['dice']:.3f}", read_mask(fold.mask(case))
