"""Any data set to the raw layout of nnU-Net v2, so that both can be compared on the same cases.

What nnU-Net expects is written down in ``documentation/dataset_format.md`` of ``MIC-DKFZ/nnUNet``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor import __version__
from monai_tumor.cases import Case
from monai_tumor.datasets import RegisteredDataset
from monai_tumor.datasets.case_table import NO_REFERENCE, TABLE_NAME, case_table
from monai_tumor.datasets.nnunet_parts import TEST, TRAINING, check_fit, folds_of, places_of
from monai_tumor.datasets.writing import distinct_names, for_each_case, refuse_nothing, staged
from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.write import write_picture, write_text
from monai_tumor.splits.split import Split

DATASET_FILE = "dataset.json"
FOLDS_FILE = "splits_final.json"
LABELS = {"background": 0, "tumour": 1}
# None of these names selects a special normalisation: nnU-Net gives each channel of each image mean 0 and deviation 1.
CHANNEL_NAMES = {1: {"0": "grey"}, 3: {"0": "R", "1": "G", "2": "B"}}

_OWN_NAME = re.compile(r"Dataset\d{3}_[A-Za-z0-9_-]+")
_NUMBER = 500  # 1 to 10 are taken by the Medical Segmentation Decathlon, and many below 300 by nnU-Net's own scripts
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True)
class NnunetSet:
    """What was written.

    Attributes:
        folder: The folder ``DatasetNNN_Name``.
        channels: Channels of every image, 1 or 3.
        training: Cases in ``imagesTr`` and ``labelsTr``.
        test: Cases in ``imagesTs`` and ``labelsTs``.
        unlabelled: Cases in ``imagesTs`` that have no reference.
        left_out: Cases in the quarantine of the split, or dropped by it.
        folds: Entries of ``splits_final.json``; 0 where there is none.
        failed: Cases that cannot be read: id to the line that says what is wrong.
    """

    folder: Path
    channels: int
    training: int
    test: int
    unlabelled: int
    left_out: int
    folds: int
    failed: Mapping[str, str]

    @property
    def written(self) -> int:
        """The number of all cases that were written."""
        return self.training + self.test + self.unlabelled


def convert_to_nnunet(
    dataset: RegisteredDataset, cases: Sequence[Case], destination: str | os.PathLike[str], split: Split | None = None
) -> NnunetSet:
    """Write cases as a raw data set of nnU-Net v2: PNG images, and labels 0 and 1.

    All images get three channels if one of them has colour, else one; 16-bit grey stays 16-bit. Where 16-bit images need
    three channels, each channel is a file of its own.

    Args:
        dataset: What loads the cases.
        cases: The cases.
        destination: Folder that is empty or does not exist. If it is called like ``Dataset501_Name`` it becomes the data
            set, else ``Dataset500_NAME`` is made in it.
        split: Its test part becomes ``imagesTs`` and ``labelsTs``, its training and validation ``splits_final.json``; its
            folds become those of ``splits_final.json``. Without it all labelled cases are for training.

    Raises:
        WrongCallError: ``destination`` cannot be written to, or the split is one of another data set.
        WrongDataError: The split does not fit the cases, there is nothing to train on or to validate with, or no case can
            be read.
    """
    if split is not None:
        check_fit(split, dataset, cases)
    places = places_of(cases, split)
    kept = [case for case in cases if case.id in places]
    coloured, failed = for_each_case(dataset, kept, lambda case, image, reference: _has_colour(image))
    refuse_nothing(failed, len(kept))
    readable = [case for case in kept if case.id in coloured]
    plan = _Plan(dataset, readable, places, _names(readable), 3 if any(coloured.values()) else 1)
    folds = [] if split is None else folds_of(split, plan.training)
    own = _OWN_NAME.fullmatch(Path(destination).name) is not None
    folder = Path(destination) if own else Path(destination) / f"Dataset{_NUMBER}_{_UNSAFE.sub('_', dataset.name)}"
    with staged(destination, DATASET_FILE) as stage:
        root = stage if own else stage / folder.name
        plan.write_images(root)
        write_text(root / TABLE_NAME, case_table(map(plan.row, plan.cases), ("name", "part")))
        if folds:
            write_text(root / FOLDS_FILE, json.dumps(folds, indent=1) + "\n")
        write_text(root / DATASET_FILE, json.dumps(plan.description(folder.name, split), indent=1) + "\n")
    return NnunetSet(
        folder, plan.channels, **plan.counts(), left_out=len(cases) - len(kept), folds=len(folds), failed=failed
    )


@dataclass(frozen=True)
class _Plan:
    """Cases that can be read, and where they go.

    Attributes:
        dataset: What loads them.
        cases: The cases.
        places: Case id to ``TRAINING`` or ``TEST``.
        names: Case id to its name in nnU-Net.
        channels: Channels of every image.

    Raises:
        WrongDataError: There is nothing to train on.
    """

    dataset: RegisteredDataset
    cases: Sequence[Case]
    places: Mapping[str, str]
    names: Mapping[str, str]
    channels: int

    def __post_init__(self) -> None:
        if not self.training:
            raise WrongDataError(f"data set {self.dataset.name!r} has no labelled case to train on; nnU-Net needs some")

    @property
    def training(self) -> dict[str, str]:
        """Case id to name, of the cases for training."""
        return {case.id: self.names[case.id] for case in self.cases if self.places[case.id] == TRAINING}

    def counts(self) -> dict[str, int]:
        """Count the cases for training and for test, and those without reference."""
        labelled = [self.places[case.id] for case in self.cases if case.masks is not None]
        training, test = labelled.count(TRAINING), labelled.count(TEST)
        return {"training": training, "test": test, "unlabelled": len(self.cases) - len(labelled)}

    def write_images(self, root: Path) -> None:
        """Write images and labels into their four folders.

        Raises:
            WrongDataError: A case could be read before and cannot now.
        """
        for part in (TRAINING, TEST):
            (root / f"images{part}").mkdir(parents=True)
            (root / f"labels{part}").mkdir()

        def write(case: Case, image: NDArray[Any], reference: NDArray[np.bool_] | None) -> None:
            for name, pixels in _image_files(self.names[case.id], image, self.channels).items():
                write_picture(root / f"images{self.places[case.id]}" / name, pixels)
            if reference is not None:
                write_picture(root / self._label_file(case), reference.astype(np.uint8))

        changed = for_each_case(self.dataset, self.cases, write)[1]
        if changed:
            raise WrongDataError(f"the data set changed while it was read: {next(iter(changed.values()))}")

    def row(self, case: Case) -> tuple[str | None, ...]:
        """Return the row of a case in ``cases.csv``, with which the data set ``folder`` can read the result, too."""
        place, name = self.places[case.id], self.names[case.id]
        mask = NO_REFERENCE if case.masks is None else self._label_file(case)
        return (case.id, f"images{place}/{name}_0000.png", mask, case.label, case.group, name, place)

    def description(self, title: str, split: Split | None) -> dict[str, object]:
        """Return what ``dataset.json`` holds."""
        origin = f"data set {self.dataset.name}, written by monai-tumor {__version__}"
        return {
            "name": title,
            "description": origin if split is None else f"{origin} with the split {split.hash}",
            "channel_names": CHANNEL_NAMES[self.channels],
            "labels": LABELS,
            "numTraining": len(self.training),
            "file_ending": ".png",
        }

    def _label_file(self, case: Case) -> str:
        return f"labels{self.places[case.id]}/{self.names[case.id]}.png"


def _names(cases: Sequence[Case]) -> dict[str, str]:
    return distinct_names({case.id: _UNSAFE.sub("_", case.id).strip("_") for case in cases})


def _has_colour(image: NDArray[Any]) -> bool:
    return image.ndim == 3 and bool((image[..., :1] != image[..., 1:]).any())


def _image_files(name: str, image: NDArray[Any], channels: int) -> dict[str, NDArray[Any]]:
    """Return the files of one image: one for all channels, or one a channel where a PNG file cannot hold them."""
    if channels == 1:
        return {f"{name}_0000.png": image if image.ndim == 2 else image[..., 0]}
    colour = image if image.ndim == 3 else np.stack([image] * 3, axis=-1)
    if colour.dtype == np.uint8:
        return {f"{name}_0000.png": colour}
    return {f"{name}_{channel:04d}.png": colour[..., channel] for channel in range(3)}
