"""Patient folders of slices: ``PATIENT/X_12.tif`` beside ``PATIENT/X_12_mask.tif`` (LGG segmentation, kaggle_3m)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from monai_tumor.cases import Case
from monai_tumor.datasets.files import list_files, list_folders
from monai_tumor.datasets.layout import HasLayout
from monai_tumor.datasets.pairs import Pairs, complete_pairs, pair_suffixes

SUFFIXES = (".tif", ".tiff")
_SLICE = re.compile(r".+_\d+(_mask)?")
_FOLDERS_LOOKED_AT = 20


def recognises(folder: Path) -> bool:
    """Say whether one of the first folders in ``folder`` holds numbered TIFF slices, with masks or without."""
    return any(map(_is_patient, list_folders(folder)[:_FOLDERS_LOOKED_AT]))


def find_cases(dataset: HasLayout, folder: Path) -> Iterator[Case]:
    """Yield a case a slice; its group is the patient folder, its id the file name (which repeats the folder's).

    Raises:
        WrongDataError: A slice has no mask, a mask no slice, or a folder may not be read.
    """
    for image, masks in complete_pairs(dataset, _find_pairs(folder), folder).masks.items():
        patient = image.parent.name
        name = image.stem if image.stem.startswith(patient) else f"{patient}/{image.stem}"
        yield Case(name, patient, str(image), tuple(str(mask) for mask in masks))


def _find_pairs(folder: Path) -> Pairs:
    pairs = Pairs()
    for patient in filter(_is_patient, list_folders(folder)):
        found = pair_suffixes(patient, depth=0)
        pairs.masks.update(found.masks)
        pairs.orphans.extend(found.orphans)
    return pairs


def _is_patient(folder: Path) -> bool:
    return any(_SLICE.fullmatch(path.stem) for path in list_files(folder, SUFFIXES))
