"""Plain pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_tumor.clinical.limits import Limits
from monai_tumor.clinical.pictures import read_picture
from monai_tumor.clinical.source import ImageKind
from monai_tumor.errors import WrongDataError


def test_a_picture_is_one_frame_without_millimetres(tmp_path: Path) -> None:
    pixels = np.arange(72, dtype=np.uint8).reshape(4, 6, 3)
    Image.fromarray(pixels).save(tmp_path / "x.png", dpi=(300, 300))
    image = read_picture(tmp_path / "x.png", "scan")
    assert image.kind is ImageKind.PICTURE and np.array_equal(image.frame(0), pixels)
    assert image.geometry.spacing_mm is None and image.decoder == "pillow" and image.burned_in_possible


def test_rotation_by_the_camera_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    pixels = np.zeros((40, 60), np.uint8)
    pixels[:10, :10] = 255
    Image.fromarray(pixels).save(tmp_path / "x.jpg", exif=exif)
    frame = read_picture(tmp_path / "x.jpg", "scan").frame(0)
    assert frame.shape == (60, 40) and frame[5, 35] > 200


def test_sixteen_bit_grey_is_kept(tmp_path: Path) -> None:
    pixels = np.array([[0, 40000, 65535]], np.uint16)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    assert read_picture(tmp_path / "x.png", "scan").frame(0).tolist() == pixels.tolist()


def deep_tiff(path: Path, pixels: np.ndarray) -> None:
    """Write an uncompressed little-endian TIFF of 16-bit RGB by hand: Pillow cannot."""
    rows, columns = pixels.shape[:2]
    bits = 8 + 2 + 9 * 12 + 4
    tags = [(256, 4, 1, columns), (257, 4, 1, rows), (258, 3, 3, bits), (259, 3, 1, 1), (262, 3, 1, 2)]
    tags += [(273, 4, 1, bits + 6), (277, 3, 1, 3), (278, 4, 1, rows), (279, 4, 1, pixels.nbytes)]
    body = b"".join(np.array([t, k], "<u2").tobytes() + np.array([n, v], "<u4").tobytes() for t, k, n, v in tags)
    head = b"II*\0\x08\0\0\0" + np.array([9], "<u2").tobytes()
    path.write_bytes(head + body + bytes(4) + np.array([16] * 3, "<u2").tobytes() + pixels.astype("<u2").tobytes())


def test_sixteen_bit_colours_are_kept_with_tifffile(tmp_path: Path) -> None:
    pytest.importorskip("tifffile")
    pixels = (np.arange(72, dtype=np.uint16) * 900).reshape(4, 6, 3)
    deep_tiff(tmp_path / "x.tif", pixels)
    image = read_picture(tmp_path / "x.tif", "scan")
    assert np.array_equal(image.frame(0), pixels) and image.decoder == "tifffile" and image.notes == ()


def test_sixteen_bit_colours_become_eight_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tifffile", None)
    pixels = (np.arange(72, dtype=np.uint16) * 900).reshape(4, 6, 3)
    deep_tiff(tmp_path / "x.tif", pixels)
    image = read_picture(tmp_path / "x.tif", "scan")
    assert np.array_equal(image.frame(0), pixels >> 8) and "install tifffile" in image.notes[0]


def test_errors_name_the_input_and_not_the_place(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n and nothing")
    with pytest.raises(WrongDataError) as caught:
        read_picture(tmp_path / "x.png", "scan")
    assert str(caught.value).startswith("scan ") and str(tmp_path) not in str(caught.value)


def test_size_is_bounded(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((400, 500), np.uint8)).save(tmp_path / "x.png")
    with pytest.raises(WrongDataError, match="scan claims 400 x 500"):
        read_picture(tmp_path / "x.png", "scan", Limits(decoded_bytes=10_000))
