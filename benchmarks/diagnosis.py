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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--commands", nargs="+", required=True)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    table = (options.folder / "diagnosis.md").read_text(encoding="utf-8")
    ways = json.loads((options.folder / "diagnosis-figures.json").read_text(encoding="utf-8"))["ways"]
    sealed = [
        tested(way, path) for way in ways for path in options.folder.glob(f"{way}*/evaluation/external-*/metrics.json")
    ]
    result = {
        "commands": options.commands,
        "cpu_minutes": round(sum(map(seconds, options.folder.glob("*/*/run.json"))) / 60),
        "table": table.split("\n", 1)[1].strip(),
        "ways": {way: kept(metrics) for way, metrics in ways.items()},
        "sealed": sealed,
    }
    report("diagnosis", result, [table], options.out, quick=False)


def tested(way: str, path: Path) -> dict[str, Any]:
    """Return the figures of one sealed test."""
    metrics = json.loads(path.read_text(encoding="utf-8"))
    before = {"before": metrics["before"]["point"]} if "before" in metrics else {}
    return {"way": way, "dataset": metrics["dataset"], "cases": metrics["cases"], **kept(metrics), **before}


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
