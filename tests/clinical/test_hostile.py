"""Damaged and hostile files end as one line, within the limits, and tell nothing of the patient."""

from __future__ import annotations

import gzip
import io
import logging
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from monai_tumor.clinical.find import find_inputs
from monai_tumor.clinical.isolate import IsolatedReader
from monai_tumor.clinical.limits import Limits
from monai_tumor.clinical.read import read_source
from monai_tumor.errors import ToolkitError

PLANTED = "Plantagenet"
MEMORY_MB = 512
LIMITS = Limits(decoded_bytes=40 << 20)


@pytest.fixture
def good(tmp_path: Path, write_series, write_dicom, write_nifti, block: np.ndarray) -> dict[str, bytes]:
    """One file of each kind that is read."""
    colour = np.random.default_rng(0).integers(0, 255, (6, 8, 3)).astype(np.uint8)
    buffer, tiff = io.BytesIO(), io.BytesIO()
    Image.fromarray(colour).save(buffer, "PNG")
    Image.fromarray(colour).save(tiff, "TIFF")
    jpeg = io.BytesIO()
    Image.fromarray(colour).save(jpeg, "JPEG")
    encapsulated = pydicom.dcmread(write_dicom(tmp_path / "made" / "j", colour, PhotometricInterpretation="YBR_FULL"))
    encapsulated.PixelData = pydicom.encaps.encapsulate([jpeg.getvalue()])
    encapsulated["PixelData"].is_undefined_length = True
    encapsulated.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.50"
    encapsulated.save_as(tmp_path / "made" / "j")
    made = {
        "still.dcm": write_dicom(tmp_path / "made" / "a", colour).read_bytes(),
        "jpeg.dcm": (tmp_path / "made" / "j").read_bytes(),
        "slice.dcm": write_series(tmp_path / "made", block)[0].read_bytes(),
        "volume.nii": write_nifti(tmp_path / "made" / "v.nii", block, np.diag([1, 2, 3, 1])).read_bytes(),
        "volume.nii.gz": write_nifti(tmp_path / "made" / "v.nii.gz", block, np.diag([1, 2, 3, 1])).read_bytes(),
        "picture.png": buffer.getvalue(),
        "picture.tif": tiff.getvalue(),
        "picture.jpg": jpeg.getvalue(),
    }
    header = "NRRD0004\ntype: uint16\ndimension: 3\nsizes: 8 6 5\nencoding: gzip\nendian: little\n\n"
    made["volume.nrrd"] = header.encode() + gzip.compress(block.tobytes())
    return made


def damaged(content: bytes, seed: int) -> dict[str, bytes]:
    """Return a file cut off, with bits turned over, with an overwritten head, and with a run of zeros."""
    random = np.random.default_rng(seed)
    flipped = np.frombuffer(content, np.uint8).copy()
    flipped[random.integers(0, len(content), 1 + len(content) // 60)] ^= 1 << int(random.integers(0, 8))
    head = bytearray(content)
    head[:400] = random.integers(0, 256, min(400, len(content)), dtype=np.uint8).tobytes()
    at = int(random.integers(0, len(content)))
    zeros = content[:at] + bytes(min(64, len(content) - at)) + content[at + 64 :]
    return {"cut": content[: at or 1], "bits": flipped.tobytes(), "head": bytes(head), "zeros": zeros}


def bombs() -> dict[str, bytes]:
    """Return small files that claim or become large ones."""
    zeros = zlib.compress(bytes(30 << 20))
    nifti = bytearray(352)
    nifti[:4], nifti[344:348] = (348).to_bytes(4, "little"), b"n+1\0"
    nifti[40:48] = np.array([3, 400, 400, 300], "<i2").tobytes()
    nifti[70:74], nifti[108:112] = np.array([2, 8], "<i2").tobytes(), np.array([352], "<f4").tobytes()
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = (
        packer.compress(bytes(nifti)) + b"".join(packer.compress(bytes(1 << 20)) for _ in range(1236)) + packer.flush()
    )
    picture = io.BytesIO()
    Image.new("1", (7000, 7000)).save(picture, "PNG")
    header = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 9000 9000 9000\nencoding: gzip\n\n"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.dcm", bytes(30 << 20))
    return {
        "bomb.nii.gz": bomb,
        "huge.nii": bytes(nifti),
        "bomb.png": picture.getvalue(),
        "bomb.nrrd": header.encode() + zeros,
        "bomb.zip": archive.getvalue(),
        "empty.dcm": b"",
        "words.nii": b"words",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of a process")
def test_sixty_damaged_files_among_good_ones(tmp_path: Path, good: dict[str, bytes]) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    wrong = {
        f"{how}-{name}": bad
        for k, (name, content) in enumerate(good.items())
        for how, bad in damaged(content, k).items()
    }
    wrong |= {
        f"{how}2-{name}": bad
        for k, (name, content) in enumerate(good.items())
        for how, bad in damaged(content, k + 99).items()
    }
    wrong |= bombs()
    for k, content in enumerate(good.values()):
        (folder / f"good-{k}").write_bytes(content)  # no suffix: content decides
    for name, content in wrong.items():
        (folder / f"{name}.png" if len(name) % 5 == 0 else folder / name).write_bytes(content)
    assert len(wrong) >= 60
    items = find_inputs([folder], tmp_path / "scratch")
    read, refused = [], []
    with IsolatedReader(MEMORY_MB, 20, LIMITS) as reader:
        for item in items:
            try:
                read.append(reader.read(item).name)
            except ToolkitError as error:
                refused.append(str(error))
    assert {f"good-{k}" for k in range(len(good))} <= {name.removesuffix(".png") for name in read}
    assert len(read) + len(refused) == len(items) >= len(wrong) + len(good) - 8  # slices of one series are one item
    assert all("\n" not in error and len(error) < 300 for error in refused)
    assert not any(PLANTED in error for error in refused)
    for name in ("bomb", "huge", "empty", "words"):
        assert any(name in error for error in refused), name


@pytest.mark.parametrize("keyword", ["Rows", "NumberOfFrames", "ImagePositionPatient", "RescaleSlope", "BitsAllocated"])
def test_a_name_in_any_element_is_not_told(
    tmp_path: Path, write_series: Callable[..., list[Path]], block, keyword: str, caplog, capfd
) -> None:
    path = write_series(tmp_path / "series", block)[0]
    dataset = pydicom.dcmread(path)
    raw = dataset.get_item(keyword) if keyword in dataset else None
    content = path.read_bytes()
    if raw is not None:
        at = content.index(dataset[keyword].tag.group.to_bytes(2, "little") + raw.tag.element.to_bytes(2, "little"))
        content = (
            content[: at + 8]
            + PLANTED.encode()[: int.from_bytes(content[at + 6 : at + 8], "little")]
            + content[at + 8 + min(len(PLANTED), int.from_bytes(content[at + 6 : at + 8], "little")) :]
        )
        path.write_bytes(content)
    told = told_about(tmp_path / "series", caplog, capfd)
    assert PLANTED not in told and PLANTED[:8] not in told


def test_nothing_planted_is_told(
    tmp_path: Path, write_series, write_dicom, write_nifti, block, ramp, caplog, capfd
) -> None:
    write_series(tmp_path / "series", block)
    write_dicom(tmp_path / "still.dcm", ramp, Modality=PLANTED.upper(), BurnedInAnnotation=PLANTED.upper())
    write_dicom(tmp_path / "cut.dcm", ramp, Rows=999)
    write_dicom(tmp_path / "class.dcm", ramp, PixelData=None, SOPClassUID="1.2.3")
    write_dicom(tmp_path / "sr.dcm", ramp, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11")
    write_nifti(tmp_path / "v.nii", block, np.diag([1, 2, 3, 1]))
    told = told_about(tmp_path, caplog, capfd)
    assert PLANTED.lower() not in told.lower() and "series" in told and "cut" in told


def told_about(folder: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> str:
    """Return everything that reading a folder prints, logs, raises, and shows of itself."""
    caplog.set_level(logging.DEBUG)
    told = []
    for item in find_inputs([folder]):
        told.append(repr(item))
        try:
            image = read_source(item)
            told += [repr(image), repr(image.origin), repr(image.geometry), *image.notes]
        except ToolkitError as error:
            told += [repr(error), str(error.__cause__)]
    captured = capfd.readouterr()
    return "\n".join([*told, caplog.text, captured.out, captured.err]).replace(str(folder), "")
