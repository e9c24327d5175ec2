"""Answers to a wrong folder: what was found, what was expected, and which folder is probably the right one."""

from __future__ import annotations

import os
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol

from monai_tumor.cases import Case, natural_key
from monai_tumor.datasets.files import is_folder
from monai_tumor.errors import ToolkitError, WrongCallError, WrongDataError, nearest
from monai_tumor.wording import count_of

_LEVELS_UP = 3
_LEVELS_DOWN = 3
_FOLDERS_LOOKED_AT = 300
_ENTRIES_SHOWN = 8
_FOLDERS_SHOWN = 5


class HasLayout(Protocol):
    """What these functions need of a data set."""

    name: str
    layout: str

    def recognises(self, folder: Path) -> float:
        """Say from names alone how sure it is that a folder is one of this data set, from 0 to 1."""


class Layout(Protocol):
    """One of several layouts of a data set; a module with these two functions is one."""

    def recognises(self, folder: Path) -> bool:
        """Say from names alone whether a folder has this layout."""

    def find_cases(self, dataset: HasLayout, folder: Path) -> Iterable[Case]:
        """Return the cases of a folder of this layout; ``dataset`` is whose layout it is, for errors."""


def cases_by_layout(dataset: HasLayout, folder: Path, layouts: Sequence[Layout]) -> Iterable[Case]:
    """Return the cases of whichever of several layouts a folder has; none where it has none of them.

    Raises:
        WrongDataError: It has more than one, or what the layout refuses.
    """
    found = [layout for layout in layouts if layout.recognises(folder)]
    if len(found) > 1:
        raise wrong_layout(dataset, folder, "it has files of more than one of these layouts")
    return found[0].find_cases(dataset, folder) if found else ()


def checked_root(dataset: HasLayout, root: str | os.PathLike[str] | None) -> Path:
    """Return the folder that a user gave, once it is known to be a folder with something in it that can be read.

    Raises:
        WrongCallError: No folder was given.
        WrongDataError: It does not exist, is a file, is empty, or may not be read; shows the expected tree.
    """
    if root is None or not os.fspath(root):
        raise WrongCallError(
            f"data set {dataset.name!r} reads files and no folder was given; name the folder they are in"
        )
    folder = Path(root)
    problem = problem_of(folder)
    if problem is not None:
        raise WrongDataError(f"{folder} {problem}{expected_tree(dataset)}")
    return folder


def problem_of(folder: Path) -> str | None:
    """Say in words that follow its name why a folder is no folder with something in it that can be read, or None."""
    try:
        return _problem(folder)
    except PermissionError:
        return "may not be read by this user; change its permissions, or copy it to a place of yours"


def wrong_layout(dataset: HasLayout, root: Path, found: str = "") -> WrongDataError:
    """Build the error for a folder that is not one of the data set.

    Args:
        dataset: Whose layout was expected.
        root: The folder that a user gave.
        found: What is wrong with it, in words; else what lies in it is counted.

    Returns:
        An error whose first line is complete in itself; the expected tree and what was found follow.
    """
    right = right_folders(dataset.recognises, root)
    step = probably(right) if right else "give the folder that looks like the tree below, or another data set name"
    first = f"{root} is not a {dataset.name!r} data set: {found or contents_of(root)}; {step}"
    return WrongDataError(first + expected_tree(dataset) + found_tree(root))


def expected_tree(dataset: HasLayout) -> str:
    """Return the lines that show the layout, beginning with a line end."""
    tree = textwrap.indent(textwrap.dedent(dataset.layout).strip("\n"), "  ")
    return f"\nexpected by {dataset.name!r}:\n{tree}"


def _problem(folder: Path) -> str | None:
    if not folder.exists():
        return f"does not exist; {_similar(folder)}"
    if not folder.is_dir():
        return f"is a file, expected a folder; perhaps {folder.parent} is meant, or the file has to be unpacked first"
    if not any(folder.iterdir()):
        return "is empty; was the download or the copy finished, is the disk mounted?"
    return None


def _similar(folder: Path) -> str:
    parent = folder.absolute().parent
    if not parent.is_dir():
        return f"nor does {parent}: check the path from the left, and whether the disk is mounted"
    guess = nearest(folder.name, (child.name for child in islice(parent.iterdir(), 2000)))
    return f"did you mean {parent / guess}?" if guess else f"{parent} does, so check the last part of the path"


def right_folders(recognises: Callable[[Path], float], root: Path) -> list[Path]:
    """Look below a folder and then above it for those that are meant: people give a level too many or too few.

    Returns:
        The surest first; a folder within one that is as sure is a part of that and left out.
    """
    # The bound keeps a whole disk out of it.
    below = {folder: _sureness(recognises, folder) for folder in islice(_below(root), _FOLDERS_LOOKED_AT)}
    parts = {folder for folder in below if any(below.get(parent, 0) >= below[folder] for parent in folder.parents)}
    found = [folder for folder in below if below[folder] > 0 and folder not in parts]
    if found:
        return sorted(found, key=lambda folder: -below[folder])
    above = list(root.absolute().parents)[:_LEVELS_UP]
    return [folder for folder in above if folder != folder.parent and _sureness(recognises, folder) > 0][:1]


def probably(right: Sequence[Path], named: Callable[[Path], str] = str) -> str:
    """Say in one clause which of the folders that were found is probably meant, or that one of several is.

    Args:
        right: The folders, the likeliest first.
        named: Gives the words for a folder.
    """
    if len(right) == 1:
        return f"the right folder is probably {named(right[0])}"
    rest = f" and {len(right) - _FOLDERS_SHOWN} more" if len(right) > _FOLDERS_SHOWN else ""
    return f"give one of {len(right)} folders in it: {', '.join(map(named, right[:_FOLDERS_SHOWN]))}{rest}"


def _below(root: Path) -> Iterator[Path]:
    level = [root]
    for _ in range(_LEVELS_DOWN):
        level = [child for folder in level[:_FOLDERS_LOOKED_AT] for child in _visible(folder) if is_folder(child)]
        yield from level


def _sureness(recognises: Callable[[Path], float], folder: Path) -> float:
    try:
        return recognises(folder)
    except (ToolkitError, OSError):
        return 0  # a neighbour that cannot be read is not the folder that is looked for


def _visible(folder: Path) -> list[Path]:
    try:
        children = [child for child in folder.iterdir() if not child.name.startswith((".", "__MACOSX"))]
    except OSError:
        return []
    return sorted(children, key=lambda child: natural_key(child.name))


def contents_of(root: Path) -> str:
    """Count in one clause what lies in a folder that is not the right one."""
    children = _visible(root)
    folders = sum(is_folder(child) for child in children)
    kinds = Counter(child.suffix.lower() or "no suffix" for child in children if not is_folder(child))
    files = count_of(sum(kinds.values()), "file", "files")
    named = f" ({', '.join(kind for kind, _ in kinds.most_common(3))})" if kinds else ""
    return f"it holds {count_of(folders, 'folder', 'folders')} and {files}{named}, and none fits"


def found_tree(root: Path) -> str:
    """Return the lines that show what lies in a folder, beginning with a line end."""
    children = _visible(root)
    lines = [f"  {child.name}{'/' if is_folder(child) else ''}" for child in children[:_ENTRIES_SHOWN]]
    if len(children) > _ENTRIES_SHOWN:
        lines.append(f"  ... {len(children) - _ENTRIES_SHOWN} more")
    return "\n".join([f"\nfound in {root}:", *lines])
