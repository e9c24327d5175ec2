import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from PIL import Image

from monai_tumor.imaging.read import read_mask

Program = Callable[..., Result]


@pytest.fixture
def scans(trained: Any, tmp_path: Path) -> Path:
    """Two images, one of them with a name that MONAI would take for an expression."""
    folder = tmp_path / "scans"
    folder.mkdir()
    shutil.copy(trained.images / "images" / "phantom-0001.png", folder / "a.png")
    Image.new("L", (70, 40), 90).save(folder / "$b.png")
    return folder


def test_every_image_gets_a_mask_of_its_own_size(
    trained: Any, scans: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(scans)
    result = program("predict", "a.png", "$b.png", "--bundle", trained.run, "--output", "masks", "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert (told["folder"], told["predicted"], told["failed"]) == ("masks", 2, 0)
    assert read_mask(scans / "masks" / "$b_mask.png").shape == (40, 70)
    assert {path.name for path in (scans / "masks").iterdir()} >= {"a_mask.png", "a_overlay.png", "predictions.json"}


def test_a_bad_file_is_named_and_the_others_are_predicted(
    trained: Any, scans: Path, program: Program, tmp_path: Path
) -> None:
    (scans / "broken.png").write_bytes(b"not an image")
    result = program("predict", scans, "--bundle", trained.run, "--output", tmp_path / "masks")
    assert result.exit_code == 1
    assert "broken.png is nothing that is read here" in result.stderr and "2 predicted, 1 failed" in result.stderr


def test_the_shown_command_takes_one_folder_as_it_is(trained: Any, scans: Path, program: Program) -> None:
    words = shlex.split(
        program("predict", scans, "--bundle", trained.run, "--output", "masks", "--show-command").stdout
    )
    assert words[4] == "predicting"
    assert words[-4:] == ["--output_dir", "masks", "--dataset_dir", str(scans)]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere.png", "--bundle", "RUN"], "nowhere.png does not exist"),
        (["a#b.png", "--bundle", "RUN"], "MONAI rewrites '#' in a path"),
        (["a.png", "--bundle", "brain"], "brain has no trained weights"),
        (["a.png", "--bundle", "brian"], "did you mean 'brain'?"),
    ],
)
def test_mistakes_are_one_line(trained: Any, scans: Path, program: Program, words: list[str], told: str) -> None:
    given = [str(trained.run) if word == "RUN" else word for word in words]
    result = program("predict", *given, "--output", "masks")
    assert result.exit_code == 2 and result.stderr.count("\n") == 1 and told in result.stderr
