import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from monai_tumor.bundles.check import check_bundle
from monai_tumor.bundles.content import resolved_setting, trained_network
from monai_tumor.bundles.find import config_file
from monai_tumor.cli.main import PROGRAM, main
from monai_tumor.imaging.prepare import prepare_image, restore_probability
from monai_tumor.imaging.read import read_image, read_mask
from monai_tumor.splits.split import read_split
from monai_tumor.training import BatchPreparation

Program = Callable[..., Result]
SMALL = ["--network", "monai_unet", "--epochs", "1", "--set", "network_def#channels=[8,16,32]", "--set", "lr=0.01"]
SMALL += ["--set", "prepare#rows=64", "--set", "prepare#columns=96", "--set", "precision=fp32"]


@dataclass(frozen=True)
class FoldSet:
    """Three folds of one epoch, their images, and what the program said."""

    path: Path
    images: Path
    line: list[str]
    result: Result


@pytest.fixture(scope="module")
def fold_set(tmp_path_factory: pytest.TempPathFactory) -> FoldSet:
    home = tmp_path_factory.mktemp("folds")
    images, path, run = home / "scans", home / "set", CliRunner().invoke
    run(main, ["data", "phantom", str(images), "--count", "12", "--style", "us"], prog_name=PROGRAM)
    line = ["train", "breast", "--dataset", "folder", "--dataset-dir", str(images), "--folds", "3", *SMALL]
    line += ["--run-dir", str(path), "--json"]
    return FoldSet(path, images, line, run(main, line, prog_name=PROGRAM))


def times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_every_fold_is_a_run_and_the_set_one_too(fold_set: FoldSet) -> None:
    assert fold_set.result.exit_code == 0, fold_set.result.stderr
    told, path = json.loads(fold_set.result.stdout), fold_set.path
    assert set(told) == {"run", "folds", "status"} and (told["run"], told["status"]) == (str(path), "finished")
    assert [(fold["fold"], fold["run"], fold["best_epoch"]) for fold in told["folds"]] == [
        (0, str(path / "fold-0"), 1),
        (1, str(path / "fold-1"), 1),
        (2, str(path / "fold-2"), 1),
    ]
    split = read_split(path / "split.json")
    assert split.folds == 3
    for fold in range(3):
        assert read_split(path / f"fold-{fold}" / "split.json").ids("test") == split.ids("test", fold)


def test_the_record_says_what_the_set_is_made_of(fold_set: FoldSet) -> None:
    record = json.loads((fold_set.path / "run.json").read_text())
    assert (record["kind"], record["folds"], record["bundle"], record["seed"]) == ("folds", 3, "breast", 0)
    assert record["data"]["whole"]["cases"] == sum(part["cases"] for part in record["data"]["folds"]) == 12
    runs = [json.loads((fold_set.path / one["run"] / "run.json").read_text()) for one in record["members"]]
    for name in ("weights_sha256", "best", "best_epoch", "cpu_seconds"):
        assert [one[name] for one in record["members"]] == [run[name] for run in runs]
    assert len({one["weights_sha256"] for one in record["members"]} | {record["weights_sha256"]}) == 4
    card = (fold_set.path / "docs" / "README.md").read_text()
    assert "| fold 2 | 4 | 4 |" in card and "| all | 12 | 12 |" in card and "fold-1: best epoch 1" in card


def test_the_set_is_a_bundle_without_findings(fold_set: FoldSet) -> None:
    assert check_bundle(fold_set.path) == []


@pytest.mark.parametrize("again", ["the same line", "--resume"])
def test_a_finished_set_trains_nothing_again(fold_set: FoldSet, program: Program, again: str) -> None:
    before = times(fold_set.path)
    line = ["train", "--resume", fold_set.path, "--dataset-dir", fold_set.images, "--json"]
    result = program(*(line if again == "--resume" else fold_set.line))
    assert (result.exit_code, result.stdout) == (0, fold_set.result.stdout), result.stderr
    assert times(fold_set.path) == before


def test_a_set_that_lost_a_fold_trains_this_one_only(fold_set: FoldSet, program: Program) -> None:
    record = fold_set.path / "fold-2" / "run.json"
    record.write_text(record.read_text().replace('"status": "finished"', '"status": "interrupted"'))
    before = times(fold_set.path / "fold-0") | times(fold_set.path / "fold-1")
    result = program("train", "--resume", fold_set.path, "--dataset-dir", fold_set.images)
    assert result.exit_code == 0 and [line[:6] for line in result.stderr.splitlines()][:-1] == ["fold 2"]
    assert times(fold_set.path / "fold-0") | times(fold_set.path / "fold-1") == before
    assert json.loads(record.read_text())["status"] == "finished"


@torch.no_grad()
def mean_of_the_members(fold_set: FoldSet, image: np.ndarray) -> np.ndarray:
    """The mean of the probabilities of all folds, in the size of the image."""
    found = []
    for fold in range(3):
        run = fold_set.path / f"fold-{fold}"
        trained = trained_network(run)
        prepare = resolved_setting(config_file(run, "inference"), "prepare")
        batch = {"image": torch.from_numpy(prepare_image(image, prepare).transpose(2, 0, 1).copy())[None]}
        logits = trained(BatchPreparation(trained.network)(batch)[0])
        found.append(restore_probability(torch.sigmoid(logits)[0, 0].numpy(), image.shape[:2], prepare))
    return np.mean(found, axis=0)


def test_the_set_predicts_the_mean_of_its_members_by_both_commands(
    fold_set: FoldSet, program: Program, tmp_path: Path
) -> None:
    picture = fold_set.images / "images" / "phantom-0001.png"
    expected = mean_of_the_members(fold_set, read_image(picture))
    threshold = float(np.median(expected))
    settings = ["--set", f"threshold={threshold}"]
    result = program("predict", picture, "--bundle", fold_set.path, "--output", tmp_path / "ours", *settings)
    assert result.exit_code == 0, result.stderr
    mask = read_mask(tmp_path / "ours" / "phantom-0001_mask.png")
    certain = np.abs(expected - threshold) > 1e-5
    assert certain.mean() > 0.9 and 0.3 < mask.mean() < 0.7
    assert np.array_equal(mask[certain], expected[certain] >= threshold)
    config = [str(config_file(fold_set.path, "inference")), "--threshold", str(threshold)]
    config += ["--dataset_dir", str(fold_set.images / "images"), "--output_dir", str(tmp_path / "plain")]
    subprocess.run(
        [sys.executable, "-m", "monai.bundle", "run", "predicting", "--config_file", *config],
        check=True,
        capture_output=True,
    )
    assert np.array_equal(read_mask(tmp_path / "plain" / "phantom-0001_mask.png"), mask)


def test_the_shown_commands_are_one_a_fold_and_run_nothing(
    fold_set: FoldSet, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = program("train", "breast", "--dataset-dir", fold_set.images, "--folds", 4, *SMALL, "--show-command")
    lines = [shlex.split(line) for line in result.stdout.splitlines()]
    assert [line[:5] for line in lines] == [["python", "-m", "monai.bundle", "run", "training"]] * 4
    for fold, line in enumerate(lines):
        assert line[-6:] == [
            *["--split_file", "runs/breast/001/split.json", "--fold", str(fold)],
            *["--run_dir", f"runs/breast/001/fold-{fold}"],
        ]
    cut = f"monai-tumor data split {fold_set.images} --dataset busi --folds 4 --seed 0 -o runs/breast/001/split.json"
    assert result.stderr == f"NOTE: these lines read runs/breast/001/split.json; make it first with: {cut}\n"
    assert not list(tmp_path.iterdir())


def test_other_settings_and_other_places_are_refused_in_one_line(fold_set: FoldSet, program: Program) -> None:
    path, images = fold_set.path, ["--dataset-dir", fold_set.images]
    for words, told in (
        (["--resume", path, *images, "--epochs", 2], f"error: {path} was begun with set "),
        (["--resume", path, *images, "--folds", 4], f"error: {path} was begun with folds 3, not 4"),
        (["--resume", path, *images, "--recipe", "fast"], f"error: {path} was begun with recipe null"),
        (["--resume", path], "error: data set 'folder' needs its folder; give --dataset-dir DIR"),
        ([path, *images], f"error: {path} is a fold set; train with its settings again by giving one of its runs"),
        (["--resume", path / "fold-0", "--folds", 3], f"error: {path / 'fold-0'} is no fold set; begin one with"),
        (["breast", "--folds", 3, "--split", path / "fold-0" / "split.json"], "divides into parts, not folds"),
        (["breast", "--folds", 4, "--split", path / "split.json"], "holds 3 folds, not 4; give --folds 3"),
    ):
        result = program("train", *words)
        assert result.exit_code == 2 and result.stderr.count("\n") == 1 and told in result.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--fold", "1"], "--folds and --fold exclude each other"),
        (["--epochs", "3", "--minutes", "2"], "--epochs and --minutes exclude each other"),
        (["--set", "epochs=3", "--set", "minutes=2"], "give one of them"),
        (["--set", "epocs=3"], "unknown setting 'epocs'; did you mean 'epochs'?"),
        (["--set", "network_def#_target_=UNet"], "network_def is not made by monai_tumor.networks.build"),
        (["--dataset", "busi"], "data set 'busi' needs its folder"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = program("train", "breast", "--folds", 3, *words)
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert result.stderr.startswith("error: ") and told in result.stderr
    assert not list(tmp_path.iterdir())


def test_two_folds_are_too_few(program: Program) -> None:
    assert "2 is not in the range" in program("train", "breast", "--folds", 2).stderr


def test_a_bundle_that_would_not_take_the_mean_is_refused(program: Program, tmp_path: Path) -> None:
    from shutil import copytree

    from monai_tumor.bundles.find import bundle_folder

    mine = copytree(bundle_folder("breast"), tmp_path / "mine")
    content: dict[str, Any] = json.loads((mine / "inference.json").read_text())
    del content["postprocessing"]["transforms"][1]
    (mine / "inference.json").write_text(json.dumps(content))
    result = program("train", mine, "--folds", 3)
    assert result.exit_code == 2 and "has no monai_tumor.inference.MeanOfMaps in postprocessing" in result.stderr
