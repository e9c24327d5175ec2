"""The figures of one evaluated run, internal and external, as a result: what the page of results shows of it.

    python benchmarks/real_run.py RUN --name breast_busi --commands "monai-tumor train ..." "monai-tumor evaluate ..."

Nothing is trained or predicted here. The commands are those that made the run; they are shown beside its figures.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from common import report

KEPT = ("mean", "low", "high", "median", "n", "groups", "undefined", "text")
LESION = ("dice", "iou", "precision", "recall", "hd95_px", "nsd_2px", "found")
FREE = ("specificity", "false_positive_area_px")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--commands", nargs="+", required=True)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    result = collected(options.run, options.commands)
    lines = [f"{one['title']}: Dice {one['lesion_cases']['dice']['text']}" for one in result["evaluations"]]
    report(f"real_run_{options.name}", result, lines, options.out, quick=False)


def collected(run: Path, commands: list[str]) -> dict[str, Any]:
    """Return what a run says of itself and of its estimates: pooled or test part first, external ones after it."""
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(run.glob("evaluation/*/metrics.json"))]
    estimates = [one for one in found if one["part"] in ("test", "out_of_fold", "external")]
    return {
        "commands": commands,
        "trained": {name: record.get(name) for name in ("bundle", "folds", "cpu_seconds", "settings", "data")},
        "evaluations": [evaluation(one) for one in estimates],
    }


def evaluation(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of one evaluation that are worth a row."""
    chosen = metrics.get("chosen_on")
    lesion, free = metrics["lesion_cases"], metrics["lesion_free_cases"]
    return {
        "title": f"{metrics['part'].replace('_', '-')}, {metrics['dataset']}, threshold "
        + (f"chosen on {chosen}" if chosen else f"{metrics['threshold']:g}"),
        "part": metrics["part"],
        "dataset": metrics["dataset"],
        "threshold": metrics["threshold"],
        "smallest_area": metrics["smallest_area"],
        "weights_sha256": metrics["weights_sha256"],
        "lesion_cases": {
            "n": lesion["n"],
            "missed": lesion["missed"],
            **{name: {key: lesion[name][key] for key in KEPT} for name in LESION},
        },
        "lesion_free_cases": {
            "n": free["n"],
            **({name: {key: free[name][key] for key in KEPT} for name in FREE} if free["n"] else {}),
        },
        "lesions": metrics["lesions"],
        "calibration": {
            name: None if one is None else {key: one[key] for key in ("ece", "brier", "n")}
            for name, one in ((name, metrics["calibration"][name]) for name in ("before", "after"))
        },
    }


if __name__ == "__main__":
    main()
