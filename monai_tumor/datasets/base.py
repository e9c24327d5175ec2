"""The base of data sets that lie in files; a plug-in adds a layout and how its cases are found."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from monai_tumor.cases import Case, ordered_cases
from monai_tumor.datasets.layout import checked_root, wrong_layout
from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.read import read_image, read_mask

Pixels = NDArray[Any]


class FileDataset(ABC):
    """A layout on disk. It moves and changes nothing, and finding cases decodes no pixel.

    A plug-in sets the attributes and writes ``recognises`` and ``find_cases``; a wrong folder of any kind is then
    answered here. ``load`` and ``source_files`` are overridden where a case is not an image file and mask files.

    Attributes:
        name: What users type.
        api: The contract version this was written for.
        modality: ``"US"``, ``"MR"`` and so on, as in DICOM; ``"OT"`` where it is not known.
        organ: What the pictures show, in one word.
        task: What the references are for.
        labels: Each diagnosis that cases may have, and what it means.
        layout: The expected tree, as people would draw it; shown in errors.
    """

    name: str
    api: int = 1
    modality: str
    organ: str
    task: str = "segmentation"
    labels: ClassVar[dict[str, str]] = {}
    layout: str

    @abstractmethod
    def recognises(self, folder: Path) -> bool:
        """Say from a few names, quickly, whether a folder looks like one of this data set."""

    @abstractmethod
    def find_cases(self, folder: Path) -> Iterable[Case]:
        """Yield the cases of a folder in any order; none where the layout is another.

        Raises:
            WrongDataError: The layout is the right one, but files are missing or contradict each other.
        """

    def cases(self, root: str | os.PathLike[str] | None) -> list[Case]:
        """Return the cases of a folder sorted by id.

        Raises:
            WrongCallError: No folder was given.
            WrongDataError: The folder is not one of this data set; shows the expected tree.
        """
        folder = checked_root(self, root)
        found = ordered_cases(self.find_cases(folder))
        if not found:
            raise wrong_layout(self, folder)
        return found

    def load(self, case: Case) -> tuple[Pixels, NDArray[np.bool_] | None]:
        """Read one case; several masks are joined by OR.

        Returns:
            Image (R, C) or (R, C, 3) of uint8 or uint16, and reference (R, C) bool: all False where the reference is
            empty, None where there is no reference.

        Raises:
            WrongDataError: A file cannot be read, or a mask has another size than the image.
        """
        return load_files(case.image, case.masks)

    def source_files(self, case: Case) -> tuple[str, ...]:
        """Return every file whose bytes decide what ``load`` gives."""
        return (case.image, *(case.masks or ()))


def load_files(image_file: str, mask_files: Sequence[str] | None) -> tuple[Pixels, NDArray[np.bool_] | None]:
    """Read an image and the OR of its mask files; results and errors as in ``FileDataset.load``."""
    image = read_image(image_file)
    if mask_files is None:
        return image, None
    reference = np.zeros(image.shape[:2], bool)
    for path in mask_files:
        mask = read_mask(path)
        if mask.shape != reference.shape:
            raise _size_differs(image_file, reference.shape, path, mask.shape)
        reference |= mask
    return image, reference


def _size_differs(image: str, expected: tuple[int, ...], mask: str, found: tuple[int, ...]) -> WrongDataError:
    return WrongDataError(
        f"mask {mask} has {found[0]} x {found[1]} pixels but its image {image} has {expected[0]} x {expected[1]}; "
        "find the mask that belongs to it"
    )
