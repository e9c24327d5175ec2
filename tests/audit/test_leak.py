"""What random splits leak, worked out by hand."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_tumor.audit.leak import LeakCount, leak_of, random_parts, random_split_leak
from monai_tumor.cases import Case


def test_both_members_of_a_divided_cluster_count() -> None:
    clusters = {"a": "1", "b": "1", "c": "2", "d": "2", "e": "3", "f": "4", "g": "4"}
    parts = dict.fromkeys("acdf", "training") | {"b": "test", "e": "validation", "g": "validation"}
    assert leak_of(parts, clusters) == LeakCount(images=4, held_out=2, of_held_out=3)


def test_validation_and_test_do_not_leak_into_each_other() -> None:
    parts = {"a": "validation", "b": "test", "c": "training"}
    assert leak_of(parts, {"a": "1", "b": "1", "c": "2"}) == LeakCount(0, 0, 2)


def test_the_division_is_that_of_a_plain_script() -> None:
    assert random_parts(["x10", "x2", "x1", "x3"], 0) == {
        "x3": "training",
        "x1": "training",
        "x2": "training",
        "x10": "validation",
    }


@given(st.integers(0, 200), st.integers(0, 2**32))
def test_every_case_has_a_part_and_parts_have_their_shares(count: int, seed: int) -> None:
    parts = random_parts([f"c{number}" for number in range(count)], seed)
    sizes = Counter(parts.values())
    assert len(parts) == count
    assert abs(sizes["training"] - 0.7 * count) <= 0.5 and abs(sizes["validation"] - 0.2 * count) <= 1


@pytest.mark.parametrize(("size", "least", "most"), [(1, 0, 0), (100, 100, 100)])
def test_single_images_never_leak_and_one_patient_always_does(size: int, least: int, most: int) -> None:
    cases = [Case(f"c{number}", f"p{number // size}", "i.png", ()) for number in range(100)]
    told = random_split_leak(cases, {case.group: case.group for case in cases}).content()
    assert (told["images"]["least"], told["images"]["most"]) == (least, most)
    assert told["first_seed"]["of_held_out"] == 30 and told["seeds"] == 100


def test_pairs_leak_as_often_as_chance_says() -> None:
    """A pair is divided in 2 x 0.7 x 0.3 of all splits: 42 % of the images, and 70 % of those held out."""
    cases = [Case(f"c{number}", f"p{number // 2}", "i.png", ()) for number in range(400)]
    told = random_split_leak(cases, {case.group: case.group for case in cases}).content()
    assert told["images"]["mean_percent"] == pytest.approx(42, abs=1)
    assert told["held_out"]["mean_percent"] == pytest.approx(70, abs=1.5)
