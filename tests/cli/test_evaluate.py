import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from monai_tumor.datasets.phantom import PhantomDataset

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


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    """Write fifteen images that the run has never seen."""
    PhantomDataset(count=15, seed=8, size=(70, 90)).write(tmp_path / "clinic", "folder")
    return tmp_path / "clinic"


def test_auto_evaluates_the_validation_part_first_and_once(own_run: Path, trained: Any, program: Program) -> None:
    words = ("evaluate", own_run, "--dataset-dir", trained.images, "--threshold", "auto")
    assert len(program(*words, "--show-command").stdout.splitlines()) == 2
    first, second = program(*words), program(*words)
    assert (first.exit_code, second.exit_code) == (0, 0)
    names = sorted(path.name for path in (own_run / "evaluation").iterdir())
    assert names == ["001-validation", "002-test", "003-test"]
    assert len(program(*words, "--show-command").stdout.splitlines()) == 1


def test_a_sealed_test_guesses_the_data_set_and_is_refused_the_second_time(
    own_run: Path, clinic: Path, program: Program
) -> None:
    first = json.loads(program("evaluate", own_run, "--external", clinic, "--json").stdout)
    assert (first["dataset"], first["part"], first["cases"]) == ("folder", "external", 15)
    again = program("evaluate", own_run, "--external", clinic, "--tta")
    assert again.exit_code == 2 and "an external test is run once" in again.stderr


def test_calibration_prints_how_far_chance_has_chosen(own_run: Path, clinic: Path, program: Program) -> None:
    result = program("calibrate", own_run, "--on", clinic, "--cases", 12, "--seed", 1)
    assert result.exit_code == 0, result.stderr
    assert result.exit_code == 0 and "chosen on other samples of" in result.stderr
    told = json.loads(program("calibrate", own_run, "--on", clinic, "--cases", 4, "--json").stdout)
    assert told["spread"]["threshold"] is None  # four groups tell nothing of that


def test_a_prediction_takes_the_chosen_threshold(own_run: Path, trained: Any, program: Program, tmp_path: Path) -> None:
    images = trained.images
    refused = program("predict", images, "--bundle", own_run, "--output", tmp_path / "a", "--threshold", "auto")
    assert refused.exit_code == 2 and "choose one with: monai-tumor evaluate" in refused.stderr
    program("evaluate", own_run, "--dataset-dir", images, "--part", "validation", "--tta")
    words = ("predict", images, "--bundle", own_run, "--output", tmp_path / "b", "--threshold", "auto", "--tta")
    assert program(*words).exit_code == 0
