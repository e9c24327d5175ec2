"""Made-up runs, and a program that trains nothing but leaves the files of a training."""

import csv
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from monai_tumor.audit.division import divide
from monai_tumor.bundles.find import bundle_folder
from monai_tumor.comparison.methods import named_methods
from monai_tumor.comparison.plan import Plan
from monai_tumor.datasets import open_dataset
from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.metrics.measures import LESION_MEASURES
from monai_tumor.splits.split import write_split

COUNTS = ("true_positive", "false_positive", "false_negative", "true_negative")
RECORD = {
    "status": "finished",
    "weights_sha256": "w",
    "started": "2026-01-01T10:00:00+00:00",
    "ended": "2026-01-01T10:02:00+00:00",
    "cpu_seconds": 120.0,
    "peak_memory_mib": 700.0,
    "hardware": {"cores": 2},
    "settings": {"parameters": 1000},
    "history": [{"epoch": 1, "seconds": 45.0}, {"epoch": 2, "seconds": 90.0}],
}

# ``train`` and ``evaluate`` as far as a comparison sees them; called with a file for its calls, and its own words.
PROGRAM = f"""
import json, pathlib, sys
calls, *words = sys.argv[1:]
with open(calls, "a") as file:
    print(json.dumps(words), file=file)
option = "--resume" if "--resume" in words else "--run-dir"
run = pathlib.Path(words[1] if words[0] == "evaluate" else words[words.index(option) + 1])
if "broken" in words:
    sys.exit("error: out of luck")
run.mkdir(parents=True, exist_ok=True)
if words[0] == "train":
    (run / "run.json").write_text(json.dumps({RECORD!r}))
else:
    folder = run / "evaluation" / "001-test"
    folder.mkdir(parents=True)
    header = "case,group,{",".join([*COUNTS, *(one.name for one in LESION_MEASURES)])}"
    (folder / "cases.csv").write_text(header + "\\n")
    (folder / "metrics.json").write_text(json.dumps({{"weights_sha256": "w"}}))
"""


class Recorded:
    """The stand-in program, and what it was called with."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "calls.txt"
        (folder / "program.py").write_text(PROGRAM)
        self.words = (sys.executable, str(folder / "program.py"), str(self.file))

    @property
    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.is_file() else []


@pytest.fixture
def program(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path)


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve phantoms in a folder, and beside it folds.json with three folds of them."""
    folder = tmp_path_factory.mktemp("comparison") / "scans"
    PhantomDataset(count=12, style="us", size=(64, 80)).write(folder, "folder")
    dataset = open_dataset("folder")
    write_split(folder.parent / "folds.json", divide(dataset, dataset.cases(folder), folds=3))
    return folder


@pytest.fixture
def plan(scans: Path) -> Callable[..., Plan]:
    """Return a plan of one epoch; arguments change it."""

    def make(networks: tuple[str, ...] = ("unet",), recipes: tuple[str, ...] = (), **changes: Any) -> Plan:
        settings = {
            "dataset_dir": str(scans),
            "split": str(scans.parent / "folds.json"),
            "epochs": 1,
            "bundle": bundle_folder("breast"),
        }
        return Plan(methods=named_methods(networks, recipes), **{**settings, **changes})

    return make


def write_run(run: Path, cases: Mapping[str, tuple[str, int, int, int]], **record: Any) -> Path:
    """Write a finished and tested run; a case is its group and counts of hits, false pixels and missed pixels."""
    folder = run / "evaluation" / "001-test"
    folder.mkdir(parents=True)
    (run / "run.json").write_text(json.dumps({**RECORD, **record}))
    (folder / "metrics.json").write_text(json.dumps({"weights_sha256": "w"}))
    with (folder / "cases.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["case", "group", *COUNTS, *(one.name for one in LESION_MEASURES)])
        for name, (group, hit, false, missing) in cases.items():
            dice = 2 * hit / (2 * hit + false + missing) if hit + missing else ""
            iou = hit / (hit + false + missing) if hit + missing else ""
            precision = hit / (hit + false) if hit + false else ""
            recall = hit / (hit + missing) if hit + missing else ""
            distances = (4.0, 2.0) if hit else ("", "")
            writer.writerow([name, group, hit, false, missing, 100, dice, iou, precision, recall, *distances])
    return run


@pytest.fixture
def made_run() -> Callable[..., Path]:
    return write_run
