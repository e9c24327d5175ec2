"""What the benchmarks that train do around their trainings: divisions, pairs, intervals. No network is trained here."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from monai_tumor.splits.split import Split, SplitEntry, read_split, write_split

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Import a script of the benchmarks by its name, and forget it afterwards."""
    monkeypatch.syspath_prepend(FOLDER)
    before = set(sys.modules)

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    yield load
    for name in set(sys.modules) - before:
        if (FOLDER / f"{name}.py").is_file():
            del sys.modules[name]


def folds_of_pairs(path: Path) -> Split:
    """Write five folds of twenty images: two neighbours are one cluster."""
    entry = SplitEntry("g", "c", 0, "benign", True, "d", "p", "")
    cases = {
        f"benign ({number})": replace(entry, group=f"g{number}", cluster=f"c{number // 2}", part=number // 2 % 5)
        for number in range(20)
    }
    split = Split("busi", 0, "by cluster", "f" * 64, cases)
    write_split(path, split)
    return split


def test_a_division_by_image_has_the_same_cases_and_tears_copies_apart(script, tmp_path: Path) -> None:
    leak = script("leak")
    split = folds_of_pairs(tmp_path / "by_cluster.json")
    leak.draw_by_image(tmp_path / "by_cluster.json", tmp_path / "by_image.json")
    drawn = read_split(tmp_path / "by_image.json")
    assert set(drawn.cases) == set(split.cases) and drawn.folds == leak.FOLDS == 5
    assert [len(drawn.ids("test", fold)) for fold in range(5)] == [4] * 5


def test_a_case_leaks_when_its_copy_trains(script, tmp_path: Path) -> None:
    leak = script("leak")
    split = folds_of_pairs(tmp_path / "by_cluster.json")
    clusters = {name: entry.cluster for name, entry in split.cases.items()}
    assert leak.with_a_copy_in_training(tmp_path / "by_cluster.json", clusters) == set()
    moved = {**split.cases, "benign (0)": replace(split.cases["benign (0)"], part=3, cluster="alone")}
    write_split(tmp_path / "torn.json", replace(split, cases=moved))
    # Its copy is tested in fold 0 and validates in fold 4: it trains where image 0 is tested, in fold 3.
    # And the other way round.
    assert leak.with_a_copy_in_training(tmp_path / "torn.json", clusters) == {"benign (0)", "benign (1)"}


def test_the_difference_of_two_divisions_is_paired_case_by_case(script) -> None:
    leak = script("leak")
    names = [f"n{number}" for number in range(12)]
    scores = {"by_image": dict.fromkeys(names, 0.8), "by_cluster": {name: 0.1 * k / 2 for k, name in enumerate(names)}}
    found = leak.compare(scores, set(names), {name: name for name in names})
    assert found["difference"]["mean"] == pytest.approx(0.8 - 0.275)
    assert found["difference"]["low"] < found["difference"]["mean"] < found["difference"]["high"]


def test_precision_is_compared_within_a_seed(script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    precision = script("precision")
    dice = {"fp32": [0.70, 0.72, 0.68], "bf16": [0.71, 0.71, 0.69]}
    monkeypatch.setattr(
        precision, "test_run", lambda options, number, seed, way: {"dice": dice[way][seed], "cpu_seconds": 10.0}
    )
    found = precision.measure(argparse.Namespace(seeds=3, work=tmp_path), 0)
    # Differences .01, -.01, .01: mean 1/300, deviation .011547, t(.975, 2) = 4.303.
    assert found["mean"] == pytest.approx(1 / 300)
    assert found["high"] - found["mean"] == pytest.approx(4.3027 * 0.0115470 / 3**0.5, abs=1e-5)


def test_a_finished_training_is_not_repeated(script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    precision = script("precision")
    run = tmp_path / "1-4-bf16"
    (run / "evaluation" / "001-test").mkdir(parents=True)
    (run / "evaluation" / "001-test" / "metrics.json").write_text(json.dumps({"lesion_cases": {"dice": {"mean": 0.6}}}))
    (run / "run.json").write_text(json.dumps({"cpu_seconds": 12.5}))
    monkeypatch.setattr(precision, "call", lambda *words: pytest.fail(f"called {words}"))
    found = precision.test_run(argparse.Namespace(work=tmp_path), 1, 4, "bf16")
    assert found == {"dice": 0.6, "cpu_seconds": 12.5}


def test_a_curve_has_an_interval_at_every_time(script, tmp_path: Path) -> None:
    against = script("against_notebook")
    split = folds_of_pairs(tmp_path / "split.json")
    clusters = {name: entry.cluster for name, entry in split.cases.items()}
    cases = {name: 0.5 + 0.01 * number for number, name in enumerate(split.cases)}
    (tmp_path / "fast").mkdir()
    (tmp_path / "fast" / "scores.json").write_text(json.dumps([{"minutes": 2.0, "cases": cases}]))
    (point,) = against.curve_of(tmp_path / "fast", clusters)
    assert point["minutes"] == 2.0 and point["dice"]["mean"] == pytest.approx(0.595)
    assert point["dice"]["groups"] == 10 and point["dice"]["low"] < 0.595 < point["dice"]["high"]


def test_processor_time_is_scaled_by_the_steps_that_were_measured(script, tmp_path: Path) -> None:
    against = script("against_notebook")
    (tmp_path / "steps.json").write_text(json.dumps({"fast": {"1": 1.1, "2": 0.55}}))
    options = argparse.Namespace(work=tmp_path, processor_time=True)
    assert against.seconds_per_second("fast_10", options) == pytest.approx(2.0)
    assert against.seconds_per_second("fast_10", argparse.Namespace(work=tmp_path, processor_time=False)) == 1.0


def test_a_budget_of_processor_time_does_not_count_waiting(script) -> None:
    import time

    budget = script("cpu_budget").CpuBudget(epochs=None, minutes=1.0)
    before = budget.seconds
    time.sleep(0.2)
    assert budget.seconds - before < 0.1


def test_a_real_run_is_collected_with_its_external_test(script, tmp_path: Path) -> None:
    interval = dict.fromkeys(("mean", "low", "high", "median", "n", "groups", "undefined"), 1) | {"text": "1 (n = 1)"}
    real_run = script("real_run")
    for part in ("out_of_fold", "external", "validation"):
        metrics = {
            **{"part": part, "dataset": "busi", "threshold": 0.5, "smallest_area": 0.0, "weights_sha256": "w"},
            **{
                "chosen_on": "",
                "lesions": {"reference": 3},
                "calibration": {"before": {"ece": 0.1, "brier": 0.2, "n": 9}},
            },
            "lesion_cases": {"n": 2, "missed": 1, **dict.fromkeys(real_run.LESION, interval)},
            "lesion_free_cases": {"n": 0},
        }
        metrics["calibration"]["after"] = None
        (tmp_path / "evaluation" / part).mkdir(parents=True)
        (tmp_path / "evaluation" / part / "metrics.json").write_text(json.dumps(metrics))
    (tmp_path / "run.json").write_text(json.dumps({"bundle": "breast", "cpu_seconds": 60.0}))
    found = real_run.collected(tmp_path, ["monai-tumor train breast"])
    assert [one["part"] for one in found["evaluations"]] == ["external", "out_of_fold"]
    assert (
        found["evaluations"][0]["title"] == "external, busi, threshold 0.5" and found["trained"]["bundle"] == "breast"
    )
