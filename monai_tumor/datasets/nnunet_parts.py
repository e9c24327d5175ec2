"""Which case goes where in nnU-Net's layout, with our split or without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monai_tumor.cases import Case
from monai_tumor.datasets import RegisteredDataset, content_digest
from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.splits.split import QUARANTINE, Split, check_split

TRAINING, TEST = "Tr", "Ts"


def check_fit(split: Split, dataset: RegisteredDataset, cases: Sequence[Case]) -> None:
    """Refuse a split that was made for other data.

    Raises:
        WrongCallError: It divides another data set.
        WrongDataError: Cases are missing, new or changed.
    """
    if split.dataset != dataset.name:
        step = f"give --dataset {split.dataset}, or another split"
        raise WrongCallError(f"the split divides data set {split.dataset!r}, not {dataset.name!r}; {step}")
    check_split(split, cases, {case.id: content_digest(dataset, case) for case in cases})


def places_of(cases: Sequence[Case], split: Split | None) -> dict[str, str]:
    """Say for every case whether it is for ``TRAINING`` or ``TEST``; those that the split leaves out are missing.

    Cases without reference are for test, wherever the split has them: nnU-Net trains on labelled ones only.
    """
    places = {}
    for case in cases:
        part = "" if split is None else split.cases[case.id].part if case.id in split.cases else QUARANTINE
        if part != QUARANTINE:
            places[case.id] = TEST if case.masks is None or part == "test" else TRAINING
    return places


def folds_of(split: Split, training: Mapping[str, str]) -> list[dict[str, list[str]]]:
    """Return what ``splits_final.json`` holds.

    Parts make one fold, which trains on training and validates on validation. Of our folds each is validated once and all
    others train: nnU-Net chooses nothing on the validation cases, so they are what our test fold is.

    Args:
        split: The split.
        training: Case id to its name in nnU-Net, of the cases that are for training.

    Raises:
        WrongDataError: A fold has no case to train or to validate with.
    """
    held_out = [split.ids("test", fold) for fold in range(split.folds)] or [split.ids("validation")]
    folds = [
        {
            "train": [name for case_id, name in training.items() if case_id not in held],
            "val": [name for case_id, name in training.items() if case_id in held],
        }
        for held in map(set, held_out)
    ]
    if not all(fold["train"] and fold["val"] for fold in folds):
        raise WrongDataError(
            "the split leaves nnU-Net no labelled case to train or to validate with; make another split"
        )
    return folds
