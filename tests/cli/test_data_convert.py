import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from monai_tumor.datasets.folder import FolderDataset
from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.imaging.write import write_picture

Program = Callable[..., Result]
PHANTOM = PhantomDataset(count=12, size=(64, 80))


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    PHANTOM.write(tmp_path / "scans", "folder")
    return tmp_path / "scans"


@pytest.fixture
def split(program: Program, scans: Path) -> Path:
    program(
        "data", "split", scans, "--dataset", "folder", "--fractions", ".5,.25,.25", "-o", scans.parent / "split.json"
    )
    return scans.parent / "split.json"


def test_a_folder_is_guessed_and_written_as_folder(program: Program, scans: Path, tmp_path: Path) -> None:
    result = program("data", "convert", scans, tmp_path / "after", "--to", "folder")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"12 of 12 cases of data set folder: {tmp_path / 'after'} (read it with --dataset folder)\n"
    assert len(FolderDataset().cases(tmp_path / "after")) == 12


def test_the_split_decides_what_nnunet_trains_on(program: Program, scans: Path, split: Path, tmp_path: Path) -> None:
    destination = tmp_path / "Dataset012_Phantom"
    result = program("data", "convert", scans, destination, "--to", "nnunet", "--split", split)
    assert result.exit_code == 0 and result.stdout.splitlines() == [
        f"12 of 12 cases of data set folder: {destination}",
        "training: 9 in imagesTr and labelsTr",
        "test: 3 in imagesTs and labelsTs, and 0 unlabelled in imagesTs",
        "channels: 1 (no image has colour)",
        "next: nnUNetv2_plan_and_preprocess -d 12 -c 2d --verify_dataset_integrity",
        f"folds: 1 in {destination / 'splits_final.json'}; planning copies it to",
        "  nnUNet_preprocessed/Dataset012_Phantom/ (nnU-Net 2.3.1 or later; before, copy it there yourself)",
    ]


def test_without_a_split_the_user_is_warned(program: Program, scans: Path, tmp_path: Path) -> None:
    result = program("data", "convert", scans, tmp_path / "raw", "--to", "nnunet")
    assert "NOTE: nnU-Net's own folds are by case" in result.stdout and "-d 500 " in result.stdout


def test_json_has_the_counts(program: Program, scans: Path, split: Path, tmp_path: Path) -> None:
    told = json.loads(program("data", "convert", scans, tmp_path / "a", "--to", "folder", "--json").stdout)
    assert told == {"folder": str(tmp_path / "a"), "layout": "folder", "dataset": "folder", "cases": 12, "failed": {}}
    result = program("data", "convert", scans, tmp_path / "b", "--to", "nnunet", "--split", split, "--json")
    assert json.loads(result.stdout) == {
        "folder": str(tmp_path / "b" / "Dataset500_folder"),
        "layout": "nnunet",
        "dataset": "folder",
        "cases": 12,
        "training": 9,
        "test": 3,
        "unlabelled": 0,
        "left_out": 0,
        "channels": 1,
        "folds": 1,
        "failed": {},
    }


@pytest.mark.parametrize("layout", ["folder", "nnunet"])
def test_one_odd_file_name_is_named_and_left_out(program: Program, tmp_path: Path, layout: str) -> None:
    for name in ("a", "b;c", "d"):
        write_picture(tmp_path / "scans" / "images" / f"{name}.png", np.arange(48, dtype=np.uint8).reshape(6, 8))
        write_picture(tmp_path / "scans" / "masks" / f"{name}.png", np.eye(6, 8, dtype=np.uint8))
    result = program("data", "convert", tmp_path / "scans", tmp_path / "after", "--to", layout, "--dataset", "folder")
    assert result.exit_code == 1 and "2 of 3 cases" in result.stdout
    assert result.stderr.startswith("left out b_c (odd name ") and "images/b;c.png) has a character" in result.stderr


@pytest.mark.parametrize("layout", ["folder", "nnunet"])
def test_unreadable_cases_are_named_and_the_exit_code_is_1(
    program: Program, scans: Path, tmp_path: Path, layout: str
) -> None:
    (scans / "images" / "phantom-0003.png").write_bytes(b"no image")
    result = program("data", "convert", scans, tmp_path / "after", "--to", layout)
    assert result.exit_code == 1 and "11 of 12 cases" in result.stdout
    assert result.stderr.startswith("left out phantom-0003: ") and "is not an image" in result.stderr


def test_a_threshold_reads_masks_of_many_levels(program: Program, tmp_path: Path) -> None:
    for name in ("a.png", "a_mask.png"):
        write_picture(tmp_path / "set" / name, np.arange(35, dtype=np.uint8).reshape(5, 7))
    words = ("data", "convert", tmp_path / "set", tmp_path / "after", "--to", "folder")
    refused = program(*words)
    assert refused.exit_code == 2 and "--mask-threshold" in refused.stderr and not (tmp_path / "after").exists()
    assert program(*words, "--mask-threshold", 9).exit_code == 0
    (case,) = FolderDataset().cases(tmp_path / "after")
    assert int(FolderDataset().load(case)[1].sum()) == 25  # type: ignore[union-attr]


def test_impossible_calls_are_refused(program: Program, scans: Path, split: Path, tmp_path: Path) -> None:
    def refusal(*words: object) -> str:
        result = program("data", "convert", *words)
        assert result.exit_code == 2 and not (tmp_path / "after").exists()
        return result.stderr

    after = tmp_path / "after"
    assert "is not empty and nothing is overwritten" in refusal(scans, scans.parent, "--to", "folder")
    assert "--split belongs to --to nnunet" in refusal(scans, after, "--to", "folder", "--split", split)
    assert "does not exist; did you mean" in refusal(tmp_path / "scan", after, "--to", "folder")
    assert "reads no files" in refusal(scans, after, "--to", "folder", "--dataset", "phantom")
    assert "did you mean 'folder'?" in refusal(scans, after, "--to", "folder", "--dataset", "foldr")
    assert "cannot be read (No such file" in refusal(scans, after, "--to", "nnunet", "--split", tmp_path / "no.json")
    assert "'zip' is not one of 'folder', 'nnunet'" in refusal(scans, after, "--to", "zip")
