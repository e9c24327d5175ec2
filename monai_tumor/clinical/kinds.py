"""What a file is, by its first bytes and never by its name."""

from __future__ import annotations

import enum
import os
import re
import zlib
from pathlib import Path
from typing import Literal

_HEAD = 4096
_LONGEST_FIRST_VALUE = 256
_DICOMDIR = b"1.2.840.10008.1.3.10"
_PICTURES = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
    b"BM",
    b"GIF87a",
    b"GIF89a",
)
_METAIMAGE = re.compile(rb"^(NDims|DimSize|ObjectType|ElementType)\s*=", re.MULTILINE)
_VALUE_REPRESENTATION = re.compile(rb"A[EST]|CS|D[AST]|F[LD]|IS|L[OT]|PN|S[HQLST]|TM|U[CILNRST]|O[BDFLVW]")


class FileKind(enum.StrEnum):
    """Kinds of files that are told apart."""

    PICTURE = "picture"
    DICOM = "DICOM"
    DICOMDIR = "DICOMDIR"
    NIFTI = "NIfTI"
    METAIMAGE = "MetaImage"
    NRRD = "NRRD"
    ZIP = "zip"
    GZIP = "gzip"
    EMPTY = "empty"
    UNKNOWN = "unknown"


def file_kind(path: str | os.PathLike[str]) -> FileKind:
    """Return what ``path`` is; a compressed NIfTI is ``NIFTI``, anything else in gzip is ``GZIP``.

    Raises:
        OSError: The file cannot be opened.
    """
    with Path(path).open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"\x1f\x8b"):
        return FileKind.NIFTI if _is_nifti(_inflated(head)) else FileKind.GZIP
    return _kind_of(head)


def _kind_of(head: bytes) -> FileKind:
    if not head:
        return FileKind.EMPTY
    if head[128:132] == b"DICM":
        return FileKind.DICOMDIR if _DICOMDIR in head[132:512] else FileKind.DICOM
    if head.startswith(_PICTURES) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP"):
        return FileKind.PICTURE
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return FileKind.ZIP
    if _is_nifti(head):
        return FileKind.NIFTI
    if head.startswith(b"NRRD000"):
        return FileKind.NRRD
    if len(_METAIMAGE.findall(head)) >= 2:
        return FileKind.METAIMAGE
    return FileKind.DICOM if _is_bare_dicom(head) else FileKind.UNKNOWN


def _is_nifti(head: bytes) -> bool:
    return head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0")


def _inflated(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(head, _HEAD)
    except zlib.error:
        return b""


def _is_bare_dicom(head: bytes) -> bool:
    """Say whether the first element looks like DICOM without preamble: group 0002 or 0008 and a plausible length."""
    if len(head) < 16:
        return False
    order: Literal["little", "big"] = "big" if head[:2] == b"\0\x08" else "little"
    group, element = int.from_bytes(head[:2], order), int.from_bytes(head[2:4], order)
    implicit = order == "little" and int.from_bytes(head[4:8], order) <= _LONGEST_FIRST_VALUE
    return group in (2, 8) and element <= 0x0200 and (implicit or bool(_VALUE_REPRESENTATION.match(head[4:6])))
