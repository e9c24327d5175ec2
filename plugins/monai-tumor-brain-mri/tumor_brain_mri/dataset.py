"""The data set ``brain_mri``: recognises a layout and hands over to the module that knows it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.cases import Case
from monai_tumor.datasets.base import FileDataset, Remark
from monai_tumor.datasets.layout import cases_by_layout
from tumor_brain_mri import flat, patients, volumes


class BrainMriDataset(FileDataset):
    """Slices of brain MRI with tumour masks; a group is a patient as far as the layout tells.

    Every image needs its mask here: all three layouts come from sets that are labelled throughout.
    """

    name = "brain_mri"
    modality = "MR"
    organ = "brain"
    layout = """
    DIR/PATIENT/X_12.tif  DIR/PATIENT/X_12_mask.tif        LGG segmentation (kaggle_3m), a folder a patient
    or  DIR/images/12.png  DIR/masks/12.png                flat; neighbouring numbers are one patient,
                                                           or DIR/patients.csv (image,patient) says
    or  DIR/PATIENT/image.nii.gz  DIR/PATIENT/label.nii.gz NIfTI, a folder a patient; also t2f or flair for the
                                                           image and seg for the labels, with any prefix
    """

    def recognises(self, folder: Path) -> float:
        """Say 1 for patient folders of slices or volumes, 0.5 for flat folders of images and masks."""
        if patients.recognises(folder) or volumes.recognises(folder):
            return 1
        return 0.5 if flat.recognises(folder) else 0

    def find_cases(self, folder: Path) -> Iterable[Case]:
        """Return the cases of whichever layout the folder has.

        Raises:
            WrongDataError: More than one layout is there, masks are missing, or an image and its labels do not match.
        """
        return cases_by_layout(self, folder, (patients, flat, volumes))

    def remarks(self, root: str | os.PathLike[str]) -> Sequence[Remark]:
        """Return what volumes hide: thick slices, and labels that a program made."""
        return tuple(volumes.remarks(Path(root))) if volumes.recognises(Path(root)) else ()

    def load(self, case: Case) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Read one slice: of a volume if the case has an index, else of an image file.

        Returns:
            Image (R, C) or (R, C, 3) uint8 and reference (R, C) bool. Slices of volumes have the front of the head
            at the top and the patient's right on the left.

        Raises:
            WrongDataError: A file cannot be read, or mask and image differ in size.
        """
        return super().load(case) if case.index is None else volumes.load_slice(case)
