"""An evaluation that was killed goes on in its folder; another one never does."""

from __future__ import annotations

from pathlib import Path

import pytest

from monai_tumor.evaluation.evaluated_case import write_case
from monai_tumor.evaluation.folder import EvaluationFolder, evaluations, read_cases
from tests.evaluation.conftest import case_of, lesion_at

IDENTITY = {"part": "test", "threshold": 0.5}


def begun(root: Path, *cases: str, **identity: object) -> EvaluationFolder:
    folder = EvaluationFolder(root, {**IDENTITY, **identity})
    folder.open()
    for name in cases:
        write_case(folder.case_file(name), case_of(name, lesion_at(1, 2), lesion_at(3, 4)))
    return folder


def test_looking_makes_nothing(tmp_path: Path) -> None:
    assert EvaluationFolder(tmp_path, IDENTITY).done() == set()
    assert list(tmp_path.iterdir()) == []


def test_the_same_evaluation_goes_on_with_what_it_has(tmp_path: Path) -> None:
    begun(tmp_path, "a", "b/c").close()
    again = EvaluationFolder(tmp_path, IDENTITY)
    assert again.done() == {"a", "b/c"}
    again.open()
    assert again.path == tmp_path / "evaluation" / "001-test"
    assert [case.id for case in read_cases(again.path)] == ["a", "b/c"]


def test_another_threshold_begins_anew(tmp_path: Path) -> None:
    begun(tmp_path, "a").close()
    other = begun(tmp_path, threshold=0.4)
    assert other.path.name == "002-test" and other.done() == set()


def test_a_finished_evaluation_is_left_alone(tmp_path: Path) -> None:
    first = begun(tmp_path, "a")
    (first.path / "metrics.json").write_text("{}")
    first.close()
    assert begun(tmp_path).path.name == "002-test"


def test_what_another_process_is_evaluating_is_left_alone(tmp_path: Path) -> None:
    running = begun(tmp_path, "a")
    beside = begun(tmp_path)
    assert (running.path.name, beside.path.name) == ("001-test", "002-test")


def test_folders_without_identity_are_none(tmp_path: Path) -> None:
    begun(tmp_path)
    (tmp_path / "evaluation" / "009-test").mkdir()
    assert [path.name for path in evaluations(tmp_path, "test")] == ["001-test"]
    assert evaluations(tmp_path, "validation") == []


def test_no_folder_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="has not started"):
        _ = EvaluationFolder(tmp_path, IDENTITY).path
