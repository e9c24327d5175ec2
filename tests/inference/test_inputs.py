"""The inputs of a prediction: what is found, and what the network gets of each, picture by picture."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from monai_tumor.datasets.base import load_files
from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.imaging.prepare import PrepareSettings, prepare_image
from monai_tumor.inference.inputs import InputPictures, input_items, list_inputs

SETTINGS = PrepareSettings(32, 48, 1, "pad")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures of other sizes and depths, a volume of three slices, and a file that is nothing."""
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 256, (50, 70, 3), np.uint8)).save(tmp_path / "colour.png")
    Image.fromarray(random.integers(0, 60_000, (41, 30), np.uint16)).save(tmp_path / "deep.png")
    volume = random.normal(100, 20, (20, 30, 3)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(volume, np.diag([1.0, 1.0, 5.0, 1.0])), tmp_path / "scan.nii.gz")
    (tmp_path / "zbroken.png").write_bytes(b"not a picture")
    return tmp_path


def pictures(data, **more) -> list[dict]:
    return list(InputPictures(data, SETTINGS, **more))


def test_every_frame_of_every_input_comes_once_and_in_order(folder):
    found = [(item["name"], item["frame"], item["frames"]) for item in pictures(list_inputs(str(folder)))]
    slices = [("scan", number, 3) for number in range(3)]
    assert found == [("colour", 0, 1), ("deep", 0, 1), *slices, ("zbroken", 0, 1)]


def test_a_picture_is_prepared_as_the_pictures_of_a_data_set_are(folder):
    for item in pictures(list_inputs(str(folder)))[:2]:
        image, _ = load_files(item["path"], None)
        assert np.array_equal(item["image"], prepare_image(image, SETTINGS).transpose(2, 0, 1))
        assert item["source_shape"].tolist() == list(image.shape[:2])


def test_what_cannot_be_read_is_a_black_picture_with_its_reason(folder):
    broken = pictures(list_inputs(str(folder)))[-1]
    assert "zbroken" in broken["error"] and not broken["image"].any() and broken["image"].shape == (1, 32, 48)


@pytest.mark.parametrize("isolate", ["always", "never"])
def test_a_path_and_a_name_are_enough_and_a_child_decodes_the_same(folder, isolate):
    items = [{"image": str(folder / "colour.png"), "name": "mine"}, {"image": str(folder / "none.png"), "name": "no"}]
    mine, missing = pictures(items, isolate=isolate)
    assert mine["name"] == "mine" and "cannot be opened" in missing["error"]
    assert np.array_equal(mine["image"], pictures(list_inputs(str(folder)))[0]["image"])


def test_the_source_stays_until_it_is_dropped(folder):
    inputs = InputPictures(list_inputs(str(folder)), SETTINGS)
    for item in inputs:
        if "error" not in item:
            assert inputs.sources[item["name"]].frames == item["frames"]
    assert set(inputs.sources) == {"colour", "deep", "scan"}


def test_nothing_to_predict_is_said(tmp_path):
    with pytest.raises(WrongDataError, match="no image in"):
        input_items([tmp_path])
    assert list_inputs(None) == []
    [missing] = input_items([tmp_path / "nowhere"])
    assert "does not exist" in missing["fault"]


def test_an_unknown_isolation_is_refused():
    with pytest.raises(WrongCallError, match="unknown isolate 'alway'; did you mean 'always'"):
        InputPictures([], SETTINGS, isolate="alway")
