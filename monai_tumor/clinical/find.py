"""What the user gave, to a list of inputs: files, folders, globs, lists, archives and media."""

from __future__ import annotations

import atexit
import glob
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

from monai_tumor.clinical.archives import unpack_zip
from monai_tumor.clinical.found import FoundFile, files_below, look_at, natural
from monai_tumor.clinical.grouping import group_dicom
from monai_tumor.clinical.items import InputItem, unique_names
from monai_tumor.clinical.kinds import FileKind
from monai_tumor.clinical.limits import STANDARD, Limits
from monai_tumor.clinical.media import files_of_medium
from monai_tumor.errors import WrongDataError

_LONGEST_LIST = 16 << 20


def find_inputs(
    arguments: Sequence[str | os.PathLike[str]], scratch: Path | None = None, limits: Limits = STANDARD
) -> list[InputItem]:
    """Find every input in files, folders, globs, list files (.txt, one argument a line), zip archives and DICOMDIRs.

    Folders are searched. DICOM slices of one series in one folder become one input. Headers are read, pixels are not.
    What cannot be used is an item with an ``error`` and stops nothing. A file that was given twice is found once.

    Args:
        arguments: In the order of the result.
        scratch: Where archives are unpacked; by default a temporary folder that goes when the program ends.
        limits: The bounds on archives and headers.

    Returns:
        Items with names that are unique, relative and free of header values.
    """
    search = _Search(scratch, limits)
    for argument in arguments:
        search.add(argument)
    return unique_names(_ordered(search.files, limits))


class _Search:
    def __init__(self, scratch: Path | None, limits: Limits) -> None:
        self.files: list[FoundFile] = []
        self._scratch = scratch
        self._limits = limits
        self._known: set[Path] = set()
        self._archives = 0

    def add(self, argument: str | os.PathLike[str], listed: bool = False) -> None:
        """Add what one argument stands for; ``listed`` ones come from a list file."""
        path = Path(argument)
        if path.is_dir():
            self._keep(self._opened(files_below(path, PurePath())))
        elif path.exists():
            self._add_file(path, PurePath(path.name), listed)
        elif glob.has_magic(str(path)):
            self._add_glob(path, listed)
        else:
            self._fail(path, f"{path} does not exist; check the name, or whether it was moved")

    def _add_file(self, path: Path, relative: PurePath, listed: bool) -> None:
        if not path.is_file():
            self._fail(path, f"{path} is neither a file nor a folder; give one of them")
            return
        found = look_at(path, relative)
        if found.kind is FileKind.UNKNOWN and path.suffix.lower() == ".txt" and not listed:
            self._add_list(path)
        elif found.kind is FileKind.DICOMDIR:
            self._keep(files_of_medium(path, relative))
        else:
            self._keep(self._opened([found]))

    def _add_glob(self, pattern: Path, listed: bool) -> None:
        found = glob.glob(str(pattern), recursive=True)  # noqa: PTH207, Path.glob takes no absolute pattern
        matches = sorted(map(Path, found), key=lambda path: natural(str(path)))
        if not matches:
            self._fail(pattern, f"{pattern} matches nothing; check the pattern")
        fixed = pattern.parts[: _first_magic(pattern)]
        base = Path(*fixed) if fixed else Path()
        for path in matches:
            if path.is_dir():
                self._keep(self._opened(files_below(path, PurePath(path.relative_to(base)))))
            else:
                self._add_file(path, PurePath(path.relative_to(base)), listed)

    def _add_list(self, path: Path) -> None:
        try:
            lines = _lines(path)
        except WrongDataError as error:
            self._fail(path, str(error))
            return
        for line in lines:
            self.add(path.parent / line, listed=True)

    def _opened(self, files: Iterable[FoundFile]) -> Iterable[FoundFile]:
        """Put the files of an archive in its place; archives inside are refused."""
        for found in files:
            if found.kind is not FileKind.ZIP:
                yield found
            elif found.path.suffix.lower() != ".npz":  # arrays of numpy are zip archives too
                yield from self._unpacked(found)

    def _unpacked(self, archive: FoundFile) -> Iterable[FoundFile]:
        self._archives += 1
        folder = self._folder() / f"archive-{self._archives}"
        folder.mkdir(parents=True)
        left_out: list[FoundFile] = []
        name, inside = archive.relative.as_posix(), archive.relative.with_suffix("")
        try:
            for place, error in unpack_zip(archive.path, folder, name, self._limits):
                if error:
                    left_out.append(FoundFile(folder / "absent", inside / place, FileKind.UNKNOWN, error))
        except WrongDataError as error:
            left_out.append(FoundFile(archive.path, archive.relative, FileKind.ZIP, str(error)))
        for found in files_below(folder, inside):
            if found.kind is FileKind.ZIP:
                why = f"{found.relative} is an archive in an archive; unpack it and give what is inside"
                yield FoundFile(found.path, found.relative, found.kind, why)
            else:
                yield found
        yield from left_out

    def _folder(self) -> Path:
        if self._scratch is None:
            temporary = tempfile.TemporaryDirectory(prefix="monai-tumor-")
            atexit.register(temporary.cleanup)
            self._scratch = Path(temporary.name)
        return self._scratch

    def _keep(self, files: Iterable[FoundFile]) -> None:
        for found in files:
            real = found.path.resolve()
            if found.kind is FileKind.DICOMDIR or (found.error is None and real in self._known):
                continue
            self._known.add(real)
            self.files.append(found)

    def _fail(self, path: Path, error: str) -> None:
        self.files.append(FoundFile(path, PurePath(path.name or "input"), FileKind.UNKNOWN, error))


def _ordered(files: Sequence[FoundFile], limits: Limits) -> list[tuple[PurePath, InputItem]]:
    """Return the items in the order of their first files."""
    dicom = [found for found in files if found.kind is FileKind.DICOM and found.error is None]
    items = group_dicom(dicom, limits)
    taken = set(map(id, dicom))
    items += [
        (found.relative, InputItem("", found.kind, (found.path,), found.error))
        for found in files
        if id(found) not in taken
    ]
    place = {found.path: index for index, found in reversed(list(enumerate(files)))}
    return sorted(items, key=lambda item: place[item[1].paths[0]])


def _first_magic(pattern: Path) -> int:
    return next(index for index, part in enumerate(pattern.parts) if glob.has_magic(part))


def _lines(path: Path) -> list[str]:
    if path.stat().st_size > _LONGEST_LIST:
        raise WrongDataError(f"{path} is too long for a list of inputs; divide it, or give a folder")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError):
        raise WrongDataError(f"{path} is no list of inputs in UTF-8; write one file or folder a line") from None
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]
