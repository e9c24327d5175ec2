"""Every network trains on every organ's real images and predicts images of odd sizes."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from monai_tumor import registry
from monai_tumor.cli.main import main
from monai_tumor.imaging.read import read_mask

FOLDERS = {"breast": "busi", "brain": "brain_lgg/kaggle_3m", "thyroid": "thyroid_ddti"}
NETWORKS = [component.name for component in registry.components("networks") if component.distribution == registry.CORE]
ODD = ((65, 70), (1, 300))


def run(*words: str) -> None:
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code == 0, result.output


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("organ", FOLDERS)
def test_it_trains_and_predicts(organ: str, network: str, real_data: Path, tmp_path: Path) -> None:
    small = ["--set", "prepare#rows=64", "--set", "prepare#columns=64"]
    words = [organ, "--network", network, "--epochs", "1", "--dataset-dir", str(real_data / FOLDERS[organ])]
    run("train", *words, "--run-dir", str(tmp_path / "run"), *small)
    (epoch,) = json.loads((tmp_path / "run" / "run.json").read_text())["history"]
    assert 0 < epoch["loss"] < 3
    assert epoch["lesion_dice_lesion_cases"] > 5
    random = np.random.default_rng(0)
    for rows, columns in ODD:
        cv2.imwrite(str(tmp_path / f"{rows}.png"), random.integers(0, 256, (rows, columns), dtype=np.uint8))
    files = [str(tmp_path / f"{rows}.png") for rows, _ in ODD]
    run("predict", *files, "--bundle", str(tmp_path / "run"), "--output", str(tmp_path / "out"))
    for rows, columns in ODD:
        (mask,) = [path for path in (tmp_path / "out").rglob(f"{rows}*.png") if "overlay" not in str(path)]
        assert read_mask(mask).shape == (rows, columns)
