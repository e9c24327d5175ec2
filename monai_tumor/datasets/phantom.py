"""The phantom: a data set without files, so that everything can be tried and tested before real data arrive."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.cases import Case, ordered_cases
from monai_tumor.datasets.base import PublishedFolds, Remark
from monai_tumor.datasets.phantom_shapes import Lesion, draw_lesions
from monai_tumor.datasets.phantom_styles import magnetic_resonance, ultrasound
from monai_tumor.errors import WrongCallError, WrongDataError

Recipe = tuple[str, int, int, int, int]

# Part of every image name: raise it when the same settings would give other pixels than before.
_VERSION = 2
_STYLES = {"mr": ("phantom", "MR", "brain"), "us": ("phantom_us", "US", "breast")}
_SMALLEST = 64
_SIZE_VARIES_BY = 8
_SHARE_WITHOUT_LESION = 0.2
_SHARE_MALIGNANT = 0.45
_IMAGE_NAME = re.compile(r"phantom(\d+)-(mr|us)-(\d+)x(\d+)-seed(\d+)-(\d+)")


class PhantomDataset:
    """Synthetic lesions in MR-like or ultrasound-like pictures, one synthetic patient a case.

    About a fifth of the cases has no lesion (an empty reference), the others have one to three. Benign lesions have a
    smooth contour and malignant ones a spiculated one; nothing else tells them apart in the MR-like style. Every case
    depends on its own number only, so a smaller data set is the beginning of a larger one.

    Attributes:
        name: ``"phantom"``, or ``"phantom_us"`` in the ultrasound-like style.
        layout: Empty: there are no files.
    """

    name = "phantom"
    api = 1
    modality = "MR"
    organ = "brain"
    task = "segmentation"
    labels = {"benign": "smooth contour", "malignant": "spiculated contour", "normal": "no lesion"}  # noqa: RUF012
    layout = ""

    def __init__(self, count: int = 120, seed: int = 0, style: str = "mr", size: tuple[int, int] = (192, 224)) -> None:
        """Describe the cases; nothing is drawn before it is loaded.

        Args:
            count: Number of cases.
            seed: Another seed gives other cases.
            style: ``"mr"`` (brain) or ``"us"`` (breast).
            size: Rows and columns of a picture in pixels; each case differs a little from it.

        Raises:
            WrongCallError: A value is impossible.
        """
        if style not in _STYLES:
            raise WrongCallError(f"phantom style {style!r} is unknown; give one of {', '.join(_STYLES)}")
        if count < 1 or seed < 0 or min(size) < _SMALLEST:
            found = f"count={count}, seed={seed}, size={size}"
            raise WrongCallError(f"a phantom of {found} is impossible; give count >= 1, seed >= 0, size >= {_SMALLEST}")
        self.count, self.seed, self.style, self.size = count, seed, style, size
        self.name, self.modality, self.organ = _STYLES[style]

    def cases(self, root: str | os.PathLike[str] | None = None) -> list[Case]:
        """Return the cases sorted by id. ``root`` is taken for the sake of the contract and not looked at."""
        return ordered_cases(self._case(number) for number in range(self.count))

    def load(self, case: Case) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Synthesise one case; the same case gives the same pixels in every process.

        Returns:
            Image (R, C) uint8 and reference (R, C) bool.

        Raises:
            WrongDataError: The case is not one of a phantom.
        """
        recipe = _recipe(case)
        shape, malignant, lesions = _plan(recipe)
        depth = _deepest(lesions, shape)
        random = _generator(recipe, 1)
        if recipe[0] == "mr":
            return magnetic_resonance(random, shape, depth), depth > 0
        return ultrasound(random, shape, depth, malignant), depth > 0

    def recognises(self, folder: Path) -> float:
        """Say 0: the phantom lies in no folder."""
        return 0

    def remarks(self, root: str | os.PathLike[str] | None) -> tuple[Remark, ...]:
        """Return nothing: there is nothing that the cases do not show."""
        return ()

    def published_folds(self, root: str | os.PathLike[str] | None) -> tuple[PublishedFolds, ...]:
        """Return nothing: nobody published folds of it."""
        return ()

    def source_files(self, case: Case) -> tuple[str, ...]:
        """Return no files: ``case.image`` alone decides the pixels."""
        return ()

    def lesion_area_px(self, case: Case) -> float:
        """Return the area of all lesions of a case by formula, in pixels (fractions count)."""
        return sum(lesion.area_px for lesion in _plan(_recipe(case))[2])

    def lesion_count(self, case: Case) -> int:
        """Return the number of separate lesions of a case."""
        return len(_plan(_recipe(case))[2])

    def write(self, root: str | os.PathLike[str], layout: str = "folder") -> None:
        """Write the cases as files, in the layout that another data set reads.

        Args:
            root: Folder to write to; files that exist there are never replaced.
            layout: ``folder``, ``folder_suffix``, ``brain_mri`` (patient folders) or ``brain_mri_flat``.

        Raises:
            WrongCallError: The layout is unknown, or a file exists or cannot be written.
        """
        from monai_tumor.datasets.phantom_files import write_layout

        write_layout(self, root, layout)

    def _case(self, number: int) -> Case:
        image = f"phantom{_VERSION}-{self.style}-{self.size[0]}x{self.size[1]}-seed{self.seed}-{number}"
        _, malignant, lesions = _plan((self.style, *self.size, self.seed, number))
        label = ("malignant" if malignant else "benign") if lesions else "normal"
        masks = (image,) if lesions else ()
        return Case(f"phantom-{number:04d}", f"patient-{number:04d}", image, masks, label)


def _recipe(case: Case) -> Recipe:
    found = _IMAGE_NAME.fullmatch(case.image)
    if found is None or int(found[1]) != _VERSION:
        raise WrongDataError(f"case {case.id!r} is {case.image!r}, not of phantom version {_VERSION}; list cases anew")
    return found[2], int(found[3]), int(found[4]), int(found[5]), int(found[6])


def _generator(recipe: Recipe, purpose: int) -> np.random.Generator:
    style, rows, columns, seed, number = recipe
    return np.random.default_rng([list(_STYLES).index(style), rows, columns, seed, number, purpose])


@lru_cache(maxsize=4096)
def _plan(recipe: Recipe) -> tuple[tuple[int, int], bool, tuple[Lesion, ...]]:
    """Decide size, malignancy and lesions of a case, which costs next to nothing; pixels come later."""
    style, rows, columns, _, _ = recipe
    random = _generator(recipe, 0)
    shape = (rows + int(random.integers(-_SIZE_VARIES_BY, 9)), columns + int(random.integers(-_SIZE_VARIES_BY, 9)))
    empty, malignant = random.uniform() < _SHARE_WITHOUT_LESION, bool(random.uniform() < _SHARE_MALIGNANT)
    wanted = 0 if empty else int(random.choice([1, 2, 3], p=[0.65, 0.25, 0.10]))
    part = (0.36, 0.34) if style == "mr" else (0.42, 0.45)
    area = ((shape[0] - 1) / 2, (shape[1] - 1) / 2, part[0] * shape[0], part[1] * shape[1])
    lesions = draw_lesions(random, wanted, malignant, area, min(rows, columns) / 192)
    return shape, malignant, tuple(lesions)


def _deepest(lesions: Sequence[Lesion], shape: tuple[int, int]) -> NDArray[np.float32]:
    nowhere: NDArray[Any] = np.full(shape, -9, np.float32)
    for lesion in lesions:
        np.maximum(nowhere, lesion.depth(shape), out=nowhere)
    return nowhere


ULTRASOUND = PhantomDataset(style="us")
