"""Files of folders, as they come, before it is known which belong together."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from monai_tumor.clinical.items import IMAGE_SUFFIXES
from monai_tumor.clinical.kinds import FileKind, file_kind

_HEAD = 512


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file and what is known of it.

    Attributes:
        path: Where it lies.
        relative: Its place below what the user gave; what it is called.
        kind: What it is by its content.
        error: One line that says why it cannot be used.
    """

    path: Path
    relative: PurePath
    kind: FileKind
    error: str | None = None


def look_at(path: Path, relative: PurePath) -> FoundFile:
    """Return what one file is; one that cannot be opened or is nothing that is read carries its error."""
    try:
        kind = file_kind(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return FoundFile(path, relative, FileKind.UNKNOWN, f"{relative} cannot be opened: {reason}; check its rights")
    return FoundFile(path, relative, kind, _refusal(kind, relative))


def files_below(folder: Path, relative: PurePath) -> Iterator[FoundFile]:
    """Yield the files below a folder in natural order; hidden ones, links to folders and plain text are passed over.

    A file that is nothing that is read is yielded with an error where its name promises an image, or where it has no
    suffix and is not text (DICOM files have none on media), and is passed over otherwise.
    """
    for place, folders, files in os.walk(folder):
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=natural)
        for name in sorted((name for name in files if not name.startswith(".")), key=natural):
            path = Path(place, name)
            if not path.is_file():  # a pipe would be waited for, a device read for ever
                continue
            found = look_at(path, relative / path.relative_to(folder))
            if found.error is None or _promises_an_image(path, found.kind):
                yield found


def natural(name: str) -> list[tuple[int, int | str]]:
    """Return a key that sorts 2 before 10."""
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part)) if part.isascii() and part.isdigit() else (1, part.casefold()) for part in parts if part]


def _refusal(kind: FileKind, relative: PurePath) -> str | None:
    if kind is FileKind.EMPTY:
        return f"{relative} is empty (0 bytes), expected an image; copy or export it again"
    if kind is FileKind.GZIP:
        return f"{relative} is packed with gzip and no NIfTI; unpack it (gunzip) and give what is inside"
    if kind is FileKind.UNKNOWN:
        known = "DICOM, NIfTI, MetaImage, NRRD, PNG, JPEG, TIFF, BMP, GIF or WebP"
        return f"{relative} is nothing that is read here, expected {known}; convert it"
    return None


def _promises_an_image(path: Path, kind: FileKind) -> bool:
    if path.name.lower().endswith(IMAGE_SUFFIXES):
        return True
    if path.suffix and not path.suffix[1:].isdigit():  # 1.2.840.113 has no suffix but a last number
        return False
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return kind is not FileKind.EMPTY and any(byte < 9 or 13 < byte < 32 for byte in head)
