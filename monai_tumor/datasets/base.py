"""The base of data sets that lie in files; a plug-in adds a layout and how its cases are found."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from monai_tumor.cases import Case, ordered_cases
from monai_tumor.datasets.layout import checked_root, wrong_layout
from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.read import read_image, read_mask

Pixels = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something in the files of a data set that its users should know and that no case shows.

    Attributes:
        text: What was found, in one line.
        case: The id of the case it is about, or None where it is about the whole set or about no case.
    """

    text: str
    case: str | None = None


@dataclass(frozen=True, slots=True)
class PublishedFolds:
    """Folds that the makers of a data set published, so that results can be compared.

    Attributes:
        file: Name of their file.
        sha256: Digest of that file, hexadecimal.
        fold_of: Case id to its fold, counted from 0.
    """

    file: str
    sha256: str
    fold_of: Mapping[str, int]


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
        mask_threshold: Set it where mask files have more than two levels: everything above it is lesion.
    """

    name: str
    api: int = 1
    modality: str
    organ: str
    task: str = "segmentation"
    labels: ClassVar[dict[str, str]] = {}
    layout: str
    mask_threshold: int | None = None

    @abstractmethod
    def recognises(self, folder: Path) -> float:
        """Say from a few names, quickly, how sure it is that a folder is one of this data set.

        Returns:
            1 where no other data set looks like it, 0.5 where it fits and others would as well, 0 where it does not fit.
        """

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
        return load_files(case.image, case.masks, self.mask_threshold)

    def remarks(self, root: str | os.PathLike[str]) -> Sequence[Remark]:
        """Return what users should know of the files and no case shows, such as annotations that are cut off."""
        return ()

    def published_folds(self, root: str | os.PathLike[str]) -> Sequence[PublishedFolds]:
        """Return the folds that the makers of the data set published, read from their files in the folder."""
        return ()

    def source_files(self, case: Case) -> tuple[str, ...]:
        """Return every file whose bytes decide what ``load`` gives."""
        return (case.image, *(case.masks or ()))


def load_files(
    image_file: str, mask_files: Sequence[str] | None, mask_threshold: int | None = None
) -> tuple[Pixels, NDArray[np.bool_] | None]:
    """Read an image and the OR of its mask files; results and errors as in ``FileDataset.load``."""
    image = read_image(image_file)
    if mask_files is None:
        return image, None
    return image, load_masks(image_file, (image.shape[0], image.shape[1]), mask_files, mask_threshold)


def load_masks(
    image_file: str, shape: tuple[int, int], mask_files: Iterable[str], mask_threshold: int | None = None
) -> NDArray[np.bool_]:
    """Read the OR of mask files, for a layout that cuts some in another way than others.

    Args:
        image_file: The image they belong to, for errors.
        shape: Its rows and columns.
        mask_files: The files; all False where there is none.
        mask_threshold: As in ``FileDataset``.

    Returns:
        (rows, columns) bool.

    Raises:
        WrongDataError: A file cannot be read, or has another size than the image.
    """
    reference = np.zeros(shape, bool)
    for path in mask_files:
        mask = read_mask(path, mask_threshold)
        if mask.shape != shape:
            raise _size_differs(image_file, shape, path, mask.shape)
        reference |= mask
    return reference


def _size_differs(image: str, expected: tuple[int, ...], mask: str, found: tuple[int, ...]) -> WrongDataError:
    return WrongDataError(
        f"mask {mask} has {found[0]} x {found[1]} pixels but its image {image} has {expected[0]} x {expected[1]}; "
        "find the mask that belongs to it"
    )
