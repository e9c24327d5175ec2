"""Predictions of a classifier: odd images and names, and wrong calls that end in one line and leave nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from monai_tumor.cli.main import main


def predict(run: Path, scans: Path, out: Path, *words: object) -> Result:
    given = ["predict", scans, "--bundle", run, "--output", out, *words]
    return CliRunner().invoke(main, [str(word) for word in given])


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Images of every kind, some in a folder of their own; noise, so that none is blank."""
    random, folder = np.random.default_rng(0), tmp_path / "scans"
    (folder / "left breast").mkdir(parents=True)
    kinds = {"dot": (1, 1), "line": (1, 300), "predictions": (40, 60, 4), "left breast/grey-alpha": (50, 30, 2)}
    for name, shape in {**kinds, "t\u00e9l\u00e9 \u4e2d": (33, 70, 3)}.items():
        Image.fromarray(random.integers(0, 256, shape, np.uint8)).save(folder / f"{name}.png")
    Image.fromarray(random.integers(0, 65536, (45, 80), np.uint16)).save(folder / "deep.png")
    return folder


@pytest.mark.parametrize("explain", ["false", "true"])
def test_every_kind_of_image_gets_a_diagnosis_under_its_own_name(explain, trained, scans, tmp_path):
    result = predict(trained, scans, tmp_path / "out", "--set", f"explain={explain}", "--set", "batch_size=2")
    assert result.exit_code == 0, result.stderr
    found = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert len(found) == len(list(scans.rglob("*.png"))) and all("error" not in one for one in found)
    for one in found:
        assert (tmp_path / "out" / f"{one['image']}_diagnosis.json").is_file()
        assert (tmp_path / "out" / f"{one['image']}_diagnosis.png").is_file()


@pytest.mark.parametrize("masked", ["empty", "whole"])
def test_an_empty_mask_and_one_that_covers_all_are_masks(masked, trained, scans, tmp_path):
    for image in scans.rglob("*.png"):
        mask = tmp_path / "masks" / image.relative_to(scans)
        mask.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", Image.open(image).size, 255 * (masked == "whole")).save(mask)
    words = [f"masks={tmp_path / 'masks'}", "crop=0.1", "explain=true"]
    result = predict(trained, scans, tmp_path / "out", *(part for word in words for part in ("--set", word)))
    assert result.exit_code == 0, result.stderr
    for one in json.loads((tmp_path / "out" / "predictions.json").read_text()):
        assert one["mask"] and one["lesion"]["lesions"] == (masked == "whole") and one["lesion"]["unit"] == "px"


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("spacing=abc", "spacing is 'abc', expected two numbers"),
        ("spacing=0.1", "spacing is 0.1, expected two numbers"),
        ("spacing=[0.1]", "spacing is [0.1], expected two numbers"),
        ("spacing=[0.1,0.2,0.3]", "spacing is [0.1, 0.2, 0.3], expected two numbers"),
        ("spacing=[true,1]", "spacing is [True, 1], expected two numbers"),
        ("spacing=[-1,1]", "expected two numbers of millimetres above 0"),
        ("masks=nowhere", "masks: nowhere is no folder"),
        ("masks=5", "masks: 5 is no folder"),
        ("mask_source=expert", "unknown mask_source 'expert'"),
        ("crop=1e400", "crop is inf, expected null"),
        ("explain=maybe", "explain is 'maybe', expected true or false"),
    ],
)
def test_a_wrong_setting_is_one_line_and_leaves_nothing(setting, told, trained, scans, tmp_path):
    result = predict(trained, scans, tmp_path / "out", "--set", setting)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1) and told in result.stderr, result.stderr
    assert not (tmp_path / "out").exists()
