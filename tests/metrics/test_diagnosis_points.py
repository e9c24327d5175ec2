"""Operating points by hand, their promise on the cases they were chosen on, and points of the ROC curve."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.metrics.diagnosis_points import (
    choose_sensitivity_point,
    compare_at_specificity,
    measure_point,
    sensitivity_at_specificity,
    specificity_at_sensitivity,
)

CASES = st.lists(st.tuples(st.integers(0, 20).map(lambda k: k / 20), st.booleans()), min_size=1, max_size=40)


def names(count: int) -> list[str]:
    return [f"p{place}" for place in range(count)]


def test_a_point_by_hand() -> None:
    probability, positive = [0.9, 0.8, 0.4, 0.3, 0.6, 0.2], [True, True, True, True, False, False]
    found = choose_sensitivity_point(probability, positive, names(6), at_least=0.75)
    assert found.threshold == pytest.approx((0.4 + 0.3) / 2)
    assert (found.sensitivity.mean, found.specificity.mean, found.positive, found.negative) == (0.75, 0.5, 4, 2)


def test_a_frozen_point_on_other_cases() -> None:
    found = measure_point(0.5, [0.5, 0.49, 0.7, 0.1], [True, True, False, False], names(4))
    assert (found.sensitivity.mean, found.specificity.mean) == (0.5, 0.5)
    only = measure_point(0.5, [0.7, 0.1], [False, False], names(2))
    assert only.plain()["sensitivity"]["mean"] is None and only.specificity.mean == 0.5


@given(CASES, st.floats(0.05, 1))
@settings(max_examples=100, deadline=None)
def test_the_point_reaches_the_stated_sensitivity_and_no_higher_one_does(
    cases: list[tuple[float, bool]], at_least: float
) -> None:
    probability, positive = (np.array(part) for part in zip(*cases, strict=True))
    if not positive.any():
        return
    found = choose_sensitivity_point(probability, positive, names(len(cases)), at_least)
    assert found.sensitivity.mean >= at_least - 1e-9
    higher = probability[(probability > found.threshold) & positive].min(initial=math.inf)
    assert np.mean(probability[positive] > higher) < at_least
    assert not np.isin(found.threshold, probability[probability > 0])


def test_points_of_the_curve_by_hand() -> None:
    scores = [9, 8, 7, 6, 5, 4, 3, 2.0]
    positive = [True, True, False, True, False, False, True, False]
    assert sensitivity_at_specificity(scores, positive, names(8), 0.75).mean == 0.75
    assert sensitivity_at_specificity(scores, positive, names(8), 1.0).mean == 0.5
    assert specificity_at_sensitivity(scores, positive, names(8), 1.0).mean == 0.25
    assert specificity_at_sensitivity(scores, positive, names(8), 0.75).mean == 0.75


@given(CASES, st.sampled_from([0.0, 0.5, 0.9, 0.95, 1.0]))
@settings(max_examples=100, deadline=None)
def test_points_of_the_curve_equal_those_of_scikit_learn(cases: list[tuple[float, bool]], at_least: float) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    scores, positive = (np.array(part) for part in zip(*cases, strict=True))
    if not positive.any() or positive.all():
        assert math.isnan(sensitivity_at_specificity(scores, positive, names(len(cases)), at_least).mean)
        return
    false, true, _ = metrics.roc_curve(positive, scores, drop_intermediate=False)
    found = sensitivity_at_specificity(scores, positive, names(len(cases)), at_least)
    assert found.mean == pytest.approx(true[1 - false >= at_least - 1e-9].max())
    found = specificity_at_sensitivity(scores, positive, names(len(cases)), at_least)
    assert found.mean == pytest.approx((1 - false)[true >= at_least - 1e-9].max())


def test_a_point_of_the_curve_has_an_interval_that_knows_of_the_choice() -> None:
    random = np.random.default_rng(0)
    positive = np.arange(120) % 2 == 0
    scores = random.normal(size=120) + 2 * positive
    found = sensitivity_at_specificity(scores, positive, names(120))
    threshold = np.sort(scores[~positive])[-7]
    fixed = measure_point(1 / (1 + math.exp(-threshold)), 1 / (1 + np.exp(-scores)), positive, names(120)).sensitivity
    assert None not in (found.low, found.high, fixed.low, fixed.high)
    assert found.high - found.low > fixed.high - fixed.low  # type: ignore[operator]
    assert found == sensitivity_at_specificity(scores, positive, names(120))
    assert sensitivity_at_specificity(scores[:9], positive[:9], names(9)).low is None


def test_two_scores_are_compared_on_the_same_draws() -> None:
    random = np.random.default_rng(0)
    positive = np.arange(160) % 2 == 0
    one = random.normal(size=160) + positive
    two = one + 0.3 * random.normal(size=160) + 1.5 * positive
    found = compare_at_specificity(one, two, positive, names(160))
    before, after = (sensitivity_at_specificity(scores, positive, names(160)) for scores in (one, two))
    assert found.mean == pytest.approx(after.mean - before.mean)
    assert found.low is not None and found.high is not None and 0 < found.low < found.mean < found.high <= 1
    assert compare_at_specificity(one, one, positive, names(160)).low is None
    assert math.isnan(compare_at_specificity(one, two, np.ones(160, bool), names(160)).mean)


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(WrongDataError, match="none of 2 cases is positive"):
        choose_sensitivity_point([0.1, 0.2], [False, False], names(2))
    with pytest.raises(WrongCallError, match="above 0 and up to 1"):
        choose_sensitivity_point([0.1, 0.2], [False, True], names(2), at_least=0.0)
    with pytest.raises(WrongDataError, match="outside of 0 to 1"):
        measure_point(0.5, [3.0], [True], names(1))
    with pytest.raises(WrongCallError, match="expected a share"):
        sensitivity_at_specificity([3.0], [True], names(1), at_least=90)
