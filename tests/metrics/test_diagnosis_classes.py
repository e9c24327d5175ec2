"""Probabilities, temperature and confusion of several classes: by hand, against two classes, against a search."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import expit

from monai_tumor.errors import WrongCallError
from monai_tumor.metrics.calibration import fit_temperature
from monai_tumor.metrics.diagnosis_classes import (
    balanced_accuracy,
    class_log_odds,
    class_probabilities,
    count_confusion,
    fit_class_temperature,
)
from monai_tumor.metrics.logits import case_logits


def drawn(cases: int, temperature: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw classes from honest logits, then multiply these."""
    random = np.random.default_rng(seed)
    honest = random.normal(0, 2, (cases, 3))
    chance = class_probabilities(honest)
    return honest * temperature, (random.random(cases)[:, None] > chance.cumsum(axis=1)[:, :2]).sum(axis=1)


def mean_loss(logits: np.ndarray, targets: np.ndarray, temperature: float) -> float:
    return float(-np.log(class_probabilities(logits, temperature)[np.arange(len(targets)), targets]).mean())


@given(st.integers(1, 30), st.floats(0.2, 5), st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_probabilities_sum_to_one_and_are_the_sigmoid_of_the_log_odds(
    cases: int, temperature: float, seed: int
) -> None:
    logits = np.random.default_rng(seed).normal(0, 5, (cases, 4))
    chance = class_probabilities(logits, temperature)
    assert chance.sum(axis=1) == pytest.approx(1)
    assert expit(class_log_odds(logits, temperature)) == pytest.approx(chance, abs=1e-12)


def test_log_odds_never_make_a_tie_of_two_sure_cases() -> None:
    logits = np.array([[0.0, 800.0], [0.0, 900.0]])
    assert class_probabilities(logits)[:, 1].tolist() == [1.0, 1.0]
    assert class_log_odds(logits)[:, 1].tolist() == [800.0, 900.0]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_a_known_temperature_comes_back(temperature: float) -> None:
    found = fit_class_temperature(*drawn(20_000, temperature))
    assert found.value == pytest.approx(temperature, rel=0.03)
    assert found.nll_after <= found.nll_before and sum(found.cases) == 20_000


@given(st.integers(3, 40), st.floats(0.3, 4), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_the_temperature_is_that_of_a_search(cases: int, temperature: float, seed: int) -> None:
    logits, targets = drawn(cases, temperature, seed)
    found = fit_class_temperature(logits, targets)
    assume(not found.note and 0.05 < found.value < 50)
    searched = minimize_scalar(
        lambda power: mean_loss(logits, targets, math.exp(power)), bounds=(-4, 5), method="bounded"
    )
    assert found.nll_after == pytest.approx(mean_loss(logits, targets, found.value))
    assert found.nll_after <= searched.fun + 1e-9


@given(st.integers(2, 40), st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_two_classes_give_the_temperature_of_a_yes_or_no(cases: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    logits, positive = random.normal(0, 3, cases).round(2), random.random(cases) < 0.5
    several = fit_class_temperature(np.column_stack([np.zeros(cases), logits]), positive.astype(int))
    single = fit_temperature(case_logits(logits, positive))
    assert several.note == single.note
    assert several.value == pytest.approx(single.value, rel=1e-6, nan_ok=True)


@pytest.mark.parametrize(
    ("logits", "targets", "note"),
    [
        ([[1, 2, 0], [0, 3, 1]], [1, 1], "the reference has only one class"),
        ([[2, 0, 0], [0, 3, 0]], [0, 1], "no logit is on the wrong side: the smaller the temperature, the better"),
        ([[1, 1, 1], [1, 1, 1]], [0, 1], "the logits say nothing about the reference, or the opposite"),
    ],
)
def test_there_may_be_no_temperature(logits: list[list[int]], targets: list[int], note: str) -> None:
    found = fit_class_temperature(logits, targets)
    assert (found.note, found.plain()["value"], found.plain()["nll_after"]) == (note, None, None)


def test_rows_of_the_confusion_are_the_reference_and_the_first_of_equal_logits_wins() -> None:
    logits = [[1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0]]
    assert count_confusion(logits, [0, 0, 2, 1]).tolist() == [[1, 0, 1], [1, 0, 0], [0, 0, 1]]


def test_balanced_accuracy_counts_classes_alike() -> None:
    logits = np.eye(2)[[0, 0, 0, 0, 1, 0]]
    found = balanced_accuracy(logits, np.array([0, 0, 0, 0, 1, 1]), list("aabbcd"))
    assert (found.mean, found.n, found.groups, found.low) == (0.75, 6, 4, None)


def test_a_perfect_balanced_accuracy_is_not_certain() -> None:
    targets = np.arange(30) % 2
    found = balanced_accuracy(np.eye(2)[targets], targets, [f"p{k}" for k in range(30)])
    assert (found.mean, found.high) == (1.0, 1.0) and found.low == pytest.approx(0.87, abs=0.02)


def test_more_images_of_the_same_patients_tell_nothing_new() -> None:
    logits, targets = drawn(40, 1.0)
    groups = [f"p{k}" for k in range(40)]
    once = balanced_accuracy(logits, targets, groups)
    often = balanced_accuracy(np.repeat(logits, 9, axis=0), np.repeat(targets, 9), list(np.repeat(groups, 9)))
    assert (often.mean, often.low, often.high) == pytest.approx((once.mean, once.low, once.high))


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan])
def test_a_temperature_must_be_positive(temperature: float) -> None:
    with pytest.raises(WrongCallError, match="greater than 0"):
        class_probabilities([[0.0, 1.0]], temperature)
