"""Files are whole or absent, and nothing is replaced unasked."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_tumor.errors import WrongCallError
from monai_tumor.imaging.read import read_image, read_mask
from monai_tumor.imaging.write import write_mask, write_picture, write_text

MASK = np.array([[0, 1, 1], [0, 0, 1]], bool)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_mask_is_written_as_0_and_255(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "new" / f"m{suffix}"
    write_mask(path, MASK)
    assert np.array_equal(read_mask(path), MASK)
    assert read_image(path).dtype == np.uint8 and read_image(path).max() == 255
    assert Image.open(path).mode == "L"


def test_a_picture_comes_back_equal(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (5, 8, 3), np.uint8)
    write_picture(tmp_path / "p.png", picture)
    assert np.array_equal(read_image(tmp_path / "p.png"), picture)


def test_an_existing_file_stays_unless_asked(tmp_path: Path) -> None:
    write_text(tmp_path / "a.json", "old")
    with pytest.raises(WrongCallError, match=r"a\.json exists already and nothing is overwritten unasked"):
        write_text(tmp_path / "a.json", "new")
    assert (tmp_path / "a.json").read_text() == "old"
    write_text(tmp_path / "a.json", "new", overwrite=True)
    assert (tmp_path / "a.json").read_text() == "new"


def test_a_failure_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_text(tmp_path / "a.txt", "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(WrongCallError, match=r"a\.txt cannot be written: No space left on device"):
        write_text(tmp_path / "a.txt", "new", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"] and (tmp_path / "a.txt").read_text() == "old"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WrongCallError, match="cannot be written"):
        write_mask(tmp_path / "file" / "m.png", MASK)


def test_a_lossy_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongCallError, match=r"m\.jpg has a suffix that is not written; give one of \.png"):
        write_mask(tmp_path / "m.jpg", MASK)


def test_new_files_get_ordinary_permissions(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "x")
    (tmp_path / "b.txt").write_text("x")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode
