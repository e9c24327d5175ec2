"""Two runs case by case: by hand, against an enumeration of all sign flips, and against a bootstrap written anew."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monai_tumor.comparison.evaluations import paired_evaluations
from monai_tumor.comparison.runs import compare_evaluated, measures_called
from monai_tumor.errors import WrongCallError

Hits = Mapping[str, tuple[str, tuple[int, int], tuple[int, int]]]
Compare = Callable[..., dict[str, Any]]


def masks(hits: int, false: int, lesion: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Prediction and reference (6, 9): a lesion of 4 pixels in a row, ``hits`` of them found, ``false`` pixels elsewhere."""
    prediction, reference = np.zeros((2, 6, 9), bool)
    reference[1, 2:6] = lesion
    prediction[1, 2 : 2 + hits] = True
    prediction[4, :false] = True
    return prediction, reference


@pytest.fixture
def compare(tmp_path: Path, made_evaluation: Callable[..., Path]) -> Compare:
    """Compare two runs; a case is its group, hits and false pixels of A, those of B, and whether it has a lesion."""

    def make(cases: Mapping[str, Any], *names: str) -> dict[str, Any]:
        for run, place in (("a", 1), ("b", 2)):
            made = {name: (case[0], *masks(*case[place], *case[3:])) for name, case in cases.items()}
            made_evaluation(tmp_path / run, made)
        found = compare_evaluated(paired_evaluations(tmp_path / "a", tmp_path / "b"), names or ("all",))
        return json.loads(json.dumps(found, allow_nan=False))

    return make


# Dice is 2 hits / (hits + false + 4): A 0.5, 1, 0, 0.8; B 1, 0.8, 0.5, 0.8.
FOUR = {
    "p1": ("p", (2, 2), (4, 0)),
    "p2": ("p", (4, 0), (4, 2)),
    "q1": ("q", (0, 0), (2, 2)),
    "r1": ("r", (4, 2), (4, 2)),
}


def random_cases(groups: int, per_group: int = 1) -> dict[str, Any]:
    random = np.random.default_rng(5)
    return {
        f"c{number:02}": (
            f"g{number // per_group}",
            *((int(random.integers(1, 5)), int(random.integers(0, 5))) for _ in range(2)),
        )
        for number in range(groups * per_group)
    }


def dice(pair: tuple[int, int]) -> float:
    return 2 * pair[0] / (sum(pair) + 4)


def test_a_comparison_by_hand(compare: Compare) -> None:
    found = compare(FOUR)
    one = found["measures"]["dice"]
    assert (one["first"], one["second"]) == pytest.approx(((0.5 + 1 + 0 + 0.8) / 4, (1 + 0.8 + 0.5 + 0.8) / 4))
    assert one["difference"]["mean"] == pytest.approx((0.5 - 0.2 + 0.5 + 0) / 4)
    assert [one["difference"][key] for key in ("n", "groups", "undefined", "low")] == [4, 3, 0, None]
    # Sums of the groups: 0.3, 0.5, 0. Of the 8 flips those with 0.3 and 0.5 of one sign are as far from 0: 4 of them.
    assert one["permutation"] == {"p": 4 / 8, "flips": 7, "exact": True}
    assert (found["cases"], found["groups"], found["primary"]) == (4, 3, "dice")
    assert [(case["id"], round(case["difference"], 9)) for case in found["changed"]] == [
        ("p1", 0.5),
        ("q1", 0.5),
        ("p2", -0.2),
    ]


def test_p_is_that_of_an_enumeration_of_all_flips(compare: Compare) -> None:
    cases = random_cases(7, per_group=3)
    sums = np.zeros(7)
    for group, first, second in cases.values():
        sums[int(group[1:])] += dice(second) - dice(first)
    flipped = [abs(np.dot(signs, sums)) for signs in itertools.product((1, -1), repeat=7)]
    expected = np.mean([value >= abs(sums.sum()) - 1e-12 for value in flipped])
    assert 0.02 < expected < 0.98
    assert compare(cases)["measures"]["dice"]["permutation"]["p"] == pytest.approx(expected)


def test_difference_and_interval_are_those_of_a_bootstrap_written_anew(compare: Compare) -> None:
    cases = random_cases(25)
    values = np.array([dice(second) - dice(first) for _, first, second in cases.values()])
    error = values.std(ddof=1) / 5
    drawn = values[np.random.default_rng(99).integers(0, 25, (40_000, 25))]
    t = (drawn.mean(axis=1) - values.mean()) / (drawn.std(axis=1, ddof=1) / 5)
    low, high = values.mean() - np.quantile(t, [0.975, 0.025]) * error
    found = compare(cases)["measures"]["dice"]["difference"]
    assert found["mean"] == pytest.approx(values.mean(), abs=1e-12)
    assert (found["low"], found["high"]) == pytest.approx((low, high), abs=0.1 * error)


def test_means_are_over_the_cases_that_have_a_value_in_both(compare: Compare) -> None:
    one = compare(FOUR)["measures"]["precision"]
    assert (one["first"], one["second"]) == pytest.approx(((2 / 4 + 1 + 4 / 6) / 3, (1 + 4 / 6 + 4 / 6) / 3))
    assert one["difference"]["mean"] == pytest.approx(one["second"] - one["first"])
    assert (one["difference"]["n"], one["difference"]["undefined"]) == (3, 1)


def test_what_only_one_run_missed_or_marked_falsely_is_counted(compare: Compare) -> None:
    missed = {"a": ((0, 1), (1, 0)), "b": ((0, 0), (2, 0)), "c": ((3, 0), (0, 3)), "d": ((0, 0), (0, 0))}
    lesion = {name: (name, *hits) for name, hits in missed.items()}
    free = {"e": ("e", (0, 3), (0, 0), False), "f": ("f", (0, 2), (0, 5), False), "g": ("g", (0, 0), (0, 0), False)}
    found = compare({**lesion, **free})
    assert found["missed"] == {"first_only": 2, "second_only": 1, "both": 1, "of": 4}
    assert found["with_false_positive"] == {"first_only": 1, "second_only": 0, "both": 1, "of": 3}


def test_lesion_cases_and_lesion_free_cases_are_kept_apart(compare: Compare) -> None:
    found = compare({**FOUR, "s1": ("s", (0, 3), (0, 1), False)})["measures"]
    assert found["precision"]["difference"]["n"] == 3  # precision of a lesion-free case is 0, and not its question
    area = found["false_positive_area_px"]
    assert (area["first"], area["second"], area["difference"]["n"]) == (3, 1, 1)
    assert [found[name]["difference"]["n"] for name in ("pixel_accuracy", "false_lesions", "dice")] == [5, 5, 4]


def test_without_lesion_free_cases_their_area_is_undefined(compare: Compare) -> None:
    one = compare(FOUR)["measures"]["false_positive_area_px"]
    assert (one["first"], one["difference"]["mean"], one["permutation"]["p"]) == (None, None, None)


def test_the_interval_of_a_measure_without_a_largest_value_is_not_cut(compare: Compare) -> None:
    cases = {f"c{number:02}": (f"g{number}", (4, 8 + number % 2), (0, 0)) for number in range(12)}
    area = compare(cases)["measures"]["area_error"]["difference"]
    assert area["mean"] == pytest.approx(-3.125) and area["low"] < -3.125 < area["high"] < -3


def test_the_interval_of_a_share_ends_at_one(compare: Compare) -> None:
    cases = {f"c{number:02}": (f"g{number}", (4, 0), (int(number == 0), 0)) for number in range(12)}
    recall = compare(cases)["measures"]["recall"]["difference"]
    assert recall["low"] == -1 < recall["mean"] == pytest.approx(-11.75 / 12)


def test_runs_that_agree_have_no_changed_case(compare: Compare) -> None:
    found = compare({name: (group, first, first) for name, (group, first, _) in FOUR.items()})
    assert found["changed"] == [] and found["measures"]["dice"]["permutation"]["p"] == 1


def test_chosen_measures_only(compare: Compare) -> None:
    found = compare(FOUR, "assd_px", "iou")
    assert list(found["measures"]) == ["iou", "assd_px"] and len(found["changed"]) == 3


def test_an_unknown_measure_gets_the_nearest_name() -> None:
    with pytest.raises(WrongCallError, match="unknown measure 'hd95'; did you mean 'hd95_px'"):
        measures_called(["dice", "hd95"])
    assert [(kind, one.name) for kind, one in measures_called(["all"])][-1] == ("all", "pixel_accuracy")
