"""Which evaluations are compared, and which are refused because an id need not be the same picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from monai_tumor.comparison.evaluations import evaluation_folder, paired_evaluations
from monai_tumor.errors import ToolkitError

Evaluations = Callable[..., Path]
REFERENCE = np.zeros((5, 8), bool)
REFERENCE[1, 2:6] = True
LARGER = REFERENCE | (np.arange(8) == 2)
CASES = {name: (f"group-{name}", REFERENCE, REFERENCE) for name in ("x", "patient/y 2")}


def refused(first: Path, second: Path, part: str = "test") -> str:
    with pytest.raises(ToolkitError) as caught:
        paired_evaluations(first, second, part)
    assert "\n" not in str(caught.value) and caught.value.exit_code == 2
    return str(caught.value)


def test_the_newest_finished_evaluation_of_the_part_is_taken(tmp_path: Path, made_evaluation: Evaluations) -> None:
    for name in ("002-test", "999-test", "1000-test", "1001-validation", "external-other"):
        made_evaluation(tmp_path / "evaluation" / name, CASES)
    unfinished = made_evaluation(tmp_path / "evaluation" / "1002-test", CASES)
    (unfinished / "metrics.json").rename(unfinished / "evaluation.json")
    assert evaluation_folder(tmp_path).name == "1000-test"
    assert evaluation_folder(tmp_path, "validation").name == "1001-validation"
    assert evaluation_folder(tmp_path / "evaluation" / "external-other").name == "external-other"


def test_cases_are_read_wherever_their_ids_put_them(tmp_path: Path, made_evaluation: Evaluations) -> None:
    first, second = (made_evaluation(tmp_path / name / "evaluation" / "001-test", CASES) for name in "ab")
    pair = paired_evaluations(tmp_path / "a", second)
    assert [run.folder for run in pair] == [first, second]
    assert list(pair[0].cases) == ["patient/y 2", "x"] and pair[0].mask("patient/y 2").is_file()


def test_a_run_without_a_finished_evaluation_says_what_it_has(tmp_path: Path, made_evaluation: Evaluations) -> None:
    made_evaluation(tmp_path / "evaluation" / "001-validation", CASES)
    assert "no finished evaluation of its test part (finished: 001-validation); make one" in refused(tmp_path, tmp_path)
    assert "(finished: none)" in refused(tmp_path / "evaluation", tmp_path)
    assert refused(tmp_path / "no", tmp_path).startswith(f"{tmp_path / 'no'} is no folder; give a run")


def test_an_unfinished_evaluation_is_refused(tmp_path: Path, made_evaluation: Evaluations) -> None:
    first, second = (made_evaluation(tmp_path / name, CASES) for name in "ab")
    (second / "metrics.json").rename(second / "evaluation.json")
    assert "is not finished (no metrics.json); evaluate the run again" in refused(first, second)


def test_one_evaluation_is_not_compared_with_itself(tmp_path: Path, made_evaluation: Evaluations) -> None:
    folder = made_evaluation(tmp_path / "evaluation" / "001-test", CASES)
    assert "are one evaluation" in refused(tmp_path, folder)
    (tmp_path / "link").symlink_to(folder)
    assert "are one evaluation" in refused(tmp_path / "link", folder)


@pytest.mark.parametrize(
    ("metrics", "told"),
    [
        ({"dataset": "busi"}, "about 'busi'; give evaluations of the same cases"),
        ({"split": "cd" * 32}, "on split cdcdcdcdcdcdcdc, so the same id need not be the same picture"),
        ({"sealed": {"data_fingerprint": "ef" * 32}}, "on data efefefefefefefef"),
    ],
)
def test_other_data_are_refused(tmp_path: Path, made_evaluation: Evaluations, metrics: dict, told: str) -> None:
    first, second = made_evaluation(tmp_path / "a", CASES), made_evaluation(tmp_path / "b", CASES, **metrics)
    assert told in refused(first, second)


def test_external_tests_of_runs_with_other_splits_are_compared(tmp_path: Path, made_evaluation: Evaluations) -> None:
    sealed = {"data_fingerprint": "ef" * 32}
    folders = [made_evaluation(tmp_path / name, CASES, split=name, sealed=sealed) for name in "ab"]
    assert len(paired_evaluations(*folders)) == 2


def test_other_cases_are_counted_and_the_first_one_is_named(tmp_path: Path, made_evaluation: Evaluations) -> None:
    more = {**CASES, "w": CASES["x"], "z": CASES["x"]}
    first, second = made_evaluation(tmp_path / "a", CASES), made_evaluation(tmp_path / "b", more)
    assert f"2 cases are in one evaluation only ('w' first, in {second})" in refused(first, second)


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (
            ("group-x", REFERENCE, LARGER),
            "('x' first: 4 of 40 pixels, group 'group-x', then 8 of 40 pixels, group 'group-x')",
        ),
        (("group-x", REFERENCE[:4], REFERENCE[:4]), "then 4 of 32 pixels, group 'group-x')"),
        (("another", REFERENCE, REFERENCE), "then 4 of 40 pixels, group 'another')"),
    ],
)
def test_other_references_are_refused(tmp_path: Path, made_evaluation: Evaluations, case: tuple, told: str) -> None:
    first, second = made_evaluation(tmp_path / "a", CASES), made_evaluation(tmp_path / "b", {**CASES, "x": case})
    message = refused(first, second)
    assert message.startswith("the references of 1 case differ") and told in message


def test_folders_without_cases_and_damaged_files_are_named(tmp_path: Path, made_evaluation: Evaluations) -> None:
    first, second = made_evaluation(tmp_path / "a", CASES), made_evaluation(tmp_path / "b", {})
    assert f"{second} has no figures of single cases (cases/*.npz)" in refused(first, second)
    (second / "metrics.json").write_text('{"dataset": "phantom"}')
    assert "b/metrics.json is not that of an evaluation (no key 'split')" in refused(first, second)
    (second / "metrics.json").write_text("[1,")
    assert "b/metrics.json is not that of an evaluation" in refused(first, second)
