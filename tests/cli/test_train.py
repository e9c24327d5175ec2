import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Program = Callable[..., Result]


def test_training_leaves_a_run_and_says_so_as_json(trained: Any) -> None:
    assert trained.result.exit_code == 0, trained.result.stderr
    told = json.loads(trained.result.stdout)
    assert Path(told.pop("run")) == Path("runs", "brain", "001")
    assert {"bundle": "brain", "status": "finished", "metric": "lesion_dice", "epochs": 1}.items() <= told.items()
    assert set(told) == {"bundle", "status", "metric", "best_epoch", "best", "epochs"}
    assert (trained.run / "models" / "model.pt").is_file()


def test_a_finished_run_resumed_stays_as_it_is_in_its_folder(
    trained: Any, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "copy"
    shutil.copytree(trained.run, run)
    result = program("train", "--resume", "copy", "--dataset-dir", trained.images, "--epochs", 1, "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["run"], told["epochs"]) == (0, "copy", 1)
    assert not (tmp_path / "runs").exists()


def test_the_shown_command_is_monai_s_and_runs_nothing(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = program(
        *["train", "brain", "--dataset", "folder", "--dataset-dir", "my scans", "--network", "unet"],
        *["--split", "s.json", "--fold", 1, "--set", "lr=0.01", "--set", "cache_dir=null", "--show-command"],
    )
    words = shlex.split(result.stdout)
    assert words[:6] == ["python", "-m", "monai.bundle", "run", "training", "--config_file"]
    assert words[6].endswith("train.json")
    pairs = dict(zip(words[7::2], words[8::2], strict=True))
    assert pairs == {
        "--dataset_dir": "my scans",
        "--dataset_name": "folder",
        "--split_file": "s.json",
        "--fold": "1",
        "--network_def#name": "unet",
        "--lr": "0.01",
        "--cache_dir": "$None",
    }
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "give either BUNDLE or --resume RUN"),
        (["brain", "--resume", "runs/brain/001"], "give either BUNDLE or --resume RUN"),
        (["brian"], "unknown bundle or run 'brian'; did you mean 'brain'?"),
        (["brain", "--network", "unett"], "unknown network 'unett'; did you mean 'unet'?"),
        (["brain", "--dataset", "fodler"], "unknown data set 'fodler'; did you mean 'folder'?"),
        (["brain", "--set", "epocs=3"], "unknown setting 'epocs'; did you mean 'epochs'?"),
        (["brain", "--set", "epochs"], "'epochs' is not of the form key=value"),
        (["brain", "--epochs", "3", "--set", "epochs=4"], "'epochs' is given twice"),
        (["brain", "--dataset-dir", "scans#1"], "rename the file or folder without '#'"),
        (["--resume", "brain"], "brain has no models/checkpoint.pt"),
    ],
)
def test_mistakes_are_one_line(program: Program, words: list[str], told: str) -> None:
    result = program("train", *words)
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert result.stderr.startswith("error: ") and told in result.stderr
