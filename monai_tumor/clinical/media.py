"""DICOMDIR: the files that a DICOM medium lists, if they are below it and there."""

from __future__ import annotations

from pathlib import Path, PurePath

from monai_tumor.clinical.found import FoundFile, files_below, look_at
from monai_tumor.clinical.kinds import FileKind
from monai_tumor.clinical.limits import guarded
from monai_tumor.errors import ToolkitError

_PART = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def files_of_medium(dicomdir: Path, relative: PurePath) -> list[FoundFile]:
    """Return the files that a DICOMDIR lists; those that are not there are errors.

    A DICOMDIR that cannot be read or lists nothing is passed over and the files below its folder are returned.
    """
    root = dicomdir.parent
    try:
        listed = _listed(dicomdir, relative.as_posix())
    except ToolkitError:
        listed = []
    if not listed:
        return [found for found in files_below(root, PurePath()) if found.kind is not FileKind.DICOMDIR]
    return [_look(root, parts, relative) for parts in dict.fromkeys(listed)]


def _listed(dicomdir: Path, name: str) -> list[tuple[str, ...]]:
    import pydicom

    with guarded(name, "its records"):
        records = pydicom.dcmread(dicomdir).get("DirectoryRecordSequence") or []
        found = [record.get("ReferencedFileID") for record in records]
        return [(part,) if isinstance(part, str) else tuple(map(str, part)) for part in found if part]


def _look(root: Path, parts: tuple[str, ...], relative: PurePath) -> FoundFile:
    """Look at one listed file; components that are no DICOM file names (such as ``..``) are not followed."""
    place = PurePath(*parts)
    if not all(set(part.upper()) <= _PART and part for part in parts):
        error = f"{relative} lists a file under an impossible name; give the folder instead"
        return FoundFile(root, relative, FileKind.UNKNOWN, error)
    path = next((path for path in (root / place, root / place.as_posix().lower()) if path.is_file()), None)
    if path is None or root.resolve() not in path.resolve().parents:
        error = f"{place.as_posix()} is listed in {relative} and is not there; copy the whole medium"
        return FoundFile(root / place, place, FileKind.UNKNOWN, error)
    return look_at(path, place)
