"""Which cases are shown."""

from collections.abc import Callable
from pathlib import Path

import pytest

from monai_tumor.comparison.picture import evenly_chosen, mean_dice, picture_of
from monai_tumor.comparison.results import read_fold


def test_cases_are_chosen_evenly_from_worst_to_best() -> None:
    ranked = {f"c{number}": number / 10 for number in range(11)}
    assert evenly_chosen(ranked, 6) == ["c0", "c2", "c4", "c6", "c8", "c10"]
    assert evenly_chosen({"b": 0.5, "a": 0.5}, 6) == ["a", "b"]
    assert evenly_chosen({}, 6) == []


def test_cases_are_ranked_by_the_mean_over_the_methods_that_all_have_them(
    tmp_path: Path, made_run: Callable[..., Path]
) -> None:
    first = made_run(tmp_path / "a", {"x": ("p", 1, 0, 0), "y": ("p", 1, 1, 1), "free": ("q", 0, 1, 0)})
    other = made_run(tmp_path / "b", {"x": ("p", 1, 1, 1), "free": ("q", 0, 0, 0)})
    methods = {"a": {0: read_fold(first)}, "b": {0: read_fold(other)}}
    assert mean_dice(methods) == {"x": pytest.approx(0.75)}


def test_no_common_lesion_case_is_no_picture(tmp_path: Path, made_run: Callable[..., Path]) -> None:
    methods = {"a": {0: read_fold(made_run(tmp_path / "a", {"free": ("q", 0, 1, 0)}))}}
    assert picture_of(methods, "phantom", None) is None
