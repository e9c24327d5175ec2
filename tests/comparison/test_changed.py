"""The picture of the cases that changed most, and when there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from monai_tumor.comparison.changed import changed_picture, data_to_draw
from monai_tumor.comparison.evaluations import paired_evaluations
from monai_tumor.datasets import open_dataset
from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.errors import ToolkitError, WrongCallError
from monai_tumor.imaging.pictures import PREDICTION_COLOUR, REFERENCE_COLOUR


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    PhantomDataset(count=8, style="us", size=(64, 80)).write(tmp_path / "scans", "folder")
    return tmp_path / "scans"


def changed_of(*names: str) -> list[dict]:
    return [{"id": name, "first": 1.0, "second": 0.0} for name in names]


def test_each_changed_case_is_image_a_and_b(scans: Path, tmp_path: Path, made_evaluation: Callable[..., Path]) -> None:
    dataset = open_dataset("folder")
    cases = {case.id: (case.group, dataset.load(case)[1]) for case in dataset.cases(scans)}
    first = {name: (group, reference, reference) for name, (group, reference) in cases.items()}
    second = {name: (group, np.zeros_like(reference), reference) for name, (group, reference) in cases.items()}
    pair = paired_evaluations(made_evaluation(tmp_path / "a", first), made_evaluation(tmp_path / "b", second))
    lesion = [name for name, case in pair[0].cases.items() if case.overlap.has_reference_lesion]
    picture = changed_picture(pair, changed_of(*lesion[:2]), dataset, str(scans))
    assert picture.shape[0] == 2 * (20 + 224 + 4)
    tiles = np.array_split(picture[20:248], 3, axis=1)
    seen = [
        [bool((tile == colour).all(axis=-1).any()) for tile in tiles]
        for colour in (REFERENCE_COLOUR, PREDICTION_COLOUR)
    ]
    assert seen == [[True, True, True], [False, True, False]]


def test_another_folder_is_refused(scans: Path, tmp_path: Path, made_evaluation: Callable[..., Path]) -> None:
    dataset = open_dataset("folder")
    case = next(case for case in dataset.cases(scans) if case.masks)
    nothing = np.zeros((5, 9), bool)
    small = nothing.copy()
    small[1, 2:5] = True
    cases = {case.id: ("g", small, small), "gone": ("h", small, small)}
    pair = paired_evaluations(made_evaluation(tmp_path / "a", cases), made_evaluation(tmp_path / "b", cases))
    for name, told in ((case.id, "pixels here and had 3 when it was evaluated"), ("gone", "has no case 'gone'")):
        with pytest.raises(ToolkitError, match=told):
            changed_picture(pair, changed_of(name), dataset, str(scans))


def test_images_come_from_the_given_folder_or_are_synthetic() -> None:
    assert data_to_draw("phantom", None) is not None and data_to_draw("folder", "scans") is not None
    assert data_to_draw("folder", None) is None and data_to_draw("of a missing plug-in", None) is None
    with pytest.raises(WrongCallError, match="'phantom' reads no folder"):
        data_to_draw("phantom", "scans")
    with pytest.raises(WrongCallError, match="unknown data set"):
        data_to_draw("of a missing plug-in", "scans")
