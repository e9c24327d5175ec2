"""Reading image and mask files of every kind that data sets bring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from monai_tumor.errors import WrongDataError
from monai_tumor.imaging import read
from monai_tumor.imaging.read import read_image, read_mask

GREY = np.arange(6, dtype=np.uint8).reshape(2, 3) * 10
BLOB = np.array([[0, 0, 1], [0, 1, 1]], bool)


def saved(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


def test_grey_colour_and_alpha_keep_their_pixels(tmp_path: Path) -> None:
    colour = np.stack([GREY, GREY + 1, GREY + 2], axis=-1)
    transparent = np.dstack([colour, np.zeros_like(GREY)])
    assert np.array_equal(read_image(saved(tmp_path / "l.png", Image.fromarray(GREY))), GREY)
    assert np.array_equal(read_image(saved(tmp_path / "rgb.tif", Image.fromarray(colour))), colour)
    assert np.array_equal(read_image(saved(tmp_path / "rgba.png", Image.fromarray(transparent))), colour)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_kept(tmp_path: Path, suffix: str) -> None:
    deep = GREY.astype(np.uint16) * 1000
    image = read_image(saved(tmp_path / f"deep{suffix}", Image.fromarray(deep)))
    assert image.dtype == np.uint16 and np.array_equal(image, deep)


def test_grey_with_alpha_is_grey(tmp_path: Path) -> None:
    image = Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(np.zeros_like(GREY))])
    assert np.array_equal(read_image(saved(tmp_path / "la.png", image)), GREY)


def test_a_palette_becomes_its_colours(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1, 1]], np.uint8), "P")
    image.putpalette([9, 8, 7, 200, 100, 50])
    assert read_image(saved(tmp_path / "p.png", image)).tolist() == [[[9, 8, 7], [200, 100, 50], [200, 100, 50]]]


def test_one_bit_becomes_0_and_255(tmp_path: Path) -> None:
    assert read_image(saved(tmp_path / "1.png", Image.fromarray(BLOB))).max() == 255


def test_the_camera_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise
    assert np.array_equal(read_image(saved(tmp_path / "e.png", Image.fromarray(GREY), exif=exif)), np.rot90(GREY, -1))


def test_the_kind_goes_by_content_not_by_suffix(tmp_path: Path) -> None:
    saved(tmp_path / "a.png", Image.fromarray(GREY)).rename(tmp_path / "a.jpg")
    assert np.array_equal(read_image(tmp_path / "a.jpg"), GREY)


@pytest.mark.parametrize("high", [1, 128, 255])
def test_the_larger_of_two_levels_is_foreground(tmp_path: Path, high: int) -> None:
    path = saved(tmp_path / "m.png", Image.fromarray((BLOB * high).astype(np.uint8)))
    assert np.array_equal(read_mask(path), BLOB)


def test_a_mask_of_one_level_is_empty_or_full(tmp_path: Path) -> None:
    assert not read_mask(saved(tmp_path / "0.png", Image.new("L", (3, 2), 0))).any()
    assert read_mask(saved(tmp_path / "7.png", Image.new("L", (3, 2), 7))).all()
    assert not read_mask(saved(tmp_path / "rgb.png", Image.new("RGB", (3, 2)))).any()


@pytest.mark.parametrize("alpha", [0, 255])
def test_alpha_is_never_the_mask(tmp_path: Path, alpha: int) -> None:
    level = (BLOB * 255).astype(np.uint8)
    rgba = np.dstack([level, level, level, np.full_like(level, alpha)])
    assert np.array_equal(read_mask(saved(tmp_path / "m.png", Image.fromarray(rgba))), BLOB)


def test_a_one_bit_mask_and_a_red_mask_are_read(tmp_path: Path) -> None:
    red = np.zeros((2, 3, 3), np.uint8)
    red[BLOB] = (200, 0, 0)
    assert np.array_equal(read_mask(saved(tmp_path / "1.png", Image.fromarray(BLOB))), BLOB)
    assert np.array_equal(read_mask(saved(tmp_path / "red.png", Image.fromarray(red))), BLOB)


def test_more_than_two_levels_are_refused_by_name(tmp_path: Path) -> None:
    path = saved(tmp_path / "soft.png", Image.fromarray(GREY))
    with pytest.raises(WrongDataError, match=r"soft\.png has 6 levels \(0, 10, 20, 30, 40, 50\), expected two"):
        read_mask(path)


def test_a_jpeg_mask_with_soft_edges_is_told_why(tmp_path: Path) -> None:
    level = np.kron(BLOB, np.ones((5, 5))).astype(np.uint8) * np.uint8(255)
    with pytest.raises(WrongDataError, match="JPEG changes the levels of a mask; export it again as PNG"):
        read_mask(saved(tmp_path / "m.jpg", Image.fromarray(level), quality=40))


def test_two_colours_without_black_are_refused(tmp_path: Path) -> None:
    image = Image.new("RGB", (3, 2), (255, 255, 255))
    image.putpixel((1, 1), (255, 0, 0))
    with pytest.raises(WrongDataError, match=r"2 levels \(\(255, 0, 0\), \(255, 255, 255\)\)"):
        read_mask(saved(tmp_path / "w.png", image))


def test_what_is_not_an_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "empty.png").touch()
    for name, said in [("text.png", "is not an image"), ("empty.png", "is empty"), ("gone.png", "does not exist")]:
        with pytest.raises(WrongDataError, match=f"{name} {said}"):
            read_image(tmp_path / name)
    with pytest.raises(WrongDataError, match="is a folder"):
        read_image(tmp_path)


def test_a_cut_off_file_is_named(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 60), np.uint8)
    for name in ("cut.png", "cut.tif", "cut.jpg"):
        path = saved(tmp_path / name, Image.fromarray(noise))
        path.write_bytes(path.read_bytes()[:-300])
        with pytest.raises(WrongDataError, match=rf"{name} is (cut off or damaged|not an image)"):
            read_image(path)


def test_too_many_pixels_are_refused_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "big.png", Image.new("L", (5, 4)))
    monkeypatch.setattr(read, "MAX_PIXELS", 19)
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(WrongDataError, match=r"big\.png has 4 x 5 pixels, more than the 19 that are read"):
        read_image(path)


def test_several_frames_and_float_pixels_are_refused(tmp_path: Path) -> None:
    page = Image.fromarray(GREY)
    with pytest.raises(WrongDataError, match="has 2 frames, expected one picture"):
        read_image(saved(tmp_path / "two.tif", page, save_all=True, append_images=[page]))
    with pytest.raises(WrongDataError, match="has floating-point pixels"):
        read_image(saved(tmp_path / "float.tif", Image.fromarray(GREY.astype(np.float32))))


def test_thirty_two_bits_are_kept_where_they_fit_sixteen(tmp_path: Path) -> None:
    fits = saved(tmp_path / "fits.tif", Image.fromarray(GREY.astype(np.int32) * 1000))
    assert read_image(fits).dtype == np.uint16 and read_image(fits).max() == 50_000
    with pytest.raises(WrongDataError, match=r"has values 0\.\.5000000, expected 0\.\.65535"):
        read_image(saved(tmp_path / "not.tif", Image.fromarray(GREY.astype(np.int32) * 100_000)))
