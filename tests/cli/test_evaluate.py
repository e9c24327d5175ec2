import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Program = Callable[..., Result]


def test_an_evaluation_prints_its_figures_and_where_they_are(
    trained: Any, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained.run.parent)
    result = program("evaluate", "001", "--part", "validation", "--dataset-dir", trained.images)
    assert result.exit_code == 0 and "dice: " in result.stderr
    assert "evaluation: 001/evaluation/" in result.stderr


def test_json_is_the_content_of_the_figures_file(trained: Any, program: Program) -> None:
    result = program("evaluate", trained.run, "--dataset-dir", trained.images, "--json")
    told = json.loads(result.stdout)
    folder = Path(told.pop("folder"))
    assert folder.parent == trained.run / "evaluation" and folder.name.endswith("-test")
    assert told == json.loads((folder / "metrics.json").read_text())


def test_the_shown_command_names_both_files(trained: Any, program: Program) -> None:
    words = shlex.split(program("evaluate", trained.run, "--show-command").stdout)
    assert words[4] == "evaluating" and words[-2:] == ["--part", "test"]
    assert words[6] == str([f"{trained.run}/configs/train.json", f"{trained.run}/configs/evaluate.json"])


def test_a_bundle_without_weights_is_refused_at_once(program: Program) -> None:
    result = program("evaluate", "brain")
    told = "error: brain has no trained weights (models/model.pt); train first, then give the run\n"
    assert (result.exit_code, result.stderr) == (2, told)


def test_the_real_data_of_a_run_must_be_given_again(trained: Any, program: Program) -> None:
    result = program("evaluate", trained.run)
    assert result.exit_code == 2
    assert "data set 'folder' needs its folder; give it as --dataset_dir DIR" in result.stderr
