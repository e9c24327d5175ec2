"""Answers by hand, and a promise that is kept: each class is in the set of its own groups as often as stated."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.metrics.diagnosis_answers import REFER, choose_conformal_set, measure_answers

PAIR = ("benign", "malignant")


def pair(chance: list[float] | np.ndarray) -> np.ndarray:
    """Probabilities of both classes from those of the second."""
    return np.column_stack([1 - np.asarray(chance), chance])


def patients(count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Draw patients with one to four images that are alike."""
    place = np.repeat(np.arange(count), random.integers(1, 5, count))
    malignant = (random.random(count) < 0.4)[place]
    score = 2.0 * malignant - 1 + random.normal(size=count)[place] + 0.5 * random.normal(size=len(place))
    return pair(expit(score)), malignant.astype(int), [f"p{k}" for k in place]


def test_thresholds_by_hand() -> None:
    # Nine groups of a class and alpha 0.2: floor(0.2 * 10) = 2 may miss it, so the second lowest probability is the least.
    benign, malignant = (
        [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.7],
        [0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99],
    )
    groups = [f"p{k}" for k in range(18)]
    found = choose_conformal_set(pair(benign + malignant), [0] * 9 + [1] * 9, groups, PAIR, alpha=0.2)
    assert found.least == pytest.approx((1 - 0.4, 0.5)) and found.groups == (9, 9)
    assert found.answers(pair([0.1, 0.45, 0.5, 0.9])) == ["benign", REFER, "malignant", "malignant"]
    assert "80 % or more" in found.guarantee and "exclude" not in found.guarantee


def test_a_group_counts_once_and_with_its_worst_case() -> None:
    chance, targets = [0.9, 0.8, 0.3, 0.7, 0.1, 0.2], [1, 1, 1, 1, 0, 0]
    found = choose_conformal_set(pair(chance), targets, ["a", "b", "b", "b", "c", "d"], PAIR, alpha=0.4)
    assert found.groups == (2, 2) and found.least == pytest.approx((0.8, 0.3))


def test_with_too_few_groups_nothing_is_excluded_and_that_is_said() -> None:
    chosen = choose_conformal_set(pair([0.1, 0.9, 0.95]), [0, 1, 1], list("abc"), PAIR)
    assert chosen.least == (0.0, 0.0)
    assert chosen.guarantee.endswith("Too few groups to exclude: benign (1), malignant (2).")
    assert chosen.answers(pair([0.0, 1.0])) == [REFER, REFER]


def test_a_case_that_fits_no_class_is_referred() -> None:
    chosen = choose_conformal_set(pair([0.1, 0.2, 0.8, 0.9]), [0, 0, 1, 1], list("abcd"), PAIR, alpha=0.4)
    assert chosen.sets(pair([0.5])).tolist() == [[False, False]] and chosen.answers(pair([0.5])) == [REFER]


def test_figures_of_answers_by_hand() -> None:
    chosen = choose_conformal_set(pair([0.1, 0.4, 0.3, 0.9]), [0, 0, 1, 1], list("abcd"), PAIR, alpha=0.4)
    assert chosen.least == pytest.approx((0.6, 0.3))
    found = measure_answers(chosen, pair([0.1, 0.35, 0.8, 0.2, 0.9]), [0, 0, 0, 1, 1], list("aabcc"))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["per_class"]["benign"]["answers"] == {"benign": 1, "malignant": 1, REFER: 1}
    assert found["per_class"]["malignant"]["answers"] == {"benign": 1, "malignant": 1, REFER: 0}
    assert (found["referred"]["mean"], found["error"]["mean"]) == (0.2, 0.5)
    assert found["per_class"]["benign"]["covered"]["mean"] == 0.5
    assert found["per_class"]["malignant"]["covered"]["mean"] == 0.0
    assert "reference benign: 3 cases, answers: 1 benign, 1 malignant, 1 refer" in found["text"]


def test_where_all_are_referred_there_is_no_error_to_state() -> None:
    chosen = choose_conformal_set(pair([0.1, 0.9]), [0, 1], list("ab"), PAIR)
    found = measure_answers(chosen, pair([0.2, 0.7]), [0, 1], list("ab"))
    assert found["referred"]["mean"] == 1.0 and found["error"]["mean"] is None


@given(st.integers(5, 40), st.floats(0.02, 0.5), st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_what_is_promised_holds_on_the_cases_of_the_choice(count: int, alpha: float, seed: int) -> None:
    probabilities, targets, groups = patients(count, np.random.default_rng(seed))
    chosen = choose_conformal_set(probabilities, targets, groups, PAIR, alpha)
    found = measure_answers(chosen, probabilities, targets, groups)
    for size, figures in zip(chosen.groups, found["per_class"].values(), strict=True):
        if size:
            assert (1 - figures["covered"]["mean"]) * size <= alpha * (size + 1) + 1e-6


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.2])
def test_new_groups_are_covered_as_often_as_stated(alpha: float) -> None:
    random, covered = np.random.default_rng(7), {name: [] for name in PAIR}
    for _ in range(150):
        chosen = choose_conformal_set(*patients(80, random), PAIR, alpha)
        probabilities, targets, groups = patients(100, random)
        possible, places = chosen.sets(probabilities), np.array(groups)
        for number, name in enumerate(PAIR):
            own = targets == number
            covered[name] += [possible[own & (places == one), number].all() for one in set(places[own])]
    for flags in covered.values():
        # Not far above it either: the promise is not bought by referring everyone.
        assert 1 - alpha - 0.015 <= np.mean(flags) <= 1 - alpha + 0.04


def test_a_third_class_is_an_answer_of_its_own() -> None:
    chance, targets = np.repeat(np.eye(3) * 0.8 + 0.2 / 3, 20, axis=0), np.repeat(np.arange(3), 20)
    chosen = choose_conformal_set(chance, targets, [f"p{k}" for k in range(60)], ("normal", *PAIR))
    assert chosen.answers(chance)[::20] == ["normal", "benign", "malignant"]


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(WrongCallError, match="expected 0 to 1"):
        choose_conformal_set(pair([0.1]), [0], ["a"], PAIR, alpha=5)
    with pytest.raises(WrongDataError, match="expected \\(cases, 2\\): benign, malignant"):
        choose_conformal_set(np.ones((1, 3)), [0], ["a"], PAIR)
    with pytest.raises(WrongDataError, match="index of a class"):
        choose_conformal_set(pair([0.1]), [2], ["a"], PAIR)
    with pytest.raises(WrongDataError, match="outside of 0 to 1"):
        choose_conformal_set([[3.0, -1.0]], [0], ["a"], PAIR)
