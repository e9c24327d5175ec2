import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from monai_tumor.comparison import compare
from monai_tumor.datasets.phantom import PhantomDataset

Program = Callable[..., Result]
SMALL = ["--set", "prepare#rows=64", "--set", "prepare#columns=96", "--set", "network_def#channels=[8,16,32]"]


def files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_two_methods_on_two_folds_and_the_same_line_again(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program("data", "phantom", "scans", "--count", 12, "--style", "us")
    Path("fast.json").write_text('{"network_def#name": "monai_unet", "lr": 0.01, "minutes": 60}')
    methods = ["--networks", "monai_unet", "--recipes", "fast.json"]
    line = ["breast", "--dataset", "folder", "--dataset-dir", "scans", *methods, "--folds", 3, "--epochs", 1]
    line = ["compare", "networks", *line, "--only-folds", "0,2", *SMALL, "-o", "out"]
    first = program(*line, "--json")
    assert first.exit_code == 0, first.stderr
    told = json.loads(first.stdout)
    assert told["failed"] == [] and list(told["methods"]) == ["monai_unet", "fast"]
    for figures in told["methods"].values():
        assert (figures["folds"], figures["epochs"], figures["lesion_cases"] > 0) == ([0, 2], 1, True)
        assert figures["peak_memory_mib"] > 100 and figures["cpu_ms_per_image"] > 0 and figures["parameters"] > 1000
    assert told["methods"]["fast"]["difference"]["n"] == told["methods"]["fast"]["lesion_cases"]
    assert {"comparison.md", "comparison.json", "comparison.png", "split.json"} <= {
        path.name for path in Path("out").iterdir()
    }
    before = files(Path("out", "fast")) | files(Path("out", "monai_unet"))
    second = program(*line)
    assert second.exit_code == 0 and Path("out/comparison.md").read_text() in second.stdout
    assert files(Path("out", "fast")) | files(Path("out", "monai_unet")) == before


def test_a_failed_method_makes_the_exit_code_1(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {
        "bundle": "breast",
        "dataset": "busi",
        "minutes": None,
        "epochs": 1,
        "folds": 5,
        "seed": 0,
        "split": "a",
    }
    failed = [{"method": "unet", "fold": 0, "error": "out of luck"}]
    found: dict[str, Any] = {"settings": settings, "methods": {}, "failed": failed}
    monkeypatch.setattr(compare, "compare_methods", lambda *_: found)
    result = program("compare", "networks", "breast", "--networks", "unet", "--epochs", 1, "-o", "out")
    assert result.exit_code == 1 and "FAILED: unet, fold 0: out of luck" in result.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--epochs", "1"], "there is nothing to compare"),
        (["--networks", "unett"], "unknown network 'unett'; did you mean 'unet'?"),
        (["--recipes", "unet-129"], "unknown recipe 'unet-129'"),
        (["--networks", "unet"], "give either --minutes or --epochs"),
        (["--networks", "unet", "--epochs", "1", "--set", "epocs=1"], "unknown setting 'epocs'"),
        (["--networks", "unet", "--epochs", "1", "--only-folds", "a"], "--only-folds 'a': expected numbers"),
        (["--networks", "unet", "--epochs", "1", "--folds", "3", "--split", "s.json"], "exclude each other"),
        (["--networks", "unet", "--epochs", "1", "--only-folds", "7"], "fold 7 is not one of the 5 folds"),
        (["--networks", "unet", "--epochs", "1", "--split", "s.json"], "split file s.json cannot be read"),
        (["--networks", "unet", "--epochs", "1", "--dataset", "busi"], "data set 'busi' needs its folder"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = program("compare", "networks", "breast", *words, "-o", "out")
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert result.stderr.startswith("error: ") and told in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [["--folds", "0"], ["--folds", "2"], ["--seed", "-1"]])
def test_numbers_out_of_range_are_refused(program: Program, tmp_path: Path, words: list[str]) -> None:
    line = ["breast", "--networks", "unet", "--epochs", "1", *words, "-o", tmp_path / "out"]
    result = program("compare", "networks", *line)
    assert result.exit_code == 2 and f"{words[1]} is not in the range" in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_misspelt_key_of_a_recipe_is_refused_before_the_first_training(program: Program, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.json"
    recipe.write_text('{"networkk_def#name": "unet"}')
    told = f"error: {recipe}: unknown setting 'networkk_def#name'; did you mean 'network_def#name'?\n"
    line = ["networks", "breast", "--networks", "unet", "--recipes", recipe, "--epochs", "1", "-o", tmp_path / "out"]
    compared = program("compare", *line)
    assert (compared.exit_code, compared.stderr) == (2, told) and not (tmp_path / "out").exists()
    shown = program("train", "breast", "--recipe", recipe, "--show-command")
    assert (shown.exit_code, shown.stderr, shown.stdout) == (2, told, "")


def test_a_folder_that_cannot_be_made_is_named(program: Program, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    out = tmp_path / "file" / "out"
    result = program("compare", "networks", "breast", "--networks", "unet", "--epochs", "1", "-o", out)
    assert result.stderr == f"error: folder {out} cannot be made: Not a directory; give another folder\n"


@pytest.fixture
def two_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_evaluation: Callable[..., Path]) -> Path:
    """The runs a, whose masks lie a little beside twelve phantoms, and b, whose masks are right, in the current folder."""
    monkeypatch.chdir(tmp_path)
    phantom, cases = PhantomDataset(), {"a": {}, "b": {}}
    for case in phantom.cases()[:12]:
        reference = phantom.load(case)[1]
        cases["a"][case.id] = (case.group, np.roll(reference, 5, axis=1), reference)
        cases["b"][case.id] = (case.group, reference, reference)
    for run, made in cases.items():
        made_evaluation(Path(run, "evaluation", "001-test"), made)
    return tmp_path


def test_two_runs_are_a_table_and_leave_nothing(program: Program, two_runs: Path) -> None:
    result = program("compare", "runs", "a", "b")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "Two runs on phantom: 12 cases, 12 groups"
    assert next(line for line in lines if line.startswith("dice ")).split()[1:4:2] == ["lesion", "1.000"]
    assert "not corrected for several: of 12 measures" in result.stdout and "-o OUT --dataset-dir DIR" in lines[-1]
    assert sorted(path.name for path in two_runs.iterdir()) == ["a", "b"]


def test_two_runs_as_json_and_as_a_folder(program: Program, two_runs: Path) -> None:
    result = program("compare", "runs", "a/evaluation/001-test", "b", "--measure", "dice,iou", "-o", "out", "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert list(told["measures"]) == ["dice", "iou"] and told == json.loads(Path("out/comparison.json").read_text())
    assert result.stderr == "comparison: out (comparison.md, comparison.json, changed.png)\n"
    assert sorted(path.name for path in Path("out").iterdir()) == ["changed.png", "comparison.json", "comparison.md"]
    assert Path("out/comparison.md").read_text().startswith("# Two runs on phantom")
    again = program("compare", "runs", "a", "b", "-o", "out")
    assert again.exit_code == 2 and "nothing is overwritten" in again.stderr and again.stderr.count("\n") == 1


def test_without_the_images_there_are_figures_and_the_way_to_the_picture(
    program: Program, two_runs: Path, made_evaluation: Callable[..., Path]
) -> None:
    for run in "ab":
        file = Path(run, "evaluation", "001-test", "metrics.json")
        file.write_text(file.read_text().replace("phantom", "folder"))
    result = program("compare", "runs", "a", "b", "-o", "out")
    assert result.exit_code == 0 and "no changed.png: an evaluation keeps no images" in result.stdout.splitlines()[-1]
    assert not Path("out/changed.png").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["a", "a"], "are one evaluation"),
        (["a", "c"], "c is no folder"),
        (["a", "b", "--part", "out_of_fold"], "no finished evaluation of its out_of_fold part"),
        (["a", "b", "--measure", "dise"], "unknown measure 'dise'; did you mean 'dice'?"),
        (["a", "b", "--measure", ""], "no measure"),
        (["a", "b", "--dataset-dir", "scans"], "give -o OUT as well"),
        (["a", "b", "--dataset-dir", "scans", "-o", "out"], "reads no folder; leave --dataset-dir out"),
        (["a", "b", "-o", "a"], "a is not empty and nothing is overwritten"),
    ],
)
def test_runs_that_cannot_be_compared_are_one_line(
    program: Program, two_runs: Path, words: list[str], told: str
) -> None:
    before = files(two_runs)
    result = program("compare", "runs", *words)
    assert result.exit_code == 2 and result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    assert told in result.stderr and files(two_runs) == before and not Path("out").exists()


def test_comparing_runs_needs_no_torch(two_runs: Path) -> None:
    code = (
        "import sys\nfrom monai_tumor.cli.main import main\n"
        "try: main(['compare', 'runs', 'a', 'b', '-o', 'out'])\nexcept SystemExit as stop: assert not stop.code\n"
        "print(sorted({'torch', 'monai', 'ignite'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]" and Path("out/changed.png").is_file()
