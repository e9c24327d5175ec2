"""TN3K: ``trainval-image/0000.jpg`` with ``trainval-mask/0000.jpg``, and the same for ``test``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.cases import Case
from monai_tumor.datasets.base import Remark, load_masks
from monai_tumor.datasets.files import child_folder
from monai_tumor.datasets.layout import HasLayout
from monai_tumor.datasets.pairs import Pairs, complete_pairs, pair_trees
from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.read import read_image

PARTS = ("trainval", "test")

# JPEG blurs a mask of 0 and 255 into many levels near its edge; halfway is where the edge was.
JPEG_THRESHOLD = 127
_JPEG = (".jpg", ".jpeg")


def recognises(folder: Path) -> bool:
    """Say whether the images and the masks of one part are there."""
    return any(all(_trees(folder, part)) for part in PARTS)


def find_cases(dataset: HasLayout, folder: Path) -> Iterator[Case]:
    """Yield a case an image, ``trainval/0000`` or ``test/0000``, a group of its own; one part may be absent.

    Raises:
        WrongDataError: A part has only one of its two folders, an image has no mask, or a mask no image.
    """
    for image, masks in complete_pairs(dataset, _find_pairs(folder), folder).masks.items():
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


def load(case: Case) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Read an image and its masks, of which each may be a JPEG file.

    Returns:
        Image (R, C) or (R, C, 3) uint8, and reference (R, C) bool.

    Raises:
        WrongDataError: A file cannot be read, sizes differ, or a JPEG mask is dark everywhere and yet not black.
    """
    image = read_image(case.image)
    shape, masks = (image.shape[0], image.shape[1]), case.masks or ()
    lossy = [path for path in masks if path.lower().endswith(_JPEG)]
    reference = load_masks(case.image, shape, [path for path in masks if path not in lossy])
    for path in lossy:
        lesion = load_masks(case.image, shape, [path], JPEG_THRESHOLD)
        if not lesion.any() and load_masks(case.image, shape, [path], 0).any():
            raise WrongDataError(
                f"mask {path} is nowhere above {JPEG_THRESHOLD} and yet not black, expected 0 and 255; export it again"
            )
        reference |= lesion
    return image, reference


def _trees(folder: Path, part: str) -> tuple[Path | None, Path | None]:
    return child_folder(folder, (f"{part}-image",)), child_folder(folder, (f"{part}-mask",))


def _part(image: Path) -> str:
    return image.parent.name.lower().removesuffix("-image")


def _find_pairs(folder: Path) -> Pairs:
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
