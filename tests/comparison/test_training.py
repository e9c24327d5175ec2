"""A fold is trained and tested once, goes on where it stopped, and its failure is told in one line."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monai_tumor.comparison.folder import ComparisonFolder
from monai_tumor.comparison.plan import Plan
from monai_tumor.comparison.training import FoldTrainer, evaluation_of, log_of
from monai_tumor.errors import WrongCallError

Trainers = Callable[..., FoldTrainer]


@pytest.fixture
def trainer(plan: Callable[..., Plan], program: Any, tmp_path: Path) -> Trainers:
    def make(**changes: Any) -> FoldTrainer:
        chosen = plan(**changes)
        folder = ComparisonFolder(tmp_path / "out")
        folder.open(chosen)
        return FoldTrainer(folder, chosen, program.words)

    return make


def complete(trainer: FoldTrainer, fold: int = 1) -> str | None:
    return trainer.complete(trainer.plan.methods[0], fold)


def begun_run(trainer: FoldTrainer, checkpoint: bool) -> Path:
    run = trainer.folder.run("unet", 1)
    (run / "models").mkdir(parents=True)
    (run / "run.json").write_text('{"status": "running"}')
    if checkpoint:
        (run / "models" / "checkpoint.pt").write_bytes(b"one epoch")
    return run


def test_both_processes_get_what_the_plan_says(trainer: Trainers, program: Any, scans: Path, tmp_path: Path) -> None:
    assert complete(trainer(words=("lr=0.1", "cache_dir=c"), minutes=0.5, epochs=None)) is None
    train, evaluate = program.calls
    out, data = tmp_path / "out", ["--dataset-dir", str(scans)]
    run = str(out / "unet" / "fold-1")
    assert train == [
        *["train", str(out / "comparison-settings" / "bundle"), "--dataset", "folder"],
        *["--split", str(out / "split.json"), "--fold", "1", "--run-dir", run, "--network", "unet"],
        *["--minutes", "0.5", "--set", "seed=0", *data, "--set", "lr=0.1", "--set", "cache_dir=c"],
    ]
    assert evaluate == ["evaluate", run, "--part", "test", *data, "--set", "cache_dir=c"]


def test_epochs_replace_the_minutes_of_a_recipe(trainer: Trainers, program: Any) -> None:
    assert complete(trainer(networks=(), recipes=("fast",), epochs=7)) is None
    words = program.calls[0]
    place = words.index("--epochs")
    assert words[place : place + 4] == ["--epochs", "7", "--set", "minutes=null"]
    assert words[words.index("--recipe") + 1].endswith("comparison-settings/recipes/fast.json")


def test_a_complete_fold_is_not_touched_again(trainer: Trainers, program: Any) -> None:
    assert complete(trainer()) is None and complete(trainer()) is None
    assert [words[0] for words in program.calls] == ["train", "evaluate"]


def test_an_unfinished_run_goes_on(trainer: Trainers, program: Any, scans: Path) -> None:
    one = trainer(words=("lr=0.1", "cache_dir=c"))
    run = begun_run(one, checkpoint=True)
    assert complete(one) is None
    assert program.calls[0] == ["train", "--resume", str(run), "--dataset-dir", str(scans), "--set", "cache_dir=c"]


def test_a_run_without_a_checkpoint_begins_anew_and_nothing_is_lost(trainer: Trainers, program: Any) -> None:
    one = trainer()
    run = begun_run(one, checkpoint=False)
    other = one.folder.run("unet", 0)
    other.mkdir()
    assert complete(one) is None and other.is_dir()
    assert "--run-dir" in program.calls[0] and evaluation_of(run) is not None
    assert (run.parent / "fold-1-aborted-1" / "run.json").read_text() == '{"status": "running"}'


def test_a_trained_run_is_only_tested(trainer: Trainers, program: Any) -> None:
    one = trainer()
    assert complete(one) is None
    run = one.folder.run("unet", 1)
    (run / "evaluation" / "001-test" / "metrics.json").write_text('{"weights_sha256": "other"}')
    complete(one)
    assert [words[0] for words in program.calls] == ["train", "evaluate", "evaluate"]


def test_a_failure_is_its_last_error_and_where_the_rest_stands(trainer: Trainers, tmp_path: Path) -> None:
    one = trainer()
    (tmp_path / "program.py").write_text("import sys; print('error: no luck'); sys.exit(3)")
    log = log_of(one.folder.run("unet", 1))
    assert complete(one) == f"training ended with exit code 3: no luck (see {log})"
    (tmp_path / "program.py").write_text("import os; os.kill(os.getpid(), 9)")
    assert complete(one) == f"training ended with signal 9: it said nothing (see {log})"


def test_an_interrupted_process_ends_the_comparison(trainer: Trainers, tmp_path: Path) -> None:
    one = trainer()
    (tmp_path / "program.py").write_text("import sys; sys.exit(130)")
    with pytest.raises(KeyboardInterrupt):
        complete(one)


KILLED = """
import os, signal, sys
from pathlib import Path
from monai_tumor.comparison.folder import ComparisonFolder
from monai_tumor.comparison.training import FoldTrainer

child = "import os, pathlib, time; pathlib.Path('child').write_text(str(os.getpid())); time.sleep(60)"
folder = ComparisonFolder("out")
with folder.locked():
    FoldTrainer(folder, None, [sys.executable, "-c", child])._call([], Path("out/unet/fold-1"), "training")
"""


def wait_until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)


def is_locked(folder: ComparisonFolder) -> bool:
    try:
        with folder.locked():
            return False
    except WrongCallError as error:
        assert str(error).startswith(f"another comparison works in {folder.path}")
        return True


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_a_training_whose_comparison_was_killed_keeps_others_out_while_it_runs(
    trainer: Trainers, tmp_path: Path
) -> None:
    folder, told = trainer().folder, tmp_path / "child"
    comparison = subprocess.Popen([sys.executable, "-c", KILLED], cwd=tmp_path)
    try:
        wait_until(lambda: told.is_file() and told.read_text() != "")
    finally:
        comparison.kill()
        comparison.wait()
    try:
        assert is_locked(folder)
    finally:
        os.kill(int(told.read_text()), signal.SIGKILL)
    wait_until(lambda: not is_locked(folder))
