"""Kinds by content."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_tumor.clinical.kinds import FileKind, file_kind


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((3, 4), np.uint8)).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WebP"])
def test_pictures(tmp_path: Path, kind: str) -> None:
    (tmp_path / "scan.dcm").write_bytes(encoded(kind))
    assert file_kind(tmp_path / "scan.dcm") is FileKind.PICTURE


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", FileKind.EMPTY),
        (b"plain words", FileKind.UNKNOWN),
        (b"\0" * 128 + b"DICM", FileKind.DICOM),
        (b"\0" * 128 + b"DICM" + b"\2\0\2\0UI\x14\x001.2.840.10008.1.3.10", FileKind.DICOMDIR),
        (b"\x08\0\x05\0CS\x0a\0ISO_IR 100", FileKind.DICOM),
        (b"\x08\0\x05\0\x0a\0\0\0ISO_IR 100", FileKind.DICOM),
        (b"\0\x08\0\x05CS\0\x0aISO_IR 100", FileKind.DICOM),
        (b"\0" * 344 + b"n+1\0", FileKind.NIFTI),
        (b"\0" * 4 + b"n+2\0", FileKind.NIFTI),
        (gzip.compress(b"\0" * 344 + b"n+1\0"), FileKind.NIFTI),
        (gzip.compress(b"\0" * 128 + b"DICM"), FileKind.GZIP),
        (b"\x1f\x8bdamaged", FileKind.GZIP),
        (b"NRRD0004\n", FileKind.NRRD),
        (b"ObjectType = Image\nNDims = 3\n", FileKind.METAIMAGE),
    ],
)
def test_others(tmp_path: Path, content: bytes, kind: FileKind) -> None:
    (tmp_path / "scan.png").write_bytes(content)
    assert file_kind(tmp_path / "scan.png") is kind


def test_archives(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.nii", "w") as archive:
        archive.writestr("a.txt", "words")
    assert file_kind(tmp_path / "x.nii") is FileKind.ZIP
