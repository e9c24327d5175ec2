"""The order of the trainings, tables after each fold, failures, and times that are measured once."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from monai_tumor.comparison import compare
from monai_tumor.comparison.plan import Plan
from monai_tumor.datasets import open_dataset
from monai_tumor.errors import WrongCallError
from monai_tumor.imaging.read import read_image
from monai_tumor.imaging.write import write_mask

Comparing = Callable[..., dict[str, Any]]


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The names of the methods of every measurement, none of which takes place."""
    calls: list[list[str]] = []

    def times(runs: dict[str, Path]) -> dict[str, Any]:
        calls.append(list(runs))
        return {"milliseconds": dict.fromkeys(runs, 12.5), "threads": 2}

    monkeypatch.setattr(compare, "forward_times", times)
    return calls


@pytest.fixture
def comparing(
    plan: Callable[..., Plan], program: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, timed: list
) -> Comparing:
    monkeypatch.setattr(compare, "FoldTrainer", partial(compare.FoldTrainer, program=program.words))

    def run(*networks: str, only_folds: list[int] | None = None, **changes: Any) -> dict[str, Any]:
        return compare.compare_methods(plan(networks, **changes), str(tmp_path / "out"), only_folds)

    return run


def trained(program: Any) -> list[str]:
    words = [call for call in program.calls if call[0] == "train"]
    return [f"{Path(call[call.index('--run-dir') + 1]).parent.name} {call[call.index('--fold') + 1]}" for call in words]


def test_each_fold_is_complete_before_the_next_begins(comparing: Comparing, program: Any) -> None:
    found = comparing("unet", "monai_unet", only_folds=[2, 0])
    assert trained(program) == ["unet 0", "monai_unet 0", "unet 2", "monai_unet 2"]
    assert [figures["folds"] for figures in found["methods"].values()] == [[0, 2], [0, 2]]


def test_a_second_call_computes_nothing_and_a_third_one_only_what_is_new(
    comparing: Comparing, program: Any, timed: list, tmp_path: Path
) -> None:
    first = comparing("unet", only_folds=[0])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert comparing("unet", only_folds=[0]) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before
    found = comparing("monai_unet", only_folds=[0])
    assert trained(program) == ["unet 0", "monai_unet 0"]
    assert list(found["methods"]) == ["unet", "monai_unet"]
    assert timed == [["unet"], ["unet", "monai_unet"]]


def test_a_method_that_fails_is_named_and_the_rest_goes_on(
    comparing: Comparing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change = ('"broken" in words', '{"monai_unet", str(run)} <= {*words} and run.name == "fold-1"')
    (tmp_path / "program.py").write_text((tmp_path / "program.py").read_text().replace(*change))
    found = comparing("monai_unet", "unet")
    (failure,) = found["failed"]
    assert (failure["method"], failure["fold"]) == ("monai_unet", 1) and "out of luck" in failure["error"]
    assert found["methods"]["unet"]["folds"] == [0, 1, 2] and found["methods"]["monai_unet"]["folds"] == [0, 2]
    page = (tmp_path / "out" / "comparison.md").read_text()
    assert "FAILED: monai_unet, fold 1: training ended with exit code 1: out of luck" in page
    assert "monai_unet has only fold 0, 2: compare it by the difference" in page
    assert "FAILED: monai_unet, fold 1" in capsys.readouterr().err


def test_nothing_but_failures_is_a_table_too(comparing: Comparing, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import sys; sys.exit('error: no network here')")
    found = comparing("unet", only_folds=[0])
    assert found["methods"] == {} and len(found["failed"]) == 1
    assert "no network here" in (tmp_path / "out" / "comparison.md").read_text()


def test_a_fold_that_is_not_there_is_refused_and_nothing_is_begun(comparing: Comparing, tmp_path: Path) -> None:
    with pytest.raises(WrongCallError, match=r"fold 3 is not one of the 3 folds; give folds from 0 to 2"):
        comparing("unet", only_folds=[3])
    assert not (tmp_path / "out").exists()
    comparing("unet", only_folds=[])
    with pytest.raises(WrongCallError, match="fold 3 is not one"):
        comparing("monai_unet", only_folds=[0, 3])
    assert "monai_unet" not in (tmp_path / "out" / "comparison-settings" / "settings.json").read_text()


def test_the_picture_shows_the_same_cases_under_every_method(
    comparing: Comparing, tmp_path: Path, scans: Path, made_run: Callable[..., Path]
) -> None:
    dataset = open_dataset("folder")
    cases = dataset.cases(scans)[:8]
    comparing("unet", "monai_unet", only_folds=[])
    for method in ("unet", "monai_unet"):
        figures = {case.id: (case.group, 10 + place, 3, 5) for place, case in enumerate(cases)}
        run = made_run(tmp_path / "out" / method / "fold-0", figures)
        for case in cases:
            write_mask(run / "evaluation" / "001-test" / "predictions" / f"{case.id}.png", dataset.load(case)[1])
    comparing("unet", "monai_unet", only_folds=[])
    picture = read_image(tmp_path / "out" / "comparison.png")
    shown = [dataset.load(cases[place])[0].shape for place in (0, 1, 3, 4, 6, 7)]
    width = max(round(columns * 224 / rows) for rows, columns in shown)
    assert picture.shape == (6 * (20 + 224 + 4), 3 * width + 2 * 4, 3)
