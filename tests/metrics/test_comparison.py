"""Two runs on the same cases: by hand, against SciPy, and what chance alone gives."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from monai_tumor.errors import WrongDataError
from monai_tumor.metrics.comparison import compare_runs, permutation_test_by_group
from monai_tumor.metrics.summary import mean_interval

FIRST = {"a1": 0.5, "a2": 0.6, "b1": 0.8, "c1": 0.9}
SECOND = {"a1": 0.9, "a2": 0.5, "b1": 0.9, "c1": 0.8}
GROUPS = {"a1": "a", "a2": "a", "b1": "b", "c1": "c"}


def scipy_p(values: np.ndarray, **settings: object) -> float:
    return float(stats.permutation_test((values,), np.mean, permutation_type="samples", **settings).pvalue)


def numbered(values: np.ndarray) -> tuple[dict[str, float], dict[str, float], dict[str, str]]:
    """A first run of zeros, a second of ``values``, and a group for each case."""
    ids = [f"c{place:03}" for place in range(len(values))]
    return dict.fromkeys(ids, 0.0), dict(zip(ids, values.tolist(), strict=True)), {name: name for name in ids}


def test_a_comparison_by_hand() -> None:
    found = compare_runs(FIRST, SECOND, GROUPS)
    assert found.difference.mean == pytest.approx((0.4 - 0.1 + 0.1 - 0.1) / 4)
    assert (found.difference.n, found.difference.groups, found.difference.low) == (4, 3, None)
    # Sums of the groups: 0.3, 0.1, -0.1. Of the 8 flips only 0.3 - 0.1 - 0.1 and its opposite come nearer to 0 than 0.3.
    assert (found.permutation.p, found.permutation.flips, found.permutation.exact) == (6 / 8, 7, True)
    assert [case.id for case in found.changed] == ["a1", "a2", "b1", "c1"]
    assert (found.changed[0].group, found.changed[0].difference) == ("a", pytest.approx(0.4))


def test_the_largest_changes_come_first_and_equal_ones_by_id() -> None:
    first, second, groups = numbered(np.array([0.1, -0.5, 0.2, 0.5, -0.2]))
    found = compare_runs(first, second, groups, most=3)
    assert [case.id for case in found.changed] == ["c001", "c003", "c002"]


@given(st.lists(st.floats(-1, 1).map(lambda value: round(value, 3)), min_size=2, max_size=9))
@settings(max_examples=50, deadline=None)
def test_p_of_single_cases_equals_that_of_scipy(values: list[float]) -> None:
    differences = np.array(values)
    found = permutation_test_by_group(differences, [f"p{k}" for k in range(len(values))])
    assert found.p == pytest.approx(scipy_p(differences)) and found.exact


def test_drawn_p_equals_that_of_scipy() -> None:
    differences = np.random.default_rng(0).normal(0.12, 0.3, 30)
    found = permutation_test_by_group(differences, [f"p{k}" for k in range(30)])
    assert (found.flips, found.exact) == (20_000, False)
    assert found.p == pytest.approx(scipy_p(differences, n_resamples=20_000, rng=1), abs=0.005)
    assert found == permutation_test_by_group(differences, [f"p{k}" for k in range(30)])


def test_p_is_never_zero() -> None:
    values = np.full(200, 0.3) + np.random.default_rng(0).normal(0, 0.01, 200)
    assert permutation_test_by_group(values, [f"p{k}" for k in range(200)]).p == 1 / 20_001
    assert permutation_test_by_group(values[:5], list("abcde")).p == 2 / 32


def test_more_slices_of_the_same_patients_tell_nothing_new() -> None:
    values = np.random.default_rng(0).normal(0.1, 0.3, 10)
    once = permutation_test_by_group(values, list("abcdefghij"))
    assert permutation_test_by_group(np.repeat(values, 20), list(np.repeat(list("abcdefghij"), 20))).p == once.p


def test_chance_alone_gives_a_small_p_as_seldom_as_it_says() -> None:
    random = np.random.default_rng(3)
    groups = [f"p{k // 4}" for k in range(40)]
    draws = [np.repeat(random.normal(0, 0.2, 10), 4) + random.normal(0, 0.1, 40) for _ in range(400)]
    small = np.mean([permutation_test_by_group(draw, groups).p <= 0.05 for draw in draws])
    assert 0.02 <= small <= 0.08


@given(st.lists(st.tuples(st.floats(-1, 1), st.sampled_from("abcdef")), min_size=1, max_size=15))
@settings(max_examples=50, deadline=None)
def test_the_order_of_runs_and_of_cases_does_not_matter(cases: list[tuple[float, str]]) -> None:
    values, groups = np.array([value for value, _ in cases]), [group for _, group in cases]
    found = permutation_test_by_group(values, groups)
    assert 0 < found.p <= 1
    assert permutation_test_by_group(-values, groups).p == found.p
    assert permutation_test_by_group(values[::-1], groups[::-1]).p == found.p


def test_the_interval_is_that_of_the_differences() -> None:
    values = np.random.default_rng(0).normal(0.1, 0.3, 25)
    first, second, groups = numbered(values)
    found, expected = compare_runs(first, second, groups).difference, mean_interval(values, sorted(groups))
    assert (found.mean, found.low, found.high) == pytest.approx((expected.mean, expected.low, expected.high))


def test_runs_that_do_not_differ_have_no_interval_and_p_is_one() -> None:
    first, second, groups = numbered(np.zeros(20))
    found = compare_runs(first, second, groups)
    assert (found.difference.mean, found.difference.low, found.difference.high) == (0, None, None)
    assert found.permutation.p == 1


@pytest.mark.parametrize("sign", [1, -1])
def test_a_difference_of_whole_cases_is_not_taken_for_a_share(sign: int) -> None:
    first, second, groups = numbered(sign * np.array([1.0] * 3 + [0.0] * 17))
    ends = compare_runs(first, second, groups).difference
    low, high = sorted([sign * ends.low, sign * ends.high])  # type: ignore[operator]
    assert low < 0.15 < high and ends.mean == pytest.approx(sign * 0.15)


def test_undefined_values_are_left_out_and_counted() -> None:
    found = compare_runs(FIRST | {"d1": math.nan}, SECOND | {"d1": 0.5}, GROUPS | {"d1": "d"})
    assert (found.difference.n, found.difference.undefined, len(found.changed)) == (4, 1, 4)
    nothing = compare_runs({"d1": math.nan}, {"d1": 0.5}, {"d1": "d"})
    plain = json.loads(json.dumps(nothing.plain(), allow_nan=False))
    assert (plain["permutation"]["p"], plain["difference"]["mean"], plain["changed"]) == (None, None, [])


def test_distances_have_no_largest_value() -> None:
    first, second, groups = numbered(np.random.default_rng(0).normal(30, 9, 12))
    assert compare_runs(first, second, groups, largest=math.inf).difference.high > 30  # type: ignore[operator]


def test_runs_on_different_cases_are_refused() -> None:
    with pytest.raises(WrongDataError, match=r"^1 case \('d1' first\) in one run only"):
        compare_runs(FIRST, SECOND | {"d1": 0.5}, GROUPS)
    with pytest.raises(WrongDataError, match=r"4 cases .* without a group; compare runs on the same cases"):
        compare_runs(FIRST, SECOND, {})


def test_the_median_of_the_differences_is_told_too():
    first = {f"c{number}": 0.5 for number in range(5)}
    second = {f"c{number}": 0.5 + value for number, value in enumerate((-0.2, -0.1, 0.05, 0.3, 0.4))}
    found = compare_runs(first, second, {name: name for name in first})
    assert found.difference.median == pytest.approx(0.05) and found.difference.mean == pytest.approx(0.09)
