"""The cases that changed most between two runs, as one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.cases import Case
from monai_tumor.comparison.evaluations import EvaluatedRun
from monai_tumor.datasets import RegisteredDataset, load_case, open_dataset
from monai_tumor.errors import ToolkitError, WrongCallError, WrongDataError
from monai_tumor.imaging.pictures import ComparedCase, methods_picture
from monai_tumor.imaging.read import read_mask

_ROWS = 6


def data_to_draw(name: str, dataset_dir: str | None) -> RegisteredDataset | None:
    """Return the data set that the images come from; None where it lies in a folder that was not given.

    Raises:
        WrongCallError: A folder was given for a data set that reads none, or for one that nobody registers.
    """
    if dataset_dir is not None:
        dataset = open_dataset(name)
        if not dataset.layout:
            raise WrongCallError(f"data set {name!r} reads no folder; leave --dataset-dir out")
        return dataset
    try:
        dataset = open_dataset(name)
    except ToolkitError:  # a plug-in that is missing here is no reason to withhold the figures
        return None
    return None if dataset.layout else dataset


def changed_picture(
    pair: tuple[EvaluatedRun, EvaluatedRun],
    changed: Sequence[Mapping[str, Any]],
    dataset: RegisteredDataset,
    dataset_dir: str | None,
) -> NDArray[np.uint8]:
    """Draw the first cases of ``changed``: image with reference, then what either run outlines, its Dice as caption.

    Args:
        pair: The two evaluations.
        changed: ``changed`` of what ``compare_evaluated`` returns, at least one.
        dataset: The data set that both were evaluated on.
        dataset_dir: Its folder, or None.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        WrongDataError: The folder holds other cases or other references, or a file cannot be read.
    """
    by_id = {case.id: case for case in dataset.cases(dataset_dir)}
    rows = []
    for case in changed[:_ROWS]:
        name = case["id"]
        image, reference = _checked(dataset, by_id.get(name), pair[0], name)
        captions = f"A  {case['first']:.3f}", f"B  {case['second']:.3f}"
        masks = [read_mask(run.mask(name)) for run in pair]
        rows.append(ComparedCase(image, reference, name, list(zip(captions, masks, strict=True))))
    return methods_picture(rows)


def _checked(
    dataset: RegisteredDataset, case: Case | None, run: EvaluatedRun, name: str
) -> tuple[NDArray[Any], NDArray[Any]]:
    if case is None:
        raise WrongDataError(
            f"the data set has no case {name!r}, which was evaluated; give the folder that was evaluated"
        )
    image, reference = load_case(dataset, case)
    counts = run.cases[name].overlap
    evaluated, found = counts.true_positive + counts.false_negative, 0 if reference is None else int(reference.sum())
    if reference is None or found != evaluated:
        raise WrongDataError(
            f"the reference of {name!r} has {found} pixels here and had {evaluated} when it was evaluated; "
            "give the folder that was evaluated"
        )
    return image, reference
