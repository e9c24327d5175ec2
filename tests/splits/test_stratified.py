"""Groups stay whole, parts get their shares, and only the data and the seed decide."""

from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.splits.stratified import fold_groups, split_groups

FRACTIONS = {"training": 0.7, "validation": 0.2, "test": 0.1}
CASES = st.lists(st.tuples(st.integers(0, 12).map("patient {}".format), st.sampled_from("abc")), max_size=60)


def columns(cases: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [group for group, _ in cases], [stratum for _, stratum in cases]


@given(CASES, st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_no_group_is_divided_and_no_part_is_empty(cases: list[tuple[str, str]], seed: int) -> None:
    groups, strata = columns(cases)
    if len(set(groups)) < 3:
        with pytest.raises(WrongDataError, match="cannot fill 3 parts"):
            split_groups(groups, strata, FRACTIONS, seed)
        return
    parts = split_groups(groups, strata, FRACTIONS, seed)
    assert set(parts) == set(FRACTIONS)
    assert len(set(zip(groups, parts, strict=True))) == len(set(groups))


@given(CASES.filter(lambda cases: len({group for group, _ in cases}) >= 4), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_of_the_cases_does_not_matter(cases: list[tuple[str, str]], random: object) -> None:
    shuffled = sorted(cases, key=lambda _: random.random())  # type: ignore[attr-defined]
    parts = dict(zip(columns(cases)[0], fold_groups(*columns(cases), 4, seed=3), strict=True))
    assert parts == dict(zip(columns(shuffled)[0], fold_groups(*columns(shuffled), 4, seed=3), strict=True))


@given(st.lists(st.sampled_from(["benign", "benign", "malignant"]), min_size=3, max_size=120), st.integers(0, 9))
@settings(max_examples=100, deadline=None)
def test_single_cases_come_within_two_of_their_share(strata: list[str], seed: int) -> None:
    parts = split_groups([f"p{index}" for index in range(len(strata))], strata, FRACTIONS, seed)
    sizes, pairs, totals = Counter(parts), Counter(zip(parts, strata, strict=True)), Counter(strata)
    for part, share in FRACTIONS.items():
        assert abs(sizes[part] - share * len(strata)) <= 2
        assert all(abs(pairs[part, stratum] - share * total) <= 2 for stratum, total in totals.items())


def test_hundred_cases_of_two_labels_split_exactly() -> None:
    strata = ["benign"] * 70 + ["malignant"] * 30
    parts = split_groups([f"case {index}" for index in range(100)], strata, FRACTIONS, seed=0)
    counts = Counter(zip(parts, strata, strict=True))
    assert [counts[part, "benign"] for part in FRACTIONS] == [49, 14, 7]
    assert [counts[part, "malignant"] for part in FRACTIONS] == [21, 6, 3]


def test_large_groups_are_spread_over_the_folds() -> None:
    groups = [f"p{patient}" for patient in range(12) for _ in range(10 + 5 * patient)]
    folds = fold_groups(groups, ["x"] * len(groups), 4, seed=1)
    sizes = Counter(folds)
    assert set(sizes) == {0, 1, 2, 3}
    assert max(sizes.values()) - min(sizes.values()) <= 15  # of 450 cases, in patients of 10 to 65


def test_a_large_group_is_not_always_in_training() -> None:
    groups = ["large"] * 5 + [f"p{index}" for index in range(45)]
    parts_of_large = {split_groups(groups, ["x"] * 50, FRACTIONS, seed)[0] for seed in range(40)}
    assert parts_of_large == set(FRACTIONS)


def test_the_seed_decides() -> None:
    groups = [f"p{index}" for index in range(30)]
    drawn = {tuple(split_groups(groups, ["x"] * 30, FRACTIONS, seed)) for seed in (0, 0, 1, 2)}
    assert len(drawn) == 3


def test_the_division_is_the_same_on_every_machine_and_in_every_version() -> None:
    groups = [f"p{index}" for index in range(8)]
    assert fold_groups(groups, list("aabbabab"), 4, seed=0) == [1, 3, 1, 2, 0, 0, 2, 3]


def test_as_many_groups_as_parts_gives_one_group_each() -> None:
    groups = ["a"] * 50 + ["b", "c"]
    parts = split_groups(groups, ["x"] * 52, FRACTIONS, seed=0)
    by_part = defaultdict(set)
    for group, part in zip(groups, parts, strict=True):
        by_part[part].add(group)
    assert sorted(map(len, by_part.values())) == [1, 1, 1]


@pytest.mark.parametrize(
    "fractions", [{}, {"a": 0.5}, {"a": 1.0, "b": 0.0}, {"a": 1.5, "b": -0.5}, {"a": float("nan")}]
)
def test_fractions_that_are_no_shares_are_refused(fractions: dict[str, float]) -> None:
    with pytest.raises(WrongCallError, match="above 0 and add up to 1"):
        split_groups(["p1", "p2", "p3"], ["x"] * 3, fractions, seed=0)


def test_one_fold_is_refused() -> None:
    with pytest.raises(WrongCallError, match="1 fold cannot test one another"):
        fold_groups(["p1", "p2"], ["x", "y"], 1, seed=0)
