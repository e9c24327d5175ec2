"""Listing files by name; no pixel is read here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from monai_tumor.cases import natural_key
from monai_tumor.errors import WrongDataError
from monai_tumor.wording import count_of as count_of

IMAGE_SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg")
_NAMES_SHOWN = 3


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


def first_names(paths: Iterable[Path], root: Path) -> str:
    """Return the first few paths relative to ``root``, and how many more there are."""
    names = [path.relative_to(root).as_posix() for path in paths]
    rest = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + rest


def _entries(folder: Path) -> list[Path]:
    try:
        entries = list(folder.iterdir())
    except PermissionError:
        raise WrongDataError(f"{folder} may not be read by this user; change its permissions") from None
    return [path for path in entries if not path.name.startswith((".", "__MACOSX"))]
