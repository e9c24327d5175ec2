"""The simulation of intervals counts what it says, and the result on file is a full run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GROUPS = ["8", "10", "15", "20", "30", "50", "100"]


def test_three_intervals_are_counted_and_ours_from_ten_groups_up(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    words = [sys.executable, str(ROOT / "benchmarks" / "interval_coverage.py"), "--quick", "--out", str(out)]
    subprocess.run(words, check=True, capture_output=True, text=True)
    found = json.loads(out.read_text())
    assert (found["quick"], found["threads"], found["level"]) == (True, 1, 0.95)
    for entry in found["populations"].values():
        assert list(entry["groups"]) == GROUPS
        assert entry["groups"]["8"].keys() == {"groups", "cases"}
        for ways in entry["groups"].values():
            for way in ways.values():
                assert way["hits"] + way["too_low"] + way["too_high"] + way["none"] == way["of"] == found["repetitions"]
    diagnosis = found["diagnosis"]
    assert len(diagnosis["populations"]) == 9
    for entry in diagnosis["populations"].values():
        assert list(entry["groups"]) == ["15", "30", "60"]
        for ways in entry["groups"].values():
            assert ways["ours"]["of"] == diagnosis["repetitions"] and ways["ours"]["none"] == 0


def test_the_result_on_file_says_that_ours_holds_what_the_others_do_not() -> None:
    found = json.loads((ROOT / "benchmarks" / "results" / "interval_coverage.json").read_text())
    assert found["quick"] is False and found["repetitions"] >= 1000
    for name, ends in found["ours"]["from_30_groups"].items():
        # A mean of values with a long tail is held less often, and the page says so.
        assert (0.92 if name == "distance" else 0.93) <= ends["lowest"] <= ends["highest"] <= 0.975
    for entry in found["populations"].values():
        assert all(ways["cases"]["share"] < 0.9 for ways in entry["groups"].values())
        assert entry["groups"]["10"]["groups"]["share"] < entry["groups"]["10"]["ours"]["share"]


def test_the_result_on_file_says_that_figures_of_a_classifier_hold_what_a_percentile_bootstrap_does_not() -> None:
    found = json.loads((ROOT / "benchmarks" / "results" / "interval_coverage.json").read_text())
    if "diagnosis" not in found:
        pytest.skip("the result on file is of a run before these figures; run benchmarks/interval_coverage.py")
    assert found["diagnosis"]["repetitions"] >= 1000 and found["diagnosis"]["ours_lowest"] >= 0.93
    for entry in found["diagnosis"]["populations"].values():
        few = entry["groups"]["15"]
        assert "groups" not in few or few["groups"]["share"] < 0.92 < few["ours"]["share"]
