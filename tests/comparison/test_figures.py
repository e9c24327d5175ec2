"""Figures over all folds of a method, and paired differences, by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from monai_tumor.comparison.figures import method_figures, paired_difference
from monai_tumor.comparison.results import read_fold

FIRST = {"a": ("p1", 3, 1, 1), "b": ("p2", 0, 0, 5), "empty": ("p3", 0, 7, 0)}  # Dice 0.75, 0, undefined
SECOND = {"c": ("p1", 1, 2, 0)}  # Dice 0.5


@pytest.fixture
def folds(tmp_path: Path, made_run: Callable[..., Path]) -> dict:
    runs = {0: made_run(tmp_path / "m" / "fold-0", FIRST), 2: made_run(tmp_path / "m" / "fold-2", SECOND)}
    return {fold: read_fold(run) for fold, run in runs.items()}


def test_means_are_over_the_lesion_cases_of_all_folds(folds: dict) -> None:
    figures = method_figures(folds)
    assert figures["folds"] == [0, 2]
    assert (figures["lesion_cases"], figures["missed"]) == (3, 1)
    assert (figures["lesion_free_cases"], figures["with_false_positive"]) == (1, 1)
    assert figures["dice"]["mean"] == pytest.approx((0.75 + 0 + 0.5) / 3)
    assert (figures["dice"]["n"], figures["dice"]["groups"], figures["dice"]["low"]) == (3, 2, None)
    assert figures["iou"]["mean"] == pytest.approx((3 / 5 + 0 + 1 / 3) / 3)
    assert figures["recall"]["mean"] == pytest.approx((3 / 4 + 0 + 1) / 3)


def test_a_missed_lesion_has_no_precision_and_no_distance(folds: dict) -> None:
    figures = method_figures(folds)
    assert figures["precision"]["mean"] == pytest.approx((3 / 4 + 1 / 3) / 2)
    assert (figures["hd95_px"]["mean"], figures["hd95_px"]["undefined"]) == (4.0, 1)


def test_cost_is_the_median_over_folds_and_the_largest_memory(tmp_path: Path, made_run: Callable[..., Path]) -> None:
    costs = [(60.0, 700.0), (120.0, 900.0), (90.0, 800.0)]
    folds = {
        fold: read_fold(made_run(tmp_path / str(fold), FIRST, history=[{"seconds": seconds}], peak_memory_mib=memory))
        for fold, (seconds, memory) in enumerate(costs)
    }
    figures = method_figures(folds)
    assert (figures["minutes"], figures["epochs"], figures["peak_memory_mib"]) == (1.5, 1, 900.0)
    assert figures["parameters"] == 1000


@pytest.mark.parametrize(
    ("record", "share"),
    [
        ({}, 0.5),  # 120 s of the 2 x 120 s that the cores had
        ({"resumed": ["2026-01-01T10:01:00+00:00"]}, None),
        ({"ended": "2026-01-01T10:00:59+00:00"}, None),
        ({"cpu_seconds": None}, None),
    ],
)
def test_the_share_of_the_cores_is_told_where_it_is_known(
    tmp_path: Path, made_run: Callable[..., Path], record: dict, share: float | None
) -> None:
    assert method_figures({0: read_fold(made_run(tmp_path / "r", FIRST, **record))})["cpu_share"] == share


def test_differences_are_taken_case_by_case_over_common_cases(tmp_path: Path, made_run: Callable[..., Path]) -> None:
    names = [str(number) for number in range(12)]
    first = {name: (f"p{name}", 10, 0, 10 + number) for number, name in enumerate(names)}
    other = {name: (f"p{name}", 20, 0, number % 2) for number, name in enumerate([*names[:11], "new"])}
    runs = [{0: read_fold(made_run(tmp_path / str(place), cases))} for place, cases in enumerate((first, other))]
    found = paired_difference(*runs)
    expected = [40 / (40 + number % 2) - 20 / (30 + number) for number in range(11)]
    assert found["n"] == 11 and found["mean"] == pytest.approx(sum(expected) / 11)
    assert 0 < found["low"] < found["mean"] < found["high"] < 1
    turned = paired_difference(*runs[::-1])
    assert turned["mean"] == pytest.approx(-found["mean"]) and turned["high"] < 0


def test_equal_methods_differ_by_zero_without_an_interval(tmp_path: Path, made_run: Callable[..., Path]) -> None:
    cases = {str(number): (str(number), 3, number, 2) for number in range(15)}
    folds = {0: read_fold(made_run(tmp_path / "r", cases))}
    found = paired_difference(folds, folds)
    assert (found["mean"], found["low"], found["high"], found["n"]) == (0.0, None, None, 15)


def test_a_test_of_other_weights_does_not_count(tmp_path: Path, made_run: Callable[..., Path]) -> None:
    assert read_fold(made_run(tmp_path / "r", FIRST, weights_sha256="trained later")) is None
    assert read_fold(made_run(tmp_path / "s", FIRST, status="interrupted")) is None
    assert read_fold(tmp_path / "none") is None
