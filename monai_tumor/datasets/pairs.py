"""Image files and the masks that belong to them by name: how they are paired, and what a whole copy must have."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from monai_tumor.datasets.files import child_folder, first_names, list_files
from monai_tumor.datasets.layout import HasLayout, wrong_layout
from monai_tumor.errors import WrongDataError
from monai_tumor.wording import count_of

_IMAGE_FOLDERS = ("images", "image")
_MASK_FOLDERS = ("masks", "mask")
_MASK_NAME = re.compile(r"(?P<stem>.+?)_mask(?:_\d+)?", re.IGNORECASE)


@dataclass
class Pairs:
    """Image files and what belongs to them.

    Attributes:
        masks: The mask files of every image in natural order; ``()`` where none was found.
        orphans: Mask files that no image claims.
    """

    masks: dict[Path, tuple[Path, ...]] = field(default_factory=dict)
    orphans: list[Path] = field(default_factory=list)

    @property
    def without_mask(self) -> list[Path]:
        """The images that no mask file belongs to."""
        return [image for image, masks in self.masks.items() if not masks]


def two_trees(folder: Path) -> tuple[Path, Path] | None:
    """Return the folders ``images`` and ``masks`` in a folder (or ``image`` and ``mask``), or None where one is missing.

    Raises:
        WrongDataError: The folder may not be read.
    """
    images, masks = child_folder(folder, _IMAGE_FOLDERS), child_folder(folder, _MASK_FOLDERS)
    return (images, masks) if images and masks else None


def flat_pairs(folder: Path) -> Pairs:
    """Pair ``images/X`` with ``masks/X``, without class folders; no pairs where one of the two folders is missing.

    Raises:
        WrongDataError: A folder may not be read.
    """
    trees = two_trees(folder)
    return pair_trees(*trees, depth=0) if trees else Pairs()


def pair_trees(images: Path, masks: Path, depth: int = 4) -> Pairs:
    """Pair ``images/X`` with ``masks/X``, ``masks/X_mask`` and ``masks/X_mask_1``; suffixes may differ.

    Args:
        images: Folder of images, with class folders or without.
        masks: Folder of masks in the same arrangement.
        depth: Levels of class folders to look into.

    Raises:
        WrongDataError: A folder may not be read.
    """
    mask_files: dict[str, list[Path]] = {}
    for path in list_files(masks, depth=depth):
        mask_files.setdefault(_stem(path, masks, mask=False), []).append(path)
        if (base := _stem(path, masks, mask=True)) != _stem(path, masks, mask=False):
            mask_files.setdefault(base, []).append(path)
    pairs = Pairs()
    for path in list_files(images, depth=depth):
        pairs.masks[path] = tuple(mask_files.get(_stem(path, images, mask=False), ()))
    used = {path for found in pairs.masks.values() for path in found}
    pairs.orphans = [path for path in list_files(masks, depth=depth) if path not in used]
    return pairs


def pair_suffixes(folder: Path, depth: int = 4) -> Pairs:
    """Pair ``X`` with ``X_mask``, ``X_mask_1`` and so on in the same folder; suffixes may differ.

    Args:
        folder: Folder of images and masks, with class folders or without.
        depth: Levels of class folders to look into.

    Raises:
        WrongDataError: A folder may not be read.
    """
    files = list_files(folder, depth=depth)
    masks: dict[str, list[Path]] = {}
    for path in filter(_is_mask, files):
        masks.setdefault(_stem(path, folder, mask=True), []).append(path)
    images = [path for path in files if not _is_mask(path)]
    stems = {_stem(path, folder, mask=False) for path in images}
    found = {path: tuple(masks.get(_stem(path, folder, mask=False), ())) for path in images}
    return Pairs(found, [path for stem, orphans in masks.items() if stem not in stems for path in orphans])


def complete_pairs(dataset: HasLayout, pairs: Pairs, root: Path) -> Pairs:
    """Return the pairs of a layout that has a mask for every image, once it is known that this is so.

    Args:
        dataset: Whose layout it is.
        pairs: What was found.
        root: The folder that a user gave.

    Raises:
        WrongDataError: No image has a mask, or only some have, or a mask has no image; half a copied data set must not pass
            for a whole one.
    """
    refuse_unlabelled(dataset, pairs, root)
    refuse_orphans(pairs, root)
    _refuse_unmasked(pairs, root)
    return pairs


def refuse_unlabelled(dataset: HasLayout, pairs: Pairs, root: Path) -> None:
    """Refuse images of which none has a mask; for layouts in which some may lack it.

    Raises:
        WrongDataError: It is so; shows the expected tree.
    """
    if pairs.masks and len(pairs.without_mask) == len(pairs.masks):
        found = count_of(len(pairs.masks), "image was", "images were")
        raise wrong_layout(dataset, root, f"{found} found and none with a mask (were the masks copied?)")


def refuse_orphans(pairs: Pairs, root: Path) -> None:
    """Refuse masks without an image: half a copied data set must not pass for a whole one.

    Raises:
        WrongDataError: There are some; says how many and names the first.
    """
    if pairs.orphans:
        found = f"{count_of(len(pairs.orphans), 'mask has', 'masks have')} no image: {first_names(pairs.orphans, root)}"
        raise WrongDataError(f"{root}: {found}; copy the missing images, or remove these masks")


def _refuse_unmasked(pairs: Pairs, root: Path) -> None:
    missing = pairs.without_mask
    if missing:
        found = f"no mask for {len(missing)} of {count_of(len(pairs.masks), 'image', 'images')}"
        step = "copy the missing masks, or read the folder with the data set 'folder', which allows unlabelled images"
        raise WrongDataError(f"{root}: {found}: {first_names(missing, root)}; {step}")


def _is_mask(path: Path) -> bool:
    return _MASK_NAME.fullmatch(path.stem) is not None


def _stem(path: Path, root: Path, mask: bool) -> str:
    """Return the path below ``root`` without its suffix and, for masks, without ``_mask`` or ``_mask_1``."""
    found = _MASK_NAME.fullmatch(path.stem) if mask else None
    return path.relative_to(root).with_name(found["stem"] if found else path.stem).as_posix()
