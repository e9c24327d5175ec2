"""AUROC by hand, against scikit-learn and every exchange counted one by one, and how often its interval holds."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from monai_tumor.errors import WrongDataError
from monai_tumor.metrics.diagnosis_auroc import auroc, auroc_interval, compare_auroc

SCORES = st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 4)), min_size=1, max_size=25)


def names(count: int) -> list[str]:
    return [f"p{place}" for place in range(count)]


def two_scores(groups: int, random: np.random.Generator, lead: float = 0.0) -> tuple[np.ndarray, ...]:
    """Draw the scores of two classifiers of cases that are alike within a group; ``lead`` makes the second better."""
    place = np.repeat(np.arange(groups), random.integers(1, 4, groups))
    positive = (random.random(groups) < 0.4)[place]
    shared = random.normal(size=groups)[place] + 1.5 * positive
    one, two = (shared + random.normal(size=len(place)) for _ in range(2))
    return one, two + lead * positive, positive, place


def test_a_tie_is_half_a_win() -> None:
    assert auroc([3.0, 2.0, 2.0, 1.0], [True, True, False, False]) == 3.5 / 4
    assert auroc([1.0] * 6, [True, False] * 3) == 0.5


@pytest.mark.parametrize("positive", [[], [True], [False], [True, True]])
def test_without_both_classes_there_is_none(positive: list[bool]) -> None:
    scores, groups = [0.5] * len(positive), names(len(positive))
    assert math.isnan(auroc(scores, positive))
    assert auroc_interval(scores, positive, groups).plain()["mean"] is None
    found = compare_auroc(scores, scores, positive, groups).plain()
    assert found["difference"]["mean"] is found["permutation"]["p"] is None


@given(SCORES)
@settings(max_examples=100, deadline=None)
def test_it_equals_that_of_scikit_learn(cases: list[tuple[int, bool, int]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    scores, positive, _ = (np.array(part) for part in zip(*cases, strict=True))
    if positive.any() and not positive.all():
        assert auroc(scores, positive) == pytest.approx(metrics.roc_auc_score(positive, scores), abs=1e-12)


@given(SCORES)
@settings(max_examples=50, deadline=None)
def test_the_order_alone_counts_and_turning_it_round_gives_the_rest(cases: list[tuple[int, bool, int]]) -> None:
    scores, positive, place = (np.array(part) for part in zip(*cases, strict=True))
    groups = place.astype(str).tolist()
    assert auroc_interval(np.exp(scores), positive, groups) == auroc_interval(scores, positive, groups)
    assert auroc(-scores, positive) == pytest.approx(1 - auroc(scores, positive), nan_ok=True)


def obuchowski(scores: np.ndarray, positive: np.ndarray, place: np.ndarray) -> float:
    """The standard error of an AUROC of clustered data, as in Obuchowski (1997)."""
    ahead = scores[positive][:, None] - scores[~positive]
    won = (ahead > 0) + (ahead == 0) / 2
    m, n, count = positive.sum(), (~positive).sum(), place.max() + 1
    area = won.mean()
    first = np.bincount(place[positive], won.mean(axis=1) - area, count)
    second = np.bincount(place[~positive], won.mean(axis=0) - area, count)
    with_first, with_second = (len(np.unique(place[one])) for one in (positive, ~positive))
    variance = with_first / (with_first - 1) * (first @ first) / m**2
    variance += with_second / (with_second - 1) * (second @ second) / n**2
    return math.sqrt(variance + 2 * count / (count - 1) * (first @ second) / (m * n))


@pytest.mark.parametrize("by_image", [False, True])
def test_the_spread_is_nearly_that_of_obuchowski(by_image: bool) -> None:
    random = np.random.default_rng(0)
    scores, _, positive, place = two_scores(150, random)
    positive = random.random(len(place)) < 0.4 if by_image else positive
    scores = scores + 1.5 * positive
    # A constant score has no spread, so that of the difference is that of the other score.
    found = compare_auroc(np.zeros(len(place)), scores, positive, place.astype(str).tolist()).difference
    assert found.low is not None and found.high is not None
    assert found.high - found.low == pytest.approx(2 * 1.98 * obuchowski(scores, positive, place), rel=0.03)
    interval = auroc_interval(scores, positive, place.astype(str).tolist())
    assert interval.low is not None and interval.high is not None
    assert interval.high - interval.low == pytest.approx(found.high - found.low, rel=0.1)


def test_more_images_of_the_same_patients_tell_nothing_new() -> None:
    one, _, positive, place = two_scores(40, np.random.default_rng(0))
    once = auroc_interval(one, positive, place.astype(str).tolist())
    often = auroc_interval(np.repeat(one, 9), np.repeat(positive, 9), np.repeat(place, 9).astype(str).tolist())
    assert (often.mean, often.low, often.high) == pytest.approx((once.mean, once.low, once.high))


def test_a_perfect_order_is_not_certain_and_few_groups_of_one_class_say_little() -> None:
    scores = np.arange(60.0)
    perfect, few = (auroc_interval(scores, scores >= first, names(60)) for first in (30, 57))
    assert (perfect.mean, perfect.high) == (1.0, 1.0) and perfect.low == pytest.approx(0.87, abs=0.02)
    assert few.low is not None and few.low < 0.4
    assert auroc_interval(scores[:9], scores[:9] > 4, names(9)).low is None


@given(st.integers(2, 5), st.integers(0, 200))
@settings(max_examples=40, deadline=None)
def test_the_test_counts_every_exchange_of_groups(count: int, seed: int) -> None:
    one, two, positive, place = two_scores(count, np.random.default_rng(seed))
    found = compare_auroc(one, two, positive, place.astype(str).tolist())
    if not positive.any() or positive.all():
        return
    first, second = stats.rankdata(one), stats.rankdata(two)
    differences = []
    for kept in itertools.product([True, False], repeat=count):
        same = np.array(kept)[place]
        differences.append(
            auroc(np.where(same, second, first), positive) - auroc(np.where(same, first, second), positive)
        )
    assert differences[0] == pytest.approx(found.difference.mean)
    far = np.abs(differences) >= abs(differences[0]) - 1e-9
    assert found.permutation.p == pytest.approx(far.mean()) and found.permutation.exact


def test_equal_scores_have_no_difference_and_a_better_one_is_seen() -> None:
    one, two, positive, place = two_scores(80, np.random.default_rng(0), lead=2.0)
    groups = place.astype(str).tolist()
    same = compare_auroc(one, 3 * one, positive, groups)
    assert (same.difference.mean, same.difference.low, same.permutation.p) == (0.0, None, 1.0)
    better = compare_auroc(one, two, positive, groups)
    assert better.difference.low is not None and better.difference.low > 0 and better.permutation.p < 0.01
    assert better.difference.mean == pytest.approx(better.second.mean - better.first.mean)


def test_chance_alone_gives_a_small_p_as_seldom_as_it_says() -> None:
    random, small, out = np.random.default_rng(1), 0, 0
    for _ in range(200):
        one, two, positive, place = two_scores(12, random)
        found = compare_auroc(one, two, positive, place.astype(str).tolist())
        small += found.permutation.p <= 0.05
        out += found.difference.low is not None and not found.difference.low <= 0 <= (found.difference.high or 0.0)
    assert small <= 20 and out <= 20


@pytest.mark.slow
@pytest.mark.parametrize("groups", [15, 30, 60])
def test_the_interval_covers_at_least_as_often_as_it_says(groups: int) -> None:
    random, truth, hits = np.random.default_rng(2), float(stats.norm.cdf(1.5 / 2)), 0
    for _ in range(500):
        one, _, positive, place = two_scores(groups, random)
        found = auroc_interval(one, positive, place.astype(str).tolist())
        hits += found.low is None or found.low <= truth <= (found.high or 0.0)
    assert hits / 500 >= 0.93


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(WrongDataError, match="one for each case"):
        auroc_interval([0.1, 0.2], [True, False], ["a"])
    with pytest.raises(WrongDataError, match="number 1 is NaN"):
        auroc([0.1, math.nan], [True, False])
    with pytest.raises(TypeError, match="expected bool"):
        auroc([0.1, 0.2], np.array([1, 0]))
