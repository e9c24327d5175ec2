"""DICOM headers: what is let in, and how the others are named."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest

from monai_tumor.clinical.dicom_open import open_dicom
from monai_tumor.clinical.limits import Limits
from monai_tumor.errors import WrongDataError


def refusal(path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(WrongDataError) as caught:
        open_dicom(path, "scan", limits or Limits())
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("uid", "words"),
    [
        ("1.2.840.10008.5.1.4.1.1.66.4", "is a DICOM Segmentation, expected an image; it is a result"),
        ("1.2.840.10008.5.1.4.1.1.66.7", "is a DICOM Label Map Segmentation"),
        ("1.2.840.10008.5.1.4.1.1.88.33", "is a DICOM Comprehensive SR, expected an image; it is a report"),
        ("1.2.840.10008.5.1.4.1.1.481.2", "is a DICOM RT Dose"),
        ("1.2.840.10008.5.1.4.1.1.30", "is a DICOM Parametric Map"),
        ("1.2.840.10008.5.1.4.1.1.11.1", "is a DICOM Grayscale Softcopy Presentation State"),
        ("1.2.840.10008.5.1.4.1.1.88.59", "is a DICOM Key Object Selection Document"),
        ("1.2.840.10008.5.1.4.1.1.104.1", "is a DICOM Encapsulated PDF"),
        ("1.2.840.10008.5.1.4.1.1.9.1.1", "Waveform"),
        ("1.2.840.10008.5.1.4.1.1.77.1.6", "Whole Slide"),
    ],
)
def test_other_objects_are_named(
    tmp_path: Path, write_dicom: Callable[..., Path], ramp: np.ndarray, uid: str, words: str
):
    assert words in refusal(write_dicom(tmp_path / "x", ramp, SOPClassUID=uid))


def test_an_unknown_class_with_pixels_is_an_image(tmp_path: Path, write_dicom: Callable[..., Path], ramp: np.ndarray):
    assert open_dicom(write_dicom(tmp_path / "x", ramp, SOPClassUID="1.2.3.4"), "scan").dataset.Rows == 6


def test_missing_parts_are_named(tmp_path: Path, write_dicom: Callable[..., Path], ramp: np.ndarray) -> None:
    lacking = write_dicom(tmp_path / "a", ramp, Rows=None, BitsStored=None)
    assert "scan lacks Rows, BitsStored, which every DICOM image has" in refusal(lacking)
    assert "scan has no pixel data" in refusal(write_dicom(tmp_path / "b", ramp, PixelData=None))


def test_a_file_without_file_meta_is_read_and_said_so(
    tmp_path: Path, write_dicom: Callable[..., Path], ramp: np.ndarray
):
    dataset = pydicom.dcmread(write_dicom(tmp_path / "a", ramp))
    del dataset.file_meta
    dataset.save_as(tmp_path / "b", enforce_file_format=False, implicit_vr=False, little_endian=True)
    opened = open_dicom(tmp_path / "b", "scan")
    assert opened.notes == ("the file does not state its transfer syntax; read as Explicit VR Little Endian",)


def test_a_deflated_bomb_is_refused_before_it_is_inflated(tmp_path: Path, write_dicom: Callable[..., Path], ramp):
    plain = write_dicom(tmp_path / "a", ramp).read_bytes()
    dataset = pydicom.dcmread(tmp_path / "a")
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    dataset.save_as(tmp_path / "b")
    assert open_dicom(tmp_path / "b", "scan").dataset.Rows == 6
    start = 144 + int.from_bytes((tmp_path / "b").read_bytes()[140:144], "little")
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(40)) + packer.flush()
    (tmp_path / "b").write_bytes((tmp_path / "b").read_bytes()[:start] + bomb)
    assert "scan inflates to more than 32 MB" in refusal(tmp_path / "b", Limits(header_bytes=32 << 20)) and plain


def test_an_element_that_claims_gigabytes_costs_nothing(tmp_path: Path, write_dicom: Callable[..., Path], ramp) -> None:
    content = write_dicom(tmp_path / "a", ramp).read_bytes()
    at = content.rindex(b"\xe0\x7f\x10\x00OB\0\0") + 8
    (tmp_path / "a").write_bytes(content[:at] + b"\xf0\xff\xff\xff" + content[at + 4 :])
    tracemalloc.start()
    opened = open_dicom(tmp_path / "a", "scan")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert opened.dataset.Rows == 6 and peak < 8 << 20  # the file claims 4 GiB


def test_nesting_without_end_is_an_ordinary_refusal(tmp_path: Path, write_dicom: Callable[..., Path], ramp) -> None:
    content = write_dicom(tmp_path / "a", ramp).read_bytes()
    deep = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * 5000
    start = 144 + int.from_bytes(content[140:144], "little")
    (tmp_path / "a").write_bytes(content[:start] + deep)
    assert "scan is damaged: its DICOM header cannot be read" in refusal(tmp_path / "a")
