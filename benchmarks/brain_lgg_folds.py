"""How well does the brain bundle do on LGG MRI, by patient? K folds, each patient tested once, all slices pooled.

    python benchmarks/brain_lgg_folds.py --dataset-dir DIR

DIR is the ``kaggle_3m`` folder of the LGG MRI Segmentation set. Trains one run a fold with MONAI's residual U-Net in
``--work`` (a finished fold is not trained again), evaluates each on its test patients, and writes
``benchmarks/results/brain_lgg_folds.json`` and ``docs/images/brain-lgg-folds.svg``.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from statistics import fmean

from monai_tumor.metrics.summary import mean_interval
from monai_tumor.training.record import versions

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "brain_lgg_folds.json"
FIGURE = ROOT / "docs" / "images" / "brain-lgg-folds.svg"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset-dir", required=True)
    parser.add_argument("--work", type=Path, default=Path("runs/brain_lgg_folds"))
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--channels", type=int, default=3)
    parser.add_argument("--lr", type=float, default=0.003)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    split = options.work / "folds.json"
    if not split.exists():
        call(
            "data",
            "split",
            options.dataset_dir,
            "--dataset",
            "brain_mri",
            "--folds",
            str(options.folds),
            "-o",
            str(split),
        )
    rows = [row for fold in range(options.folds) for row in test_rows(options, split, fold)]
    patients = per_patient(rows)
    settings = {name: getattr(options, name) for name in ("folds", "epochs", "channels", "lr")}
    summary = summarise(patients)
    result = {"network": "monai_unet", **settings, **summary, "patients": patients, "versions": versions()}
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    FIGURE.parent.mkdir(exist_ok=True)
    FIGURE.write_text(figure(patients, summary["dice"]["text"]), encoding="utf-8")
    print(json.dumps(summary, indent=1))


def call(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "monai_tumor", *words], check=True)


def test_rows(options: argparse.Namespace, split: Path, fold: int) -> list[dict[str, str]]:
    """Train and evaluate one fold where that has not been done, and return its rows."""
    run = options.work / str(fold)
    if not (run / "models" / "model.pt").exists() or json.loads((run / "run.json").read_text())["status"] != "finished":
        words = [
            "train",
            "brain",
            "--network",
            "monai_unet",
            "--dataset-dir",
            options.dataset_dir,
            "--epochs",
            str(options.epochs),
        ]
        words += ["--split", str(split), "--fold", str(fold), "--run-dir", str(run), "--set", f"lr={options.lr}"]
        call(*words, "--set", f"prepare#channels={options.channels}")
    table = run / "evaluation" / "001-test" / "cases.csv"
    if not table.exists():
        call("evaluate", str(run), "--dataset-dir", options.dataset_dir)
    with table.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def per_patient(rows: list[dict[str, str]]) -> dict[str, dict[str, object]]:
    """Return for each patient the Dice of every tumour slice and the false-positive area of every empty one."""
    dice: dict[str, list[float]] = defaultdict(list)
    area: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row["dice"]:
            dice[row["group"]].append(float(row["dice"]))
        else:
            area[row["group"]].append(int(row["false_positive"]))
    return {
        name: {
            "tumour_slices": len(dice[name]),
            "dice": fmean(dice[name]) if dice[name] else None,
            "dice_of_slices": [round(value, 4) for value in dice[name]],
            "empty_slices": len(area[name]),
            "false_positive_px": fmean(area[name]) if area[name] else None,
        }
        for name in sorted({*dice, *area})
    }


def summarise(patients: dict[str, dict]) -> dict[str, dict]:
    """Mean over patients, each counting once, with a 95 % interval."""
    with_tumour = {name: entry for name, entry in patients.items() if entry["dice"] is not None}
    with_empty = {name: entry for name, entry in patients.items() if entry["false_positive_px"] is not None}
    dice = mean_interval([entry["dice"] for entry in with_tumour.values()], list(with_tumour), limits=(0.0, 1.0))
    area = mean_interval(
        [entry["false_positive_px"] for entry in with_empty.values()], list(with_empty), limits=(0.0, 65536.0)
    )
    return {"dice": dice.plain(), "false_positive_px": area.plain()}


def figure(patients: dict[str, dict], text: str) -> str:
    """Draw one line a patient: dots are slices, the bar is the patient's mean."""
    ranked = sorted(
        (entry for entry in patients.items() if entry[1]["dice"] is not None), key=lambda item: item[1]["dice"]
    )
    left, width, line = 190, 420, 22
    height = 60 + line * len(ranked)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 40}" height="{height}" font-family="sans-serif" '
        f'font-size="12" role="img"><title>Dice of tumour slices by patient. Mean over patients {text}</title>',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{left}" y="18">Dice of each tumour slice (dot) and patient (bar), patient never seen in training</text>',
    ]
    for tick in (0, 0.25, 0.5, 0.75, 1):
        x = left + tick * width
        parts.append(f'<line x1="{x}" x2="{x}" y1="28" y2="{height - 24}" stroke="#ddd"/>')
        parts.append(f'<text x="{x}" y="{height - 8}" text-anchor="middle">{tick:g}</text>')
    for number, (name, entry) in enumerate(ranked):
        y = 40 + line * number
        parts.append(f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{name}</text>')
        parts += [
            f'<circle cx="{left + value * width:.1f}" cy="{y}" r="3" fill="#0072B2" fill-opacity="0.5"/>'
            for value in entry["dice_of_slices"]
        ]
        x = left + entry["dice"] * width
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 8}" y2="{y + 8}" stroke="#D55E00" stroke-width="3"/>')
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    main()
