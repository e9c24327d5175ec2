"""Uncertainty of a case by hand and pixel by pixel; the referral curve against every order there is."""

from __future__ import annotations

import json
import math
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import entropy

from monai_tumor.errors import WrongDataError
from monai_tumor.metrics.overlap import overlap
from monai_tumor.metrics.uncertainty import case_uncertainty, referral_curve

MAPS = arrays(
    np.float32,
    st.tuples(st.integers(2, 4), st.integers(1, 6), st.integers(1, 8)),
    elements=st.sampled_from([0, 0.1, 0.375, 0.5, 0.8, 1]),
)
CASES = st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.7, 0.9, 1.0]), st.integers(0, 3)), min_size=1, max_size=12)


def sure(rows: slice, columns: slice) -> np.ndarray:
    """A map that is certain of a box in 6 x 9 pixels."""
    chance = np.zeros((6, 9))
    chance[rows, columns] = 1
    return chance


BOX = sure(slice(1, 3), slice(1, 5))  # 8 pixels
SHIFTED = sure(slice(1, 3), slice(2, 6))  # shares 6 of them
NOTHING = np.zeros((6, 9))


def test_disagreement_by_hand() -> None:
    assert case_uncertainty(np.stack([BOX, SHIFTED])).disagreement == pytest.approx(0.25)
    three = case_uncertainty(np.stack([BOX, SHIFTED, NOTHING]))
    assert (three.disagreement, three.maps) == (pytest.approx(1 - (0.75 + 0 + 0) / 3), 3)
    assert three.score == three.disagreement


def test_equal_maps_agree_also_on_nothing() -> None:
    for chance in (BOX, NOTHING):
        found = case_uncertainty(np.stack([chance, chance]))
        assert (found.disagreement, found.entropy) == (0, 0)


def test_entropy_by_hand() -> None:
    # The mean is 1 on 6 pixels and 0.5, one bit, on 2 + 2. All ten are predicted, and 14 are their rim of sides.
    found = case_uncertainty(np.stack([BOX, SHIFTED]), rim_px=1)
    assert found.entropy == pytest.approx(4 / (10 + 14))
    assert case_uncertainty(np.stack([BOX, SHIFTED]), rim_px=0).entropy == pytest.approx(4 / 10)


def test_where_nothing_is_predicted_the_likeliest_pixel_and_its_rim_count() -> None:
    weak = NOTHING.copy()
    weak[2, 7] = 0.25
    found = case_uncertainty(np.stack([weak, weak]), rim_px=1)
    assert found.entropy == pytest.approx(entropy([0.25, 0.75], base=2) / 5)
    assert found.disagreement == 0


@given(MAPS, st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_uncertainty_equals_that_of_pixels_one_by_one(maps: np.ndarray, rim: int) -> None:
    found = case_uncertainty(maps, rim_px=rim)
    pairs = list(combinations(maps >= 0.5, 2))
    dice = [1.0 if not (a.any() or b.any()) else overlap(a, b).dice if b.any() else 0.0 for a, b in pairs]
    assert found.disagreement == pytest.approx(1 - np.mean(dice))
    mean = maps.mean(axis=0, dtype=np.float64)
    seeds = np.argwhere(mean >= min(0.5, mean.max()))
    near = [p for p in np.ndindex(mean.shape) if (np.square(seeds - p).sum(axis=1) <= rim**2).any()]
    assert found.entropy == pytest.approx(np.mean([entropy([mean[p], 1 - mean[p]], base=2) for p in near]))


@given(MAPS)
@settings(max_examples=50, deadline=None)
def test_the_order_of_the_maps_does_not_matter(maps: np.ndarray) -> None:
    found, turned = case_uncertainty(maps), case_uncertainty(maps[::-1])
    assert found.disagreement == pytest.approx(turned.disagreement) and 0 <= found.disagreement <= 1
    assert found.entropy == pytest.approx(turned.entropy) and 0 <= found.entropy <= 1 + 1e-12


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        (BOX, r"shape \(6, 9\), expected \(maps, rows, columns\) with at least two"),
        (BOX[None], "at least two maps"),
        (np.stack([BOX, BOX * 3]), "outside of 0 to 1; apply the sigmoid"),
        (np.stack([BOX, BOX * np.nan]), "outside of 0 to 1"),
    ],
)
def test_maps_that_cannot_be_compared_are_refused(maps: np.ndarray, message: str) -> None:
    with pytest.raises(WrongDataError, match=message):
        case_uncertainty(maps)


def test_a_referral_curve_by_hand() -> None:
    found = referral_curve([0.9, 0.1, math.nan, 0.5], [0.2, 0.4, 0.9, 0.3])
    assert found.referred == pytest.approx((0, 1 / 3, 2 / 3))
    assert found.dice == pytest.approx((0.5, 0.7, 0.9))
    assert found.dice == found.oracle
    assert (found.random, found.area) == (pytest.approx(0.5), pytest.approx(0.7))
    assert (found.n, found.undefined) == (3, 1)


def test_certainty_about_the_wrong_cases_is_worse_than_chance() -> None:
    found = referral_curve([0.9, 0.1, 0.5], [3, 1, 2])
    assert found.dice == pytest.approx((0.5, 0.3, 0.1))
    assert found.area < found.random < found.oracle_area


def test_uncertainty_that_is_always_the_same_is_worth_what_chance_is() -> None:
    found = referral_curve([0.9, 0.1, 0.5], [1, 1, 1])
    assert found.dice == pytest.approx([0.5] * 3) and found.area == pytest.approx(found.random)


@given(CASES)
@settings(max_examples=100, deadline=None)
def test_the_order_of_cases_does_not_matter_and_none_is_better_than_the_oracle(cases: list[tuple[float, int]]) -> None:
    found, turned = (referral_curve(*map(list, zip(*order, strict=True))) for order in (cases, cases[::-1]))
    assert found.dice == pytest.approx(turned.dice)
    assert all(one <= best + 1e-12 for one, best in zip(found.dice, found.oracle, strict=True))
    assert list(found.oracle) == pytest.approx(sorted(found.oracle))
    assert found.dice[0] == pytest.approx(found.random) and found.area <= found.oracle_area + 1e-12


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 2)), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_ties_count_as_the_mean_over_all_their_orders(cases: list[tuple[float, int]]) -> None:
    orders = [order for order in permutations(cases) if [u for _, u in order] == sorted(u for _, u in cases)]
    rests = [[np.mean([dice for dice, _ in order[: len(order) - k]]) for k in range(len(order))] for order in orders]
    assert referral_curve(*map(list, zip(*cases, strict=True))).dice == pytest.approx(np.mean(rests, axis=0))


def test_no_case_gives_an_undefined_area_and_that_is_json() -> None:
    plain = json.loads(json.dumps(referral_curve([math.nan], [0.1]).plain(), allow_nan=False))
    assert (plain["area"], plain["dice"], plain["undefined"]) == (None, [], 1)
    assert json.dumps(case_uncertainty(np.stack([BOX, SHIFTED])).plain())


def test_a_case_without_uncertainty_is_refused() -> None:
    with pytest.raises(WrongDataError, match="the uncertainty of case number 1 is NaN"):
        referral_curve([0.5, 0.6], [0.1, math.nan])
    with pytest.raises(WrongDataError, match="one for each case"):
        referral_curve([0.5, 0.6], [0.1])
