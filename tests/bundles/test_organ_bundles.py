"""The bundles differ where the organ does, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from monai_tumor.bundles.find import bundle_folder, config_file

IMAGE, PREDICTION = "network_data_format#inputs#image", "network_data_format#outputs#pred"
# Every id whose value is another one than in the bundle brain.
DIFFERENT = {
    "train.json": {"bundle_root", "dataset_name", "prepare#channels", "run_folder#bundle"},
    "evaluate.json": set(),
    "inference.json": {"bundle_root", "prepare#channels", "finding"},
    "multi_gpu_train.json": set(),
    "metadata.json": {
        *("name", "bundle", "task", "description", "data_source", "data_type", "references"),
        *("image_classes", "label_classes", "pred_classes"),
        *(f"{IMAGE}#modality", f"{IMAGE}#num_channels"),
        *(f"{IMAGE}#channel_def#0", f"{IMAGE}#channel_def#1", f"{IMAGE}#channel_def#2"),
        f"{PREDICTION}#channel_def#0",
    },
}


def read(name: str, file: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((bundle_folder(name) / file).read_text(encoding="utf-8"))
    return content


def differences(one: Any, other: Any, place: str = "") -> Iterator[str]:
    """Yield the id of each value that is not in both, or not equal; a list is one value."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            yield from differences(one.get(key, ...), other.get(key, ...), f"{place}#{key}".lstrip("#"))
    elif one != other:
        yield place


def test_differences_are_found_at_any_depth():
    one = {"a": {"b": 1, "c": [1, {"d": 2}]}, "e": None}
    other = {"a": {"b": 1, "c": [1, {"d": 3}]}, "f": None}
    assert set(differences(one, other)) == {"a#c", "e", "f"}


@pytest.mark.parametrize("file", DIFFERENT)
@pytest.mark.parametrize("name", ["breast", "thyroid"])
def test_an_organ_s_configuration_differs_in_these_ids_only(name, file):
    assert set(differences(read("brain", file), read(name, file))) == DIFFERENT[file]


@pytest.mark.parametrize("name", ["breast", "thyroid"])
def test_the_other_files_are_the_same(name):
    brain, organ = bundle_folder("brain"), bundle_folder(name)
    assert {path.name for path in organ.iterdir()} == {path.name for path in brain.iterdir()}
    assert {path.name for path in organ.iterdir()} == {*DIFFERENT, "LICENSE", "README.md", "logging.conf"}
    assert all((organ / file).read_bytes() == (brain / file).read_bytes() for file in ("LICENSE", "logging.conf"))


@pytest.mark.parametrize(
    ("name", "real", "phantom", "channels"),
    [
        ("brain", "brain_mri", "phantom", 3),
        ("breast", "busi", "phantom_us", 1),
        ("thyroid", "thyroid", "phantom_us", 1),
    ],
)
def test_what_differs_is_the_name_the_data_set_and_the_channels(name, real, phantom, channels):
    from monai.bundle import ConfigParser

    train, metadata = ConfigParser(read(name, "train.json")), read(name, "metadata.json")
    assert train.get_parsed_content("dataset_name") == phantom
    train = ConfigParser({**read(name, "train.json"), "dataset_dir": "scans"})
    assert train.get_parsed_content("dataset_name") == real
    assert train.get_parsed_content("bundle_root") == str(bundle_folder(name))
    assert train["run_folder"]["bundle"] == metadata["bundle"] == name
    declared = [read(name, file)["prepare"]["channels"] for file in ("train.json", "inference.json")]
    assert [*declared, metadata["network_data_format"]["inputs"]["image"]["num_channels"]] == [channels] * 3


@pytest.mark.parametrize("name", ["breast", "thyroid"])
def test_an_ultrasound_bundle_trains_on_grey_phantoms_and_says_so(name, train_bundle, tmp_path):
    run = train_bundle(bundle_folder(name), tmp_path / "run")
    record = json.loads((run / "run.json").read_text())
    assert (record["bundle"], record["status"]) == (name, "finished")
    assert (record["data"]["dataset"], record["data"]["synthetic"]) == ("phantom_us", True)
    assert json.loads(config_file(run, "inference").read_text())["prepare"]["channels"] == 1
    assert "Data set `phantom_us` (synthetic images, not patients)" in (run / "docs" / "README.md").read_text()
