"""A program that trains nothing but leaves the files of a training, and a plan for it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monai_tumor.audit.division import divide
from monai_tumor.bundles.find import bundle_folder
from monai_tumor.datasets import open_dataset
from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.folds.plan import FoldPlan
from monai_tumor.splits.split import write_split

# ``train`` as far as a fold set sees it; called with a file for its calls, a file of exit codes, and its own words.
PROGRAM = """
import json, pathlib, sys
calls, codes, *words = sys.argv[1:]
with open(calls, "a") as file:
    print(json.dumps(words), file=file)
run = pathlib.Path(words[words.index("--resume" if "--resume" in words else "--run-dir") + 1])
code = json.loads(pathlib.Path(codes).read_text()).get(run.name, 0)
(run / "models").mkdir(parents=True, exist_ok=True)
(run / "models" / "checkpoint.pt").write_bytes(b"one epoch")
status = {0: "finished", 130: "interrupted"}.get(code, "failed")
(run / "run.json").write_text(json.dumps({"status": status, "best": 0.5, "best_epoch": 1}))
if code not in (0, 130):
    print("error: out of luck")
sys.exit(code)
"""


class Recorded:
    """The stand-in program, what it was called with, and the exit code of each fold that it fails in."""

    def __init__(self, folder: Path) -> None:
        self.file, self.codes = folder / "calls.txt", folder / "codes.json"
        (folder / "program.py").write_text(PROGRAM)
        self.words = (sys.executable, str(folder / "program.py"), str(self.file), str(self.codes))
        self.fail()

    def fail(self, **codes: int) -> None:
        self.codes.write_text(json.dumps({name.replace("_", "-"): code for name, code in codes.items()}))

    @property
    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.is_file() else []


@pytest.fixture
def program(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path)


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve phantoms in a folder, and beside it folds.json with three folds of them."""
    folder = tmp_path_factory.mktemp("folds") / "scans"
    PhantomDataset(count=12, style="us", size=(64, 80)).write(folder, "folder")
    dataset = open_dataset("folder")
    write_split(folder.parent / "folds.json", divide(dataset, dataset.cases(folder), folds=3))
    return folder


@pytest.fixture
def plan(scans: Path) -> Callable[..., FoldPlan]:
    """Return a plan of three given folds; arguments change it."""

    def make(**changes: Any) -> FoldPlan:
        given = {"bundle": bundle_folder("breast"), "settings": {"lr": 0.1, "cache_dir": "c"}, "folds": 3}
        data = {"dataset_dir": str(scans), "dataset": "folder", "split": str(scans.parent / "folds.json")}
        return FoldPlan(**{**given, **data, **changes})

    return make
