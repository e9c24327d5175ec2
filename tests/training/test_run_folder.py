"""A run's folder: complete, portable, never overwritten."""

from __future__ import annotations

import json
import re
import shutil
import threading

import pytest

from monai_tumor.errors import WrongCallError, user_error
from monai_tumor.splits.split import read_split
from monai_tumor.training.record import portable_command
from monai_tumor.training.run_folder import RunFolder, claim_number


def test_making_the_object_makes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    RunFolder("brain")
    assert list(tmp_path.iterdir()) == []


def test_the_layout_is_that_of_a_packed_bundle(trained_run):
    files = {str(path.relative_to(trained_run)) for path in trained_run.rglob("*") if path.is_file()}
    configs = {f"configs/{name}.json" for name in ("train", "evaluate", "inference", "multi_gpu_train", "metadata")}
    assert configs <= files
    assert {"models/model.pt", "models/checkpoint.pt", "docs/README.md", "LICENSE", "run.json", "split.json"} <= files


def test_the_configuration_is_as_used_and_names_no_path_of_this_machine(trained_run):
    text = "".join(path.read_text() for path in (trained_run / "configs").iterdir())
    train = json.loads((trained_run / "configs" / "train.json").read_text())
    assert train["network_def"]["name"] == "monai_unet"
    assert train["dataset_name"] == "phantom"
    assert train["run_dir"] is None
    assert not re.search(r'"(/|~|[A-Z]:\\)', text)


def test_prediction_follows_training(trained_run):
    inference = json.loads((trained_run / "configs" / "inference.json").read_text())
    assert inference["network_def"]["channels"] == [8, 16, 32]
    assert (inference["prepare"]["rows"], inference["prepare"]["columns"]) == (64, 96)


def test_run_json_says_what_was_run(trained_run):
    record = json.loads((trained_run / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["data"]["split"] == read_split(trained_run / "split.json").hash
    assert record["data"]["training"]["cases"] == 84
    assert [entry["epoch"] for entry in record["history"]] == [1, 2, 3]
    assert record["history"][2]["loss"] < record["history"][0]["loss"]
    assert record["versions"]["monai"].startswith("1.6")


def test_run_json_holds_no_folder_of_this_machine(trained_run):
    assert str(trained_run.parent) not in (trained_run / "run.json").read_text()


def test_a_folder_with_something_in_it_is_never_used(tmp_path, train_brain):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(Exception) as caught:
        train_brain(tmp_path)
    assert "is not empty; runs are never overwritten" in str(user_error(caught.value))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_numbers_are_claimed_once_even_at_the_same_time(tmp_path):
    claimed = []
    threads = [threading.Thread(target=lambda: claimed.append(claim_number(tmp_path / "brain").name)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == [f"{number:03d}" for number in range(1, 9)]


def test_a_number_stands_before_its_suffix(tmp_path):
    assert [claim_number(tmp_path, "-test").name, claim_number(tmp_path, "-external").name] == [
        "001-test",
        "002-external",
    ]


def test_resume_needs_a_checkpoint(tmp_path):
    with pytest.raises(WrongCallError, match=r"has no models/checkpoint\.pt"):
        RunFolder("brain", resume=str(tmp_path))


@pytest.mark.parametrize(
    ("word", "kept"),
    [
        ("/home/alice/monai-tumor", "monai-tumor"),
        ("--dataset_dir=/home/alice/scans", "--dataset_dir=scans"),
        ("['/home/alice/a.json','/b.json']", "['a.json','b.json']"),
        ("run_dir=C:\\Users\\alice\\run", "run_dir=run"),
        ("~/scans", "scans"),
        ("bundles/brain/train.json", "bundles/brain/train.json"),
        ("network_def#name=unet", "network_def#name=unet"),
    ],
)
def test_a_recorded_command_names_no_folder_of_this_machine(word, kept):
    assert portable_command([word]) == [kept]


def test_two_trainers_cannot_share_a_run(tmp_path, trained_run, monkeypatch):
    monkeypatch.setattr("monai_tumor.training.run_folder.LOCK_PATIENCE_SECONDS", 0.3)
    run = shutil.copytree(trained_run, tmp_path / "run")
    first, second = (RunFolder("brain", resume=str(run)) for _ in range(2))
    first.claim()
    with pytest.raises(WrongCallError, match="is being trained by another process"):
        second.claim()
    first.update(status="finished")
    second.claim()


def test_a_damaged_run_file_is_named(tmp_path, trained_run):
    run = shutil.copytree(trained_run, tmp_path / "run")
    (run / "run.json").write_text("{")
    with pytest.raises(WrongCallError, match=r"run\.json is missing or damaged"):
        RunFolder("brain", resume=str(run)).claim()
