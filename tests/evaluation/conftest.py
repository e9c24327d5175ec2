"""Small evaluated cases, and a run that was trained on phantom files."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from monai_tumor.evaluation.evaluated_case import EvaluatedCase
from monai_tumor.evaluation.scoring import evaluate_case
from monai_tumor.inference.operating_point import OperatingPoint


def lesion_at(row: int, column: int, shape: tuple[int, int] = (20, 30), rows: int = 6, columns: int = 9) -> np.ndarray:
    """Return a rectangle in a picture that is no square."""
    mask = np.zeros(shape, bool)
    mask[row : row + rows, column : column + columns] = True
    return mask


def case_of(name: str, prediction: np.ndarray, reference: np.ndarray, group: str = "", **about: str) -> EvaluatedCase:
    """Return the case of a network that says 0.9 inside of ``prediction`` and 0.1 outside."""
    maps = np.where(prediction, 0.9, 0.1)[None].astype(np.float32)
    return evaluate_case(name, group or name, maps, reference, OperatingPoint(), **about)[0]


@pytest.fixture
def run(trained_run: Path, tmp_path: Path) -> Path:
    """A copy of a trained run that may be written to."""
    return Path(shutil.copytree(trained_run, tmp_path / "run"))
