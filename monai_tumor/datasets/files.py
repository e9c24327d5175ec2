"""Listing and pairing image and mask files by name; no pixel is read here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monai_tumor.cases import natural_key
from monai_tumor.errors import WrongDataError

IMAGE_SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg")
_MASK_NAME = re.compile(r"(?P<stem>.+?)_mask(?:_\d+)?", re.IGNORECASE)
_NAMES_SHOWN = 3


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


def list_files(folder: Path, suffixes: Sequence[str] = IMAGE_SUFFIXES, depth: int = 0) -> list[Path]:
    """List files by suffix, upper or lower case, in natural order; hidden files and folders are left out.

    Args:
        folder: Where to look.
        suffixes: Endings in lower case, such as ``".png"`` or ``".nii.gz"``.
        depth: How many levels of folders below ``folder`` to look into.

    Raises:
        WrongDataError: A folder may not be read.
    """
    named = [path for path in _entries(folder) if path.name.lower().endswith(tuple(suffixes))]
    files = [path for path in named if not is_folder(path)]
    if depth > 0:
        for child in list_folders(folder):
            files += list_files(child, suffixes, depth - 1)
    return sorted(files, key=lambda path: natural_key(path.relative_to(folder).as_posix()))


def list_folders(folder: Path) -> list[Path]:
    """List the folders in a folder in natural order, without hidden ones.

    Raises:
        WrongDataError: The folder may not be read.
    """
    return sorted(filter(is_folder, _entries(folder)), key=lambda path: natural_key(path.name))


def is_folder(path: Path) -> bool:
    """Say whether a path is a folder; a link to where nobody may look is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def child_folder(folder: Path, names: Sequence[str]) -> Path | None:
    """Return the folder in ``folder`` that has one of ``names`` (lower case), however it is capitalised."""
    return next((child for child in list_folders(folder) if child.name.lower() in names), None)


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


def refuse_orphans(pairs: Pairs, root: Path) -> None:
    """Refuse masks without an image: half a copied data set must not pass for a whole one.

    Raises:
        WrongDataError: There are some; says how many and names the first.
    """
    if pairs.orphans:
        found = f"{count_of(len(pairs.orphans), 'mask has', 'masks have')} no image: {first_names(pairs.orphans, root)}"
        raise WrongDataError(f"{root}: {found}; copy the missing images, or remove these masks")


def refuse_unmasked(pairs: Pairs, root: Path) -> None:
    """Refuse images without a mask file where the layout has one for every image.

    Raises:
        WrongDataError: There are some; says how many of how many and names the first.
    """
    missing = pairs.without_mask
    if missing:
        found = f"no mask for {len(missing)} of {count_of(len(pairs.masks), 'image', 'images')}"
        step = "copy the missing masks, or read the folder with the data set 'folder', which allows unlabelled images"
        raise WrongDataError(f"{root}: {found}: {first_names(missing, root)}; {step}")


def no_mask_at_all(pairs: Pairs) -> str:
    """Return words for a folder of images in which no image has a mask."""
    return (
        f"{count_of(len(pairs.masks), 'image was', 'images were')} found and none with a mask (were the masks copied?)"
    )


def first_names(paths: Iterable[Path], root: Path) -> str:
    """Return the first few paths relative to ``root``, and how many more there are."""
    names = [path.relative_to(root).as_posix() for path in paths]
    rest = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + rest


def count_of(number: int, one: str, many: str) -> str:
    """Return ``1 file`` or ``2 files``."""
    return f"{number} {one if number == 1 else many}"


def _entries(folder: Path) -> list[Path]:
    try:
        entries = list(folder.iterdir())
    except PermissionError:
        raise WrongDataError(f"{folder} may not be read by this user; change its permissions") from None
    return [path for path in entries if not path.name.startswith((".", "__MACOSX"))]


def _is_mask(path: Path) -> bool:
    return _MASK_NAME.fullmatch(path.stem) is not None


def _stem(path: Path, root: Path, mask: bool) -> str:
    """Return the path below ``root`` without its suffix and, for masks, without ``_mask`` or ``_mask_1``."""
    found = _MASK_NAME.fullmatch(path.stem) if mask else None
    return path.relative_to(root).with_name(found["stem"] if found else path.stem).as_posix()
