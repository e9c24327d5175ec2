"""Fold after fold in a process each; a failing one stops no other, and the same call goes on."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monai_tumor.folds import train
from monai_tumor.folds.plan import FoldPlan
from monai_tumor.splits.split import read_split

Plans = Callable[..., FoldPlan]


@pytest.fixture(autouse=True)
def joined(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The sets that would have been joined."""
    found: list[Path] = []
    monkeypatch.setattr(train, "join_folds", lambda path, runs, split: found.append(path))
    return found


def statuses(told: dict[str, Any]) -> list[str]:
    return [fold["status"] for fold in told["folds"]]


def test_each_training_gets_its_fold_and_the_frozen_settings(plan: Plans, program: Any, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.json"
    recipe.write_text('{"epochs": 2}')
    one, out = plan(recipe=recipe), tmp_path / "set"
    assert train.train_folds(one, out, program.words)["status"] == "finished"
    frozen = out / "fold-settings"
    assert program.calls[1] == [
        *["train", str(frozen / "bundle"), "--recipe", str(frozen / "recipes" / "mine.json")],
        *["--dataset", "folder", "--dataset-dir", one.dataset_dir, "--split", str(out / "split.json"), "--fold", "1"],
        *["--run-dir", str(out / "fold-1"), "--set", "lr=0.1", "--set", 'cache_dir="c"'],
    ]
    assert read_split(out / "split.json").hash == read_split(one.split).hash


def test_a_failing_fold_stops_no_other_and_is_told_with_the_way_on(
    plan: Plans, program: Any, tmp_path: Path, joined: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    program.fail(fold_1=3)
    one, out = plan(), tmp_path / "set"
    told = train.train_folds(one, out, program.words)
    assert told["status"] == "failed" and statuses(told) == ["finished", "failed", "finished"] and joined == []
    error = f"training ended with exit code 3: out of luck (see {out / 'fold-1.log'})"
    assert [fold["error"] for fold in told["folds"]] == [None, error, None]
    *_, failed, _, last = capsys.readouterr().err.splitlines()
    assert failed == f"FAILED: fold 1: {error}"
    go_on = shlex.join(["monai-tumor", "train", "--resume", str(out), "--dataset-dir", one.dataset_dir])
    assert last == f"1 fold failed; trained: 2 of 3. Go on with: {go_on}"


def test_the_next_call_trains_what_is_missing_and_joins(
    plan: Plans, program: Any, tmp_path: Path, joined: list[Path], scans: Path
) -> None:
    program.fail(fold_1=3)
    train.train_folds(plan(), tmp_path / "set", program.words)
    program.fail()
    told = train.train_folds(plan(), tmp_path / "set", program.words)
    assert told["status"] == "finished" and joined == [tmp_path / "set"]
    run = str(tmp_path / "set" / "fold-1")
    assert program.calls[3:] == [["train", "--resume", run, "--dataset-dir", str(scans), "--set", 'cache_dir="c"']]


def test_an_interrupt_stops_after_what_is_saved(
    plan: Plans, program: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program.fail(fold_1=130)
    told = train.train_folds(plan(), tmp_path / "set", program.words)
    assert told["status"] == "interrupted" and statuses(told) == ["finished", "interrupted", "not begun"]
    assert len(program.calls) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("interrupted; trained: 1 of 3. Go on with: ")


def test_a_set_numbers_itself_among_the_runs(
    plan: Plans, program: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs/breast/001").mkdir(parents=True)
    told = train.train_folds(plan(), None, program.words)
    assert told["run"] == str(Path("runs", "breast", "002")) and told["folds"][0]["run"] == "runs/breast/002/fold-0"
