"""An input that was found, before it is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from monai_tumor.clinical.kinds import FileKind

_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp")
_VOLUMES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
IMAGE_SUFFIXES = (*_PICTURES, *_VOLUMES, ".dcm", ".dicom", ".ima", ".img", ".zip", ".gz")
"""Suffixes that promise an image: such a file is named when it is none. What a file is, its content decides."""


@dataclass(frozen=True, slots=True)
class InputItem:
    """One input: a file, or the files of one DICOM series.

    Attributes:
        name: Unique among the inputs, relative, without suffix; made from file names and never from a header.
        kind: What the file is by its content.
        paths: Its files in a stable order; a reader finds their order in space.
        error: One line that says why it cannot be read; None where nothing is known against it.
    """

    name: str
    kind: FileKind
    paths: tuple[Path, ...] = field(default=(), repr=False)
    error: str | None = None


def plain_name(relative: PurePath) -> str:
    """Return a path without the suffix of an image; other dots belong to the name."""
    text = relative.as_posix()
    lower = text.lower()
    for suffix in sorted(IMAGE_SUFFIXES, key=len, reverse=True):
        if lower.endswith(suffix) and len(relative.name) > len(suffix):
            return text[: -len(suffix)]
    return text


def unique_names(items: Iterable[tuple[PurePath, InputItem]]) -> list[InputItem]:
    """Name items by their relative paths: without suffix, with it where two would be alike, then numbered."""
    listed = list(items)
    short = [plain_name(relative) for relative, _ in listed]
    folded = [name.casefold() for name in short]
    taken: set[str] = set()
    named = []
    for (relative, item), name, fold in zip(listed, short, folded, strict=True):
        wanted = relative.as_posix() if folded.count(fold) > 1 else name
        chosen, number = wanted, 1
        while chosen.casefold() in taken:
            number += 1
            chosen = f"{wanted}-{number}"
        taken.add(chosen.casefold())
        named.append(replace(item, name=chosen))
    return named
