"""Which files are predicted, and under which name."""

from __future__ import annotations

from pathlib import Path

import pytest

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.inference.prediction import image_items, list_images


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in ("a/one.png", "a/two.JPG", "b/one.tif", "b/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def test_a_folder_gives_its_images_under_their_path_inside(folder):
    assert [item["name"] for item in image_items([folder])] == ["a/one", "a/two", "b/one"]


def test_names_that_would_collide_keep_their_suffix(folder):
    (folder / "a" / "one.jpg").write_bytes(b"x")
    assert [item["name"] for item in image_items([folder / "a"])] == ["one.jpg", "one.png", "two"]


def test_two_files_of_one_name_from_two_folders_are_refused(folder):
    (folder / "b" / "one.png").write_bytes(b"x")
    with pytest.raises(WrongCallError, match=r"both be written as 'one\.png'"):
        image_items([folder / "a" / "one.png", folder / "b" / "one.png"])


def test_nothing_to_predict_is_said(folder):
    with pytest.raises(WrongCallError, match="nowhere does not exist"):
        image_items(["nowhere"])
    (folder / "empty").mkdir()
    with pytest.raises(WrongDataError, match="no image in"):
        image_items([folder / "empty"])
    assert list_images(None) == []
