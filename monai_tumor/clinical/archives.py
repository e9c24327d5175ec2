"""Zip archives, unpacked member by member under bounds; nothing lands outside the folder that was given for it."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from monai_tumor.clinical.limits import STANDARD, Limits
from monai_tumor.errors import WrongDataError

_CHUNK = 1 << 20
_SMALL = 16 << 20
_ENCRYPTED = 1
_LONGEST_NAME = 200


def unpack_zip(
    path: Path, folder: Path, name: str, limits: Limits = STANDARD
) -> Iterator[tuple[PurePosixPath, str | None]]:
    """Unpack an archive and yield the place of every file in it, with an error where it was left out.

    Directories, hidden files and the resource forks of macOS are passed over. Archives in the archive are unpacked as
    files and not opened.

    Args:
        path: The archive.
        folder: An empty folder for its files.
        name: What the archive is called in messages.
        limits: The bounds on count, size and compression.

    Raises:
        WrongDataError: The archive is damaged, or holds more files or more bytes than allowed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _check_claims(members, name, limits)
            left = limits.unpacked_bytes
            seen: set[str] = set()
            for member in members:
                place = PurePosixPath(member.filename)
                if any(part.startswith(".") and part != ".." for part in place.parts) or "__MACOSX" in place.parts:
                    continue
                error = _refusal(member, place, seen, limits)
                seen.add(place.as_posix().casefold())
                if error is None:
                    size, error = _unpack(archive, member, folder.joinpath(*place.parts), left, name)
                    left -= size
                yield _shown(place), error and f"{name}: {_shown(place)} {error}"
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError) as error:
        raise WrongDataError(f"{name} is a damaged zip archive ({type(error).__name__}); make it again") from None


def _check_claims(members: list[zipfile.ZipInfo], name: str, limits: Limits) -> None:
    if len(members) > limits.members:
        raise WrongDataError(f"{name} holds {len(members):,} files, more than {limits.members:,}; divide it")
    total = sum(member.file_size for member in members)
    if total > limits.unpacked_bytes:
        most = limits.unpacked_bytes >> 20
        raise WrongDataError(f"{name} would unpack to {total >> 20:,} MB, more than {most:,} MB; divide it")


def _refusal(member: zipfile.ZipInfo, place: PurePosixPath, seen: set[str], limits: Limits) -> str | None:
    """Return why a member is left out: two names at one place, a link, a way out of the folder, or a bomb."""
    named = member.filename
    strange = place.is_absolute() or ".." in place.parts or "\\" in named or ":" in named or not named.isprintable()
    if strange or len(named) > _LONGEST_NAME:
        return "has a name that leads elsewhere or is no file name; it is left out"
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return "is a link or a device; it is left out"
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted; unpack the archive with its password and give the folder"
    if place.as_posix().casefold() in seen:
        return "is there twice; only the first one is read"
    if member.file_size > _SMALL and member.file_size > limits.ratio * max(1, member.compress_size):
        return f"is compressed more than {limits.ratio} times, which no image is; it is left out"
    return None


def _unpack(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left: int, name: str
) -> tuple[int, str | None]:
    """Write one member; the count of bytes is our own, because the archive's may be false."""
    written = 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, target.open("xb") as file:
            while part := source.read(_CHUNK):
                written += len(part)
                if written > min(left, member.file_size):
                    raise zipfile.BadZipFile
                file.write(part)
    except Exception as error:  # zlib, lzma and bz2 raise their own kinds
        target.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            raise WrongDataError(
                f"{name} cannot be unpacked: {error.strerror}; make room in the temporary folder"
            ) from None
        return written, "is damaged; make the archive again"
    return written, None


def _shown(place: PurePosixPath) -> PurePosixPath:
    """Return a place that may stand in a message and in a name, whatever the archive says."""
    parts = [part for part in place.parts if part not in ("..", "/")]
    clean = ["".join(sign if sign.isprintable() and sign not in "\\:" else "_" for sign in part) for part in parts]
    return PurePosixPath(*(part[:_LONGEST_NAME] for part in clean)) if clean else PurePosixPath("member")
