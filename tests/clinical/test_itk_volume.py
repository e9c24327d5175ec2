"""MetaImage and NRRD, written by ITK."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from monai_tumor.clinical.find import find_inputs
from monai_tumor.clinical.itk_files import load_itk
from monai_tumor.clinical.read import read_source
from monai_tumor.clinical.source import ImageKind, SourceImage
from monai_tumor.errors import WrongDataError

SUFFIXES = (".mha", ".mhd", ".nrrd", ".nhdr")


@pytest.fixture(scope="module")
def itk():
    return load_itk()


def write(itk, path: Path, block: np.ndarray, packed: bool = False) -> Path:
    image = itk.image_from_array(block)
    image.SetSpacing([0.75, 0.5, 3.5])
    image.SetOrigin([-10.0, -20.0, 0.0])
    itk.imwrite(image, str(path), compression=packed)
    return path


def read(path: Path) -> SourceImage:
    return read_source(find_inputs([path])[0])


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_same_place_as_the_dicom_series(tmp_path: Path, itk, write_series, block, suffix: str, packed: bool) -> None:
    write_series(tmp_path / "series", block)
    image, series = read(write(itk, tmp_path / f"x{suffix}", block, packed)), read(tmp_path / "series")
    assert image.kind is ImageKind.VOLUME and np.array_equal(image.stack, series.stack) and image.decoder == "itk"
    assert image.geometry.affine is not None and np.allclose(image.geometry.affine, series.geometry.affine)
    assert image.geometry.spacing_mm == series.geometry.spacing_mm == (0.5, 0.75)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("suffix", [".mha", ".nrrd"])
def test_a_cut_off_file_is_never_filled_up(tmp_path: Path, itk, suffix: str, packed: bool) -> None:
    noise = np.random.default_rng(0).integers(0, 9999, (10, 20, 30)).astype(np.uint16)
    path = write(itk, tmp_path / f"x{suffix}", noise, packed)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(WrongDataError, match="x is cut off"):
        read(path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"DimSize = 8 6 5", b"DimSize = 8 60000 50000", "MB that are decoded"),
        (b"DimSize = 8 6 5", b"DimSize = 8 6 6", "is cut off: 480 of 576 bytes"),
        (b"MET_USHORT", b"MET_OTHER", "values of a type that is not read"),
        (b"= LOCAL", b"= ../secret.raw", "takes its voxels from another place"),
        (b"= LOCAL", b"= /etc/passwd", "takes its voxels from another place"),
        (b"= LOCAL", b"= absent.raw", "needs the file of its voxels beside it"),
        (b"NDims = 3", b"NDims = x", "is damaged"),
    ],
)
def test_headers_that_cannot_be_true(tmp_path: Path, itk, block, old: bytes, new: bytes, words: str) -> None:
    path = write(itk, tmp_path / "x.mha", block)
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(WrongDataError) as caught:
        read(path)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_nothing_stated_is_nothing_known(tmp_path: Path, block: np.ndarray) -> None:
    header = "NRRD0004\ntype: uint16\ndimension: 3\nsizes: 8 6 5\nencoding: raw\nendian: little\n\n"
    (tmp_path / "x.nrrd").write_bytes(header.encode() + block.tobytes())
    image = read(tmp_path / "x.nrrd")
    assert np.array_equal(image.stack, block) and image.geometry.affine is None and image.geometry.spacing_mm is None
    assert "left and right are unknown" in image.notes[0]
