"""Text headers of MetaImage and NRRD: enough of them to know what a file claims before ITK reads it."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from monai_tumor.clinical.kinds import FileKind
from monai_tumor.clinical.limits import STANDARD, Limits, check_decoded, guarded
from monai_tumor.errors import WrongDataError

_LONGEST = 1 << 16
_CHUNK = 1 << 20
_META_BYTES = {"CHAR": 1, "UCHAR": 1, "SHORT": 2, "USHORT": 2, "INT": 4, "UINT": 4, "LONG_LONG": 8, "ULONG_LONG": 8}
_META_BYTES |= {"FLOAT": 4, "DOUBLE": 8, "LONG": 8, "ULONG": 8}
_NRRD_BYTES = (
    (r"(u?int8(_t)?|(un)?signed char|uchar)", 1),
    (r"(u?int16(_t)?|(signed |unsigned )?short( int)?|ushort)", 2),
    (r"(u?int32(_t)?|(signed |unsigned )?int|uint|float)", 4),
    (r"(u?int64(_t)?|(signed |unsigned )?long long( int)?|u?longlong|double)", 8),
)
_ORIENTED = re.compile(r"(left|right)-(posterior|anterior)-(superior|inferior)|[LR][PA][SI]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TextHeader:
    """What a MetaImage or NRRD header claims.

    Attributes:
        shape: Voxels along the stored axes, 2 or 3 of them.
        oriented: Whether it states directions in the patient.
        spaced: Whether it states distances.
    """

    shape: tuple[int, ...]
    oriented: bool
    spaced: bool


def check_text_header(path: Path, kind: FileKind, name: str, limits: Limits = STANDARD) -> TextHeader:
    """Read a header and compare it with the bytes that are there; ITK would invent what is missing.

    Raises:
        WrongDataError: The header is damaged, claims too much, names a file elsewhere, or the voxels are cut off.
    """
    with guarded(name, f"its {kind} header"):
        with path.open("rb") as file:
            head = file.read(_LONGEST)
        meta = kind is FileKind.METAIMAGE
        fields, start = _meta_fields(head, name) if meta else _nrrd_fields(head, name)
        shape = tuple(int(side) for side in fields["dimsize" if meta else "sizes"].split())
        if len(shape) not in (2, 3) or int(fields.get("elementnumberofchannels", "1")) != 1:
            raise WrongDataError(
                f"{name} has {len(shape)} axes or several channels, expected one grey volume; convert it"
            )
        total = check_decoded(name, shape, _item_bytes(fields, meta, name), limits)
        data = _data_file(path, fields, meta, name)
        packed = fields.get("compresseddata", "").lower() == "true" if meta else fields.get("encoding") != "raw"
        _check_data(data or path, 0 if data else start, total, packed, name)
    return _claims(fields, shape, meta)


def _meta_fields(head: bytes, name: str) -> tuple[dict[str, str], int]:
    found = re.search(rb"^ElementDataFile[ \t]*=[^\n]*\n", head, re.MULTILINE)
    if found is None:
        raise WrongDataError(f"{name} is cut off: its MetaImage header has no end; copy or export it again")
    lines = head[: found.end()].decode("latin-1").splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {key.strip().lower(): value.strip() for key, value in pairs}, found.end()


def _nrrd_fields(head: bytes, name: str) -> tuple[dict[str, str], int]:
    found = re.search(rb"\r?\n\r?\n", head)
    end = found.end() if found else len(head)
    lines = head[:end].decode("latin-1").splitlines()[1:]
    pairs = (re.split(r":=?", line, maxsplit=1) for line in lines if ":" in line and not line.startswith("#"))
    fields = {key.strip().lower().replace(" ", ""): value.strip() for key, value in pairs}
    if found is None and "datafile" not in fields:
        raise WrongDataError(f"{name} is cut off: its NRRD header has no end; copy or export it again")
    if fields.get("encoding") == "gz":
        fields["encoding"] = "gzip"
    if fields.get("encoding") not in ("raw", "gzip"):
        raise WrongDataError(f"{name} has an encoding that is not read, expected raw or gzip; convert it")
    return fields, end


def _item_bytes(fields: dict[str, str], meta: bool, name: str) -> int:
    if meta:
        size = _META_BYTES.get(fields["elementtype"].removeprefix("MET_"))
    else:
        size = next((size for words, size in _NRRD_BYTES if re.fullmatch(words, fields["type"])), None)
    if size is None:
        raise WrongDataError(f"{name} has values of a type that is not read, expected grey numbers; convert it")
    return size


def _data_file(path: Path, fields: dict[str, str], meta: bool, name: str) -> Path | None:
    """Return the file beside the header that holds the voxels; one that lies elsewhere is never opened."""
    given = fields["elementdatafile"] if meta else fields.get("datafile", "LOCAL")
    if given.upper() == "LOCAL":
        return None
    beside = path.parent / given
    if not re.fullmatch(r"[^/\\%\s][^/\\%]*", given) or given == ".." or beside.is_symlink():
        raise WrongDataError(f"{name} takes its voxels from another place than its folder; save it as one file")
    if not beside.is_file():
        raise WrongDataError(f"{name} needs the file of its voxels beside it, which is not there; copy it too")
    return beside


def _check_data(data: Path, start: int, total: int, packed: bool, name: str) -> None:
    there = _unpacked_bytes(data, start, total, name) if packed else data.stat().st_size - start
    if there < total:
        raise WrongDataError(f"{name} is cut off: {there:,} of {total:,} bytes of voxels; copy or export it again")
    if packed and there > total:
        raise WrongDataError(f"{name} holds more voxels than its header says; it is broken, convert it again")


def _unpacked_bytes(data: Path, start: int, most: int, name: str) -> int:
    inflater, count = zlib.decompressobj(zlib.MAX_WBITS | 32), 0
    with data.open("rb") as file:
        file.seek(start)
        fed = file.read(_CHUNK)
        while fed and not inflater.eof and count <= most:
            count += len(inflater.decompress(fed, _CHUNK))
            fed = inflater.unconsumed_tail or file.read(_CHUNK)
    if count == most and not inflater.eof:
        inflater.decompress(b"", 1)
        if not inflater.eof:
            raise WrongDataError(f"{name} is cut off after its voxels; copy or export it again")
    return count


def _claims(fields: dict[str, str], shape: tuple[int, ...], meta: bool) -> TextHeader:
    if meta:
        turned = any(key in fields for key in ("transformmatrix", "rotation", "orientation"))
        return TextHeader(shape, turned and len(shape) == 3, "elementspacing" in fields)
    directions = "spacedirections" in fields
    oriented = directions and bool(_ORIENTED.fullmatch(fields.get("space", "")))
    return TextHeader(shape, oriented and len(shape) == 3, directions or "spacings" in fields)
