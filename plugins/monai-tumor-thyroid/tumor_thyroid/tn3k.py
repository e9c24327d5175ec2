"""TN3K: ``trainval-image/0000.jpg`` with ``trainval-mask/0000.jpg``, and the same for ``test``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.cases import Case
from monai_tumor.datasets.base import Remark, load_files
from monai_tumor.datasets.files import Pairs, child_folder, pair_trees
from monai_tumor.errors import WrongDataError

PARTS = ("trainval", "test")

# JPEG blurs a mask of 0 and 255 into many levels near its edge; halfway is where the edge was.
JPEG_THRESHOLD = 127
_JPEG = (".jpg", ".jpeg")


def recognises(folder: Path) -> bool:
    """Say whether the images and the masks of one part are there."""
    return any(all(_trees(folder, part)) for part in PARTS)


def find_pairs(folder: Path) -> Pairs:
    """Pair images and masks of both parts by name; one part may be absent.

    Raises:
        WrongDataError: A part has only one of its two folders, or a folder may not be read.
    """
    pairs = Pairs()
    for part in PARTS:
        images, masks = _trees(folder, part)
        if images and masks:
            found = pair_trees(images, masks, depth=0)
            pairs.masks.update(found.masks)
            pairs.orphans.extend(found.orphans)
        elif images or masks:
            raise WrongDataError(
                f"{folder} has only one of {part}-image/ and {part}-mask/; copy the other, or remove it"
            )
    return pairs


def make_cases(folder: Path, pairs: Pairs) -> Iterator[Case]:
    """Yield a case an image, ``trainval/0000`` or ``test/0000``, a group of its own."""
    for image, masks in pairs.masks.items():
        name = f"{_part(image)}/{image.stem}"
        yield Case(name, name, str(image), tuple(map(str, masks)))


def remarks(folder: Path) -> Iterator[Remark]:
    """Yield what the names of the files do not say."""
    yield Remark("trainval/ and test/ are the published parts of TN3K, not folds: a split made here mixes them")
    yield Remark(
        "TN3K has several images of some patients and does not say which: only near duplicates are kept together"
    )


def owns(case: Case) -> bool:
    """Say whether a case is of this layout."""
    return Path(case.image).parent.name.lower() in {f"{part}-image" for part in PARTS}


def load(case: Case) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Read an image and its mask, which may be a JPEG file.

    Returns:
        Image (R, C) or (R, C, 3) uint8, and reference (R, C) bool.

    Raises:
        WrongDataError: A file cannot be read, sizes differ, or a JPEG mask is dark everywhere and yet not black.
    """
    masks = case.masks or ()
    lossy = any(mask.lower().endswith(_JPEG) for mask in masks)
    image, reference = load_files(case.image, masks, JPEG_THRESHOLD if lossy else None)
    if lossy and reference is not None and not reference.any() and _has_foreground(case.image, masks):
        raise WrongDataError(
            f"mask {masks[0]} is nowhere above {JPEG_THRESHOLD} and yet not black, expected 0 and 255; export it again"
        )
    return image, reference


def _has_foreground(image: str, masks: tuple[str, ...]) -> bool:
    above_zero = load_files(image, masks, 0)[1]
    return above_zero is not None and bool(above_zero.any())


def _trees(folder: Path, part: str) -> tuple[Path | None, Path | None]:
    return child_folder(folder, (f"{part}-image",)), child_folder(folder, (f"{part}-mask",))


def _part(image: Path) -> str:
    return image.parent.name.lower().removesuffix("-image")
