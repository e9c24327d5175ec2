"""Where threshold, smallest area and temperature come from, and the masks that follow."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.inference.operating_point import (
    LesionMask,
    OperatingPoint,
    operating_point,
    own_file,
    weights_digest,
    write_point,
)
from monai_tumor.metrics.levels import SMALLEST_AREAS, THRESHOLDS, case_levels

CHOSEN = OperatingPoint(0.3, 0.01, 1.7, "validation part: 9 lesion cases", "validation part: 9 lesion cases")


@pytest.fixture
def root(tmp_path: Path) -> str:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "model.pt").write_bytes(b"weights")
    return str(tmp_path)


def choose(root: str, tta: bool = False) -> None:
    write_point(own_file(root, tta), CHOSEN, weights_sha256=weights_digest(root), tta=tta)


def test_a_number_is_the_threshold_itself(root: str) -> None:
    assert operating_point(root, 0.4) == OperatingPoint(0.4)
    assert operating_point(root, 0.4, 0.002) == OperatingPoint(0.4, 0.002)


def test_auto_takes_what_was_chosen(root: str) -> None:
    choose(root)
    assert operating_point(root, "auto") == CHOSEN
    assert operating_point(root, "auto", 0.0).smallest_area == 0.0


def test_the_temperature_is_known_beside_a_given_threshold(root: str) -> None:
    choose(root)
    assert operating_point(root, 0.5) == OperatingPoint(0.5, 0.0, 1.7, "", CHOSEN.calibrated_on)


def test_mirrored_predictions_have_an_operating_point_of_their_own(root: str) -> None:
    choose(root)
    with pytest.raises(WrongCallError, match=r"operating_point-tta\.json does not exist; choose one with: .* --tta"):
        operating_point(root, "auto", tta=True)


def test_a_point_of_other_weights_is_refused_and_its_temperature_not_used(root: str) -> None:
    choose(root)
    Path(root, "models", "model.pt").write_bytes(b"trained again")
    with pytest.raises(WrongDataError, match="was chosen for other weights"):
        operating_point(root, "auto")
    assert operating_point(root, 0.5).temperature is None


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": 1.5},
        {"smallest_area": -1},
        {"threshold": "0.3"},
        {"tta": 1.5},
        {"temperature": -1},
        {"chosen_on": 5},
    ],
)
def test_a_file_with_other_values_is_refused(root: str, change: dict[str, object]) -> None:
    choose(root)
    path = own_file(root, False)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(WrongDataError, match=r"operating_point\.json (is no operating point|was chosen)"):
        operating_point(root, "auto")


@pytest.mark.parametrize("threshold", [0, 1, 1.5, -0.1, True, float("nan")])
def test_no_probability_is_refused(root: str, threshold: float) -> None:
    with pytest.raises(WrongCallError, match="expected a probability between 0 and 1"):
        operating_point(root, threshold)


def test_a_share_of_one_is_refused(root: str) -> None:
    with pytest.raises(WrongCallError, match="smallest_area is 1"):
        operating_point(root, 0.5, 1)


def test_components_below_the_area_are_removed_and_corners_touch() -> None:
    probability = np.zeros((10, 20), np.float32)
    probability[1, 1] = probability[2, 2] = 0.5  # two pixels that touch at a corner: 1 % of the image
    probability[7, 15] = 0.9
    mask = OperatingPoint(0.5, 0.01).mask(probability)
    assert np.argwhere(mask).tolist() == [[1, 1], [2, 2]]


@given(st.integers(0, 2**32 - 1), st.sampled_from(range(len(SMALLEST_AREAS))), st.sampled_from(range(len(THRESHOLDS))))
def test_a_mask_has_the_counts_that_the_choice_was_made_by(seed: int, area: int, threshold: int) -> None:
    random = np.random.default_rng(seed)
    probability, reference = random.random((9, 14), np.float32), random.random((9, 14)) < 0.3
    mask = OperatingPoint(THRESHOLDS[threshold], SMALLEST_AREAS[area]).mask(probability)
    levels = case_levels(probability, reference, "x")
    assert (mask & reference).sum() == levels.true_positive[area, threshold]
    assert (mask & ~reference).sum() == levels.false_positive[area, threshold]


def test_the_transform_gives_a_mask_with_a_channel() -> None:
    item = {"pred": np.array([[[0.2, 0.6, 0.5]]], np.float32), "case": "x"}
    assert LesionMask(OperatingPoint())(item)["pred"].tolist() == [[[False, True, True]]]
