"""The summary of a classifier: by hand, against scikit-learn, JSON, words, and nothing where there is nothing to say."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.metrics.diagnosis import summarise_diagnosis
from monai_tumor.metrics.diagnosis_classes import class_probabilities
from monai_tumor.metrics.diagnosis_decision import decision_curve

CLASSES = ("normal", "benign", "malignant")


def sample(cases: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    random = np.random.default_rng(seed)
    targets = random.choice(3, cases, p=[0.2, 0.5, 0.3])
    logits = random.normal(size=(cases, 3)) + 1.5 * np.eye(3)[targets]
    return logits, targets, [f"p{group}" for group in random.integers(0, max(cases // 2, 1), cases)]


def numbers_of(value: Any) -> list[float]:
    if isinstance(value, dict | list):
        return [
            number for part in (value.values() if isinstance(value, dict) else value) for number in numbers_of(part)
        ]
    return [value] if isinstance(value, float) else []


@given(st.integers(2, 60), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_figures_equal_those_of_scikit_learn(cases: int, seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    logits, targets, groups = sample(cases, seed)
    found = summarise_diagnosis(logits, targets, groups, CLASSES, seed=0, temperature=1.7)
    chance, predicted = class_probabilities(logits, 1.7), logits.argmax(axis=1)
    assert found["confusion"] == metrics.confusion_matrix(targets, predicted, labels=[0, 1, 2]).tolist()
    assert found["accuracy"]["mean"] == pytest.approx(metrics.accuracy_score(targets, predicted), abs=1e-12)
    balanced = metrics.recall_score(targets, predicted, labels=np.unique(targets), average="macro")
    assert found["balanced_accuracy"]["mean"] == pytest.approx(balanced, abs=1e-9)
    brier = metrics.brier_score_loss(targets == 2, chance[:, 2], pos_label=True)
    assert found["calibration"]["brier"]["mean"] == pytest.approx(brier, abs=1e-9)
    for number, name in enumerate(CLASSES):
        own, figures = targets == number, found["per_class"][name]
        if own.any() and not own.all():
            assert figures["auroc"]["mean"] == pytest.approx(metrics.roc_auc_score(own, chance[:, number]), abs=1e-9)
            assert figures["sensitivity"]["mean"] == pytest.approx(
                metrics.recall_score(own, predicted == number), abs=1e-9
            )
    pair = targets > 0
    if len(np.unique(targets[pair])) == 2:
        expected = metrics.roc_auc_score(targets[pair] == 2, chance[pair, 2])
        assert found["against"]["benign"]["auroc"]["mean"] == pytest.approx(expected, abs=1e-9)


def test_a_summary_by_hand() -> None:
    # Reference: benign, benign, malignant, malignant; the second and the third are taken for the other.
    logits = np.log([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8]])
    found = summarise_diagnosis(logits, [0, 0, 1, 1], ["a", "b", "c", "c"], ("benign", "malignant"), seed=0)
    assert found["confusion"] == [[1, 1], [1, 1]]
    assert found["per_class"]["malignant"]["auroc"]["mean"] == 0.75
    assert found["calibration"]["brier"]["mean"] == pytest.approx((0.01 + 0.36 + 0.49 + 0.04) / 4)
    assert found["against"]["rest"]["auroc"] == found["against"]["benign"]["auroc"]
    assert (found["cases"], found["groups"], found["accuracy"]["low"]) == (4, 3, None)
    assert "reference malignant: 2, predicted: 1 benign, 1 malignant" in found["text"]


def test_every_mean_has_an_interval_and_all_of_it_is_json() -> None:
    found = summarise_diagnosis(*sample(200), CLASSES, seed=0)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert all(math.isfinite(number) for number in numbers_of(found))
    means = [found["accuracy"], found["balanced_accuracy"], *found["per_class"]["benign"].values()]
    for one in (*means, *found["against"]["benign"].values(), found["calibration"]["bias"]):
        assert isinstance(one, int) or one["low"] < one["mean"] < one["high"]
    assert found == summarise_diagnosis(*sample(200), CLASSES, seed=0)


@pytest.mark.parametrize("targets", [[], [1], [1, 1, 1], [0, 1, 1, 0]])
def test_a_class_without_a_case_has_no_figure(targets: list[int]) -> None:
    logits = np.random.default_rng(0).normal(size=(len(targets), 3))
    found = summarise_diagnosis(logits, np.array(targets, int), [f"p{k}" for k in range(len(targets))], CLASSES, seed=0)
    json.dumps(found, allow_nan=False)
    malignant = found["per_class"]["malignant"]
    assert malignant["sensitivity"]["mean"] is malignant["auroc"]["mean"] is None
    assert found["against"]["rest"]["sensitivity_at_specificity"]["mean"] is None
    assert found["balanced_accuracy"]["classes"] == [CLASSES[k] for k in sorted(set(targets))]
    assert any("malignant sensitivity: undefined" in line for line in found["text"])


def test_a_temperature_changes_probabilities_and_no_prediction() -> None:
    one, two = (summarise_diagnosis(*sample(80), CLASSES, seed=0, temperature=t) for t in (1.0, 4.0))
    assert one["confusion"] == two["confusion"]
    assert one["calibration"]["figures"]["ece"] != two["calibration"]["figures"]["ece"]
    assert two["calibration"]["figures"]["temperature"] == 4.0


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"positive": "malign"}, WrongCallError, "did you mean 'malignant'"),
        ({"classes": ("benign", "malignant")}, WrongDataError, "3 logits a case for the classes"),
        ({"temperature": 0.0}, WrongCallError, "greater than 0"),
        ({"targets": np.array([3, 0, 1])}, WrongDataError, "indices of classes: 0 to 2"),
        ({"groups": ["a"]}, WrongDataError, "one group for each case"),
        ({"logits": np.full((3, 3), math.nan)}, WrongDataError, "not finite"),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, Any], error: type[Exception], words: str) -> None:
    given_here = {"logits": np.eye(3), "targets": np.arange(3), "groups": list("abc"), "classes": CLASSES, "seed": 0}
    with pytest.raises(error, match=words):
        summarise_diagnosis(**{**given_here, **change})


def test_net_benefit_by_hand() -> None:
    # At 0.2 a false positive costs a quarter: one of two positives and one of two negatives are acted on.
    (point,) = decision_curve([0.9, 0.1, 0.3, 0.0], [True, True, False, False], list("abcd"), [0.2])
    assert point.net_benefit.mean == pytest.approx((1 - 0.25) / 4)
    assert point.treat_all == pytest.approx((2 - 2 * 0.25) / 4)
    assert point.over_all.mean == pytest.approx((0.75 - 1.5) / 4)


@given(st.integers(1, 40), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_acting_on_all_is_what_a_classifier_that_always_says_yes_gives(cases: int, seed: int) -> None:
    flags, groups = np.random.default_rng(seed).random(cases) < 0.4, [f"p{k}" for k in range(cases)]
    for point in decision_curve(np.ones(cases), flags, groups):
        assert point.net_benefit.mean == pytest.approx(point.treat_all)
        assert point.over_all.mean == 0
    assert all(one.net_benefit.mean == 0 for one in decision_curve(np.zeros(cases), flags, groups))


def test_a_threshold_probability_lies_between_0_and_1() -> None:
    with pytest.raises(WrongCallError, match="above 0 and below 1"):
        decision_curve([0.5], [True], ["a"], [1.0])
