"""The model card says what the files of a run say, and what nobody knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monai_tumor.reporting.card import write_card

COUNTS = {"cases": 30, "groups": 20, "with_lesion": 25, "lesion_free": 5, "no_reference": 0}
RECORD: dict[str, Any] = {
    "bundle": "breast",
    "status": "finished",
    "seed": 0,
    "settings": {"network": "unet", "epochs": 3},
    "data": {
        **{"dataset": "busi", "rule": "by group", "split": "5" * 64, "fingerprint": "f" * 64},
        **dict.fromkeys(("training", "validation", "test"), COUNTS),
    },
    "best": 0.5,
    "best_epoch": 2,
    "cpu_seconds": 90.0,
    "weights_sha256": "a" * 64,
}


def metrics(part: str = "test", dataset: str = "busi", dice: float = 0.7, low: float | None = 0.6, **more: Any) -> Any:
    interval = {"mean": dice, "low": low, "high": None if low is None else 0.8, "n": 25, "groups": 20}
    return {
        **{
            "part": part,
            "dataset": dataset,
            "threshold": 0.5,
            "tta": False,
            "split": "5" * 64,
            "weights_sha256": "a" * 64,
        },
        **{"text": [f"dice: {dice}"], "lesion_cases": {"dice": interval, "missed": 1}, "lesion_free_cases": {"n": 5}},
        **{"calibration": {"after": None}, "sealed": {"date": "2026-01-01"} if part == "external" else None, **more},
    }


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "metadata.json").write_text(json.dumps({"name": "Breast", "intended_use": "Research."}))
    (tmp_path / "run.json").write_text(json.dumps(RECORD))
    return tmp_path


def evaluated(run: Path, name: str, content: Any) -> None:
    (run / "evaluation" / name).mkdir(parents=True)
    (run / "evaluation" / name / "metrics.json").write_text(json.dumps(content))


def test_a_run_that_nobody_tested_says_so(run: Path) -> None:
    card = write_card(run).read_text()
    assert "- Nobody has tested this run." in card and "It took 1.5 minutes of processor time." in card
    assert "eval_metrics" not in (run / "configs" / "metadata.json").read_text()


def test_of_each_part_the_newest_evaluation_counts(run: Path) -> None:
    evaluated(run, "001-test", metrics(dice=0.1))
    evaluated(run, "002-validation", metrics("validation", dice=0.9))
    evaluated(run, "003-test", metrics(dice=0.7))
    card = write_card(run).read_text()
    assert "## Test part of busi\n\nThreshold 0.5. `evaluation/003-test`" in card and "dice: 0.1" not in card
    assert "- dice: 0.7" in card and "dice: 0.9" not in card  # what the run has chosen from is named, not shown off
    assert "chosen from: `evaluation/002-validation`" in card
    assert "never tested on data from elsewhere" in card


def test_an_external_test_stands_beside_and_is_in_the_metadata(run: Path) -> None:
    evaluated(run, "001-test", metrics())
    evaluated(run, "external-bus_bra-12345678", metrics("external", "bus_bra", 0.5))
    card = write_card(run).read_text()
    assert "## External test of bus_bra 12345678" in card and "never tested on data from elsewhere" not in card
    figures = json.loads((run / "configs" / "metadata.json").read_text())["eval_metrics"]
    assert figures["external test of bus_bra 12345678"]["dice_of_lesion_cases"]["mean"] == 0.5
    assert figures["test part of busi"]["dice_of_lesion_cases"]["groups"] == 20


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"low": None}, "- Too few groups for an interval: test part."),
        ({"lesion_free_cases": {"n": 0}}, "images without a lesion is not known"),
        ({}, "- Its probabilities were not calibrated."),
    ],
)
def test_limits_follow_from_the_figures(run: Path, change: dict[str, Any], told: str) -> None:
    evaluated(run, "001-test", metrics(**change))
    assert told in write_card(run).read_text()


def test_the_operating_point_is_told_with_what_it_was_chosen_on(run: Path) -> None:
    point = {
        "threshold": 0.3,
        "smallest_area": 0.002,
        "temperature": 1.25,
        "tta": False,
        "chosen_on": "validation part",
    }
    (run / "operating_point.json").write_text(json.dumps(point))
    told = "Threshold 0.3, smallest lesion 0.2 % of the image, temperature 1.250: chosen on validation part."
    assert told in write_card(run).read_text()


def test_an_evaluation_of_another_task_than_masks_tells_its_own_lines(run: Path) -> None:
    record = {**RECORD, "metric": "balanced_accuracy"}
    (run / "run.json").write_text(json.dumps(record))
    ours = ("part", "dataset", "split", "weights_sha256")
    found = {name: metrics()[name] for name in ours}
    evaluated(run, "001-test", {**found, "text": ["accuracy: 0.8"]})
    card = write_card(run).read_text()
    assert "best epoch 2, validation balanced accuracy 0.500" in card
    assert "## Test part of busi" in card and "- accuracy: 0.8" in card and "Threshold" not in card
    assert "Nobody has tested" not in card


def test_two_folders_of_one_layout_are_two_external_tests(run: Path) -> None:
    for digits in ("11111111", "22222222"):
        evaluated(run, f"external-folder-{digits}", metrics("external", "folder", float(digits[0]) / 10))
    card = write_card(run).read_text()
    assert "## External test of folder 11111111" in card and "## External test of folder 22222222" in card
