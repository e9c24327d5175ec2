"""The figures of ``monai-tumor diagnosis compare`` and of the sealed tests after it, as a result for the page of results.

    python benchmarks/diagnosis.py OUT --commands "monai-tumor diagnosis compare ..." "monai-tumor evaluate ..."

Nothing is trained or predicted here. The commands are those that made it; they are shown beside the figures.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from common import report
from tumor_mask_classifier.cases_table import TABLE, read_diagnosed
from tumor_mask_classifier.pooled import difference
from tumor_mask_classifier.source import CLASSES
from tumor_mask_classifier.stages import WAYS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--commands", nargs="+", required=True)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    first, *others = list(WAYS)
    table = (options.folder / "diagnosis.md").read_text(encoding="utf-8")
    ways = json.loads((options.folder / "diagnosis-figures.json").read_text(encoding="utf-8"))["ways"]
    tests = {path.parents[2].name: path for path in sorted(options.folder.glob("*/evaluation/external-*/metrics.json"))}
    sealed = [tested(run, path) for run, path in tests.items()]
    result = {
        "commands": options.commands,
        "cpu_minutes": round(sum(map(seconds, options.folder.glob("*/*/run.json"))) / 60),
        "table": table.split("\n", 1)[1].strip(),
        "ways": {way: kept(metrics) for way, metrics in ways.items()},
        "sealed": sealed,
        "sealed_differences": {
            way: beside(tests[way], tests[first]) for way in others if way in tests and first in tests
        },
    }
    report("diagnosis", result, [table], options.out, quick=False)


def tested(way: str, path: Path) -> dict[str, Any]:
    """Return the figures of one sealed test."""
    metrics = json.loads(path.read_text(encoding="utf-8"))
    before = {"before": metrics["before"]["point"]} if "before" in metrics else {}
    return {"way": way, "dataset": metrics["dataset"], "cases": metrics["cases"], **kept(metrics), **before}


def beside(second: Path, first: Path) -> dict[str, Any]:
    """Return what one way brings beside another on the same sealed cases, malignant against benign, paired."""
    one, two = (read_diagnosed(path.with_name(TABLE), CLASSES) for path in (first, second))
    own = [json.loads((path.parents[2] / "operating_point.json").read_text()) for path in (first, second)]
    scaled = one.logits / own[0]["temperature"], two.logits / own[1]["temperature"]
    return difference(one, two, scaled, CLASSES, ("benign", "malignant"), seed=0)


def kept(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return what is worth a row."""
    return {
        "auroc": metrics["against"]["benign"]["auroc"],
        "point": metrics["point"],
        "referred": metrics["answers"]["referred"],
        "error": metrics["answers"]["error"],
        "malignant_answers": metrics["answers"]["per_class"]["malignant"]["answers"],
        "ece": metrics["calibration"]["figures"]["ece"],
        "alarms": metrics["out_of_place"]["alarms"] if "out_of_place" in metrics else None,
    }


def seconds(path: Path) -> float:
    """Return the processor time of a training."""
    return float(json.loads(path.read_text(encoding="utf-8")).get("cpu_seconds", 0.0))


if __name__ == "__main__":
    main()
