"""Every benchmark runs with --quick and writes the result that its readers expect."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMON = {"benchmark", "quick", "versions", "hardware", "load_average", "rounds", "threads"}


def run_quick(name: str, out: Path, *options: str) -> dict:
    words = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), "--quick", "--threads", "1", "--out", str(out)]
    subprocess.run([*words, *options], check=True, capture_output=True, text=True)
    return json.loads(out.read_text())


@pytest.mark.slow
def test_around_the_network_measures_three_ways(tmp_path):
    result = run_quick("around_the_network", tmp_path / "out.json")
    assert COMMON | {"ms_per_image", "times_ours"} == result.keys()
    assert result["ms_per_image"].keys() == {"ours", "notebook", "monai"}
    ours = result["ms_per_image"]["ours"]
    assert 0 < ours["outside_network_and_loss_cpu_ms"] < ours["outside_network_cpu_ms"] < ours["whole_epoch_cpu_ms"]


@pytest.mark.slow
def test_train_step_measures_ours_against_the_plain_loop(tmp_path):
    result = run_quick("train_step", tmp_path / "out.json")
    assert COMMON | {"per_step", "times_faster", "every_round"} < result.keys()
    assert result["per_step"].keys() == {"plain", "fp32", "bf16"}
    assert result["times_faster"]["fp32"].keys() == {"wall_s", "cpu_s"}


@pytest.mark.slow
def test_near_duplicates_misses_no_planted_pair(tmp_path):
    result = run_quick("near_duplicates", tmp_path / "out.json")
    assert (
        COMMON | {"sizes", "measured", "hash_pairs_equal_brute_force", "brute_force_times_hash_pairs"} == result.keys()
    )
    assert result["hash_pairs_equal_brute_force"] is True
    recalls = {name: found["recall"] for name, found in result["measured"].items() if "recall" in found}
    assert len(recalls) == 5 and set(recalls.values()) == {1}
    assert result["measured"]["folder: 1 thread(s)"]["pictures_per_s"] > 0


@pytest.mark.parametrize("name", ["around_the_network", "train_step"])
def test_the_result_on_file_is_a_full_run_without_paths_of_a_machine(name):
    text = (ROOT / "benchmarks" / "results" / f"{name}.json").read_text()
    assert json.loads(text).keys() > COMMON
    assert json.loads(text)["quick"] is False
    assert not any(folder in text for folder in ("/home", "/work", "/tmp", "/root"))


@pytest.mark.slow
def test_report_page_stays_small(tmp_path):
    words = [
        sys.executable,
        str(ROOT / "benchmarks" / "report_page.py"),
        "--quick",
        "--out",
        str(tmp_path / "out.json"),
    ]
    subprocess.run(words, check=True, capture_output=True, text=True)
    result = json.loads((tmp_path / "out.json").read_text())
    assert (result["cases"], result["misses"]) == (200, 30) and result["pictures"] >= 30 and result["mb"] < 15
