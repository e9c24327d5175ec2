"""Means, intervals and their coverage, and the two kinds of cases apart."""

import json
import math
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]

from monai_tumor.metrics.boundary import Boundary
from monai_tumor.metrics.lesions import LesionCounts
from monai_tumor.metrics.measures import ScoredCase
from monai_tumor.metrics.overlap import Overlap
from monai_tumor.metrics.summary import POLICY, Interval, mean_interval, summarise_cases

Random = np.random.Generator


def names(count: int) -> list[str]:
    return [f"p{index}" for index in range(count)]


def dice_like(count: int, largest_group: int, random: Random) -> tuple[NDArray[np.float64], list[str]]:
    """Draw skewed values in 0..1, alike within a group, as Dice of a good model is."""
    place = np.repeat(np.arange(count), random.integers(1, largest_group + 1, count))
    latent = random.normal(1.8, 1.0, count)[place] + random.normal(0, 0.7, len(place))
    return 1 / (1 + np.exp(-latent)), [f"p{index}" for index in place]


def coverage(count: int, largest_group: int, trials: int = 600) -> float:
    truth = float(dice_like(300_000, 1, np.random.default_rng(99))[0].mean())
    random = np.random.default_rng(1)
    hits = 0
    for _ in range(trials):
        found = mean_interval(*dice_like(count, largest_group, random), limits=(0, 1))
        assert found.low is not None and found.high is not None
        hits += found.low <= truth <= found.high
    return hits / trials


@pytest.mark.slow
@pytest.mark.parametrize("largest_group", [1, 5])
@pytest.mark.parametrize("count", [10, 20, 30])
def test_the_interval_covers_as_often_as_it_says(count: int, largest_group: int) -> None:
    assert 0.925 <= coverage(count, largest_group) <= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("count", [10, 20, 30])
def test_the_interval_of_a_share_covers_at_least_as_often_as_it_says(count: int) -> None:
    random = np.random.default_rng(2)
    hits = 0
    for _ in range(600):
        place = np.repeat(np.arange(count), random.integers(1, 6, count))
        values = (random.random(len(place)) < random.beta(8.1, 0.9, count)[place]).astype(float)
        found = mean_interval(values, [str(index) for index in place])
        assert found.low is not None and found.high is not None
        hits += found.low <= 0.9 <= found.high
    assert hits / 600 >= 0.94


def test_normal_values_give_nearly_the_t_interval() -> None:
    values = np.random.default_rng(5).normal(50, 4, 200)
    found = mean_interval(values, names(200))
    expected = stats.t.interval(0.95, 199, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected, abs=0.1)


def test_one_case_a_group_gives_nearly_the_bootstrap_t_worked_out_one_by_one() -> None:
    values = np.random.default_rng(3).beta(8, 2, 15)
    random = np.random.default_rng(4)
    draws = [random.choice(values, 15) for _ in range(4000)]
    t_values = [(draw.mean() - values.mean()) / stats.sem(draw) for draw in draws]
    low, high = values.mean() - np.quantile(t_values, [0.975, 0.025]) * stats.sem(values)
    found = mean_interval(values, names(15))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.015)


def test_a_share_of_single_cases_is_nearly_clopper_pearson() -> None:
    values = [1.0] * 180 + [0.0] * 20
    found = mean_interval(values, names(200))
    exact = stats.binomtest(180, 200).proportion_ci(0.95, "exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=0.005)


def test_a_perfect_share_is_not_certain() -> None:
    found = mean_interval([1.0] * 20, names(20))
    assert found.low == pytest.approx(0.81, abs=0.02)
    assert found.high == 1


def test_more_slices_of_the_same_patients_tell_nothing_new() -> None:
    values = np.random.default_rng(0).beta(8, 2, 20)
    once = mean_interval(values, names(20))
    often = mean_interval(np.repeat(values, 50), list(np.repeat(names(20), 50)))
    assert (often.low, often.high) == pytest.approx((once.low, once.high))
    assert (often.n, often.groups) == (1000, 20)


def test_the_mean_is_over_cases_and_undefined_values_are_counted() -> None:
    found = mean_interval([0.2, 0.4, 0.9, math.nan], ["a", "a", "b", "c"])
    assert found.mean == pytest.approx(0.5)
    assert (found.n, found.groups, found.undefined, found.low) == (3, 2, 1, None)


def test_the_median_is_over_defined_values_and_shares_have_none() -> None:
    assert mean_interval([0.2, 0.4, math.nan, 0.9], names(4)).median == 0.4
    assert mean_interval([0, 1, 1], names(3)).median is None
    assert mean_interval([], []).median is None


def test_values_that_may_be_negative_are_no_share() -> None:
    assert mean_interval([0.0] * 12, names(12), limits=(0, 1)).high == pytest.approx(0.32, abs=0.01)
    assert mean_interval([0.0] * 12, names(12), limits=(-1, math.inf)).high is None


@given(st.lists(st.floats(0, 1), min_size=12, max_size=40), st.integers(1, 3))
@settings(max_examples=50, deadline=None)
def test_intervals_stay_within_limits_and_hold_the_mean(values: list[float], size: int) -> None:
    groups = [f"p{index // size}" for index in range(len(values))]
    found = mean_interval(values, groups, limits=(0, 1))
    assert found.mean == pytest.approx(np.mean(values))
    if found.low is not None and found.high is not None:
        assert 0 <= found.low <= found.mean + 1e-9 and found.mean - 1e-9 <= found.high <= 1
        assert found.groups >= 10


def test_the_order_of_cases_does_not_matter_and_the_seed_hardly() -> None:
    values = np.random.default_rng(0).beta(8, 2, 30)
    found = mean_interval(values, names(30))
    assert mean_interval(values[::-1], names(30)[::-1]).low == pytest.approx(found.low)
    assert mean_interval(values, names(30)) == found
    assert mean_interval(values, names(30), seed=1).low == pytest.approx(found.low, abs=0.01)


def test_a_higher_level_gives_a_wider_interval() -> None:
    values = np.random.default_rng(0).beta(8, 2, 30)
    narrow, wide = (mean_interval(values, names(30), level=level) for level in (0.8, 0.99))
    assert wide.low < narrow.low and narrow.high < wide.high  # type: ignore[operator]


def test_one_group_that_differs_gives_finite_ends() -> None:
    found = mean_interval([0.8] * 11 + [0.1], names(12))
    assert found.low is not None and math.isfinite(found.low) and found.low < found.mean


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(0.842, 0.801, 0.876, 40, 12), "0.842 (95 % interval 0.801 to 0.876, n = 40 cases, 12 groups)"),
        (
            Interval(0.5, 0.4, 0.6, 30, 11, 2, 0.9),
            "0.500 (90 % interval 0.400 to 0.600, n = 30 cases, 11 groups, 2 undefined)",
        ),
        (
            Interval(0.842, 0.801, 0.876, 40, 12, median=0.861),
            "0.842 (95 % interval 0.801 to 0.876, median 0.861, n = 40 cases, 12 groups)",
        ),
        (Interval(0.9, None, None, 9, 1), "0.900 (no interval below 10 groups, n = 9 cases, 1 group)"),
        (
            Interval(0.5, None, None, 12, 12),
            "0.500 (no interval because all groups are alike, n = 12 cases, 12 groups)",
        ),
        (Interval(math.nan, None, None, 0, 0, 3), "undefined (n = 0 cases, 0 groups, 3 undefined)"),
        (Interval(1234.56, 1000, 2000, 40, 12), "1234.6 (95 % interval 1000.0 to 2000.0, n = 40 cases, 12 groups)"),
    ],
)
def test_an_interval_reads_as_a_sentence(interval: Interval, text: str) -> None:
    assert str(interval) == interval.format() == interval.plain()["text"] == text


def test_equal_values_have_no_interval() -> None:
    assert mean_interval([0.7] * 12, names(12)).low is None


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="one group for each value"):
        mean_interval([0.1, 0.2], ["a"])


def test_two_thousand_cases_are_summarised_at_once() -> None:
    values = np.random.default_rng(0).beta(8, 2, 2000)
    started = time.perf_counter()
    mean_interval(values, names(2000))
    assert time.perf_counter() - started < 1.0  # some 0.03 s; the rest is for a busy machine


def rows_by_hand() -> list[ScoredCase]:
    counts = [(6, 2, 2, 14), (0, 0, 8, 16), (8, 0, 0, 16), (0, 0, 0, 24), (0, 5, 0, 19)]
    edges = {0: Boundary(np.array([0.0, 4.0]), np.array([2.0])), 2: Boundary(np.zeros(3), np.zeros(3))}
    return [
        ScoredCase(f"c{index}", f"p{index // 2}", Overlap(*four), edges.get(index, Boundary()))
        for index, four in enumerate(counts)
    ]


def test_lesion_cases_and_lesion_free_cases_are_apart() -> None:
    summary = summarise_cases(rows_by_hand())
    lesion, free = summary["lesion_cases"], summary["lesion_free_cases"]
    assert (summary["cases"], summary["groups"], lesion["n"], free["n"]) == (5, 3, 3, 2)
    assert lesion["dice"]["mean"] == pytest.approx((0.75 + 0 + 1) / 3)
    assert (lesion["missed"], lesion["found"]["mean"]) == (1, pytest.approx(2 / 3))
    assert (lesion["precision"]["mean"], lesion["precision"]["undefined"]) == (0.875, 1)
    assert (free["with_false_positive"], free["specificity"]["mean"]) == (1, 0.5)
    assert free["false_positive_area_px"]["mean"] == 2.5


def test_distances_leave_out_missed_lesions_and_count_them() -> None:
    lesion = summarise_cases(rows_by_hand())["lesion_cases"]
    assert (lesion["assd_px"]["mean"], lesion["assd_px"]["n"], lesion["assd_px"]["undefined"]) == (1, 2, 1)
    assert (lesion["hd95_px"]["mean"], lesion["hd95_px"]["undefined"]) == (pytest.approx(3.8 / 2), 1)


def test_distances_may_be_larger_than_one() -> None:
    overlap, far = Overlap(6, 2, 2, 14), np.random.default_rng(0).normal(50, 5, (12, 3))
    rows = [ScoredCase(f"c{i}", f"p{i}", overlap, Boundary(part, part)) for i, part in enumerate(far)]
    assert summarise_cases(rows)["lesion_cases"]["assd_px"]["high"] > 50


def test_lesions_are_summed_over_cases() -> None:
    counts = [LesionCounts(2, 1, 2, 1), LesionCounts(0, 0, 1, 1), None]
    rows = [replace(row, lesions=found) for row, found in zip(rows_by_hand()[2:], counts, strict=True)]
    summary = summarise_cases(rows)
    assert summary["lesions"] == {"reference": 2, "found": 1, "missed": 1, "false": 2}
    assert (summary["lesion_cases"]["lesion_recall"]["mean"], summary["all_cases"]["false_lesions"]["mean"]) == (0.5, 1)
    assert summary["all_cases"]["false_lesions"]["undefined"] == 1


def test_pixel_accuracy_is_over_all_cases() -> None:
    accuracy = summarise_cases(rows_by_hand())["all_cases"]["pixel_accuracy"]
    assert (accuracy["n"], accuracy["mean"]) == (5, pytest.approx((20 + 16 + 24 + 24 + 19) / 24 / 5))


def test_the_summary_is_json_and_tells_its_policy() -> None:
    for rows in (rows_by_hand(), rows_by_hand()[:3], []):
        summary = json.loads(json.dumps(summarise_cases(rows), allow_nan=False))
        assert summary["policy"] == POLICY
        assert "Dice 0" in POLICY and "apart" in POLICY


def test_areas_that_are_all_zero_are_no_share():
    groups = [f"g{number}" for number in range(16)]
    area = mean_interval([0.0] * 16, groups, limits=(0.0, math.inf))
    assert (area.mean, area.low, area.high) == (0.0, None, None) and area.median == 0.0
    assert str(area).startswith("0.000 (no interval because all groups are alike")
    assert mean_interval([0.0] * 16, groups, limits=(0.0, 1.0)).high == pytest.approx(
        1 - 0.025 ** (1 / (16 * (1.96 / 2.131) ** 2)), abs=1e-3
    )
