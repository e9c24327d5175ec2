"""Cases told apart by class, size, scanner and data set."""

from __future__ import annotations

import json

import numpy as np
import pytest

from monai_tumor.metrics.measures import ScoredCase
from monai_tumor.metrics.overlap import Overlap
from monai_tumor.metrics.subgroups import NOT_STATED, lesion_size, subgroups
from monai_tumor.metrics.summary import summarise_cases


def case(name: str, lesion: int = 50, hit: int = 0, **about: str) -> ScoredCase:
    """Return a case of an image of 1000 pixels; nothing is marked beside the lesion."""
    return ScoredCase(name, name, Overlap(hit, 0, lesion - hit, 1000 - lesion), **about)


@pytest.mark.parametrize(
    ("lesion", "size"), [(0, None), (1, "small"), (19, "small"), (20, "medium"), (100, "medium"), (101, "large")]
)
def test_a_size_is_a_share_of_the_image(lesion: int, size: str | None) -> None:
    assert lesion_size(case("a", lesion)) == size


def test_sizes_go_from_small_to_large_and_leave_out_lesion_free_cases() -> None:
    rows = [case("a", 300), case("b", 0), case("c", 5), case("d", 30), case("e", 7)]
    parts = subgroups(rows)["lesion_size"]
    assert {size: [row.id for row in part] for size, part in parts.items()} == {
        "small": ["c", "e"],
        "medium": ["d"],
        "large": ["a"],
    }
    assert list(parts) == ["small", "medium", "large"]


def test_a_label_that_nobody_stated_comes_last() -> None:
    rows = [case("a"), case("b", label="malignant"), case("c", label="zebra"), case("d", label="benign")]
    assert list(subgroups(rows)["label"]) == ["benign", "malignant", "zebra", NOT_STATED]


def test_a_grouping_with_one_value_would_repeat_the_whole() -> None:
    rows = [case("a", label="benign", dataset="x"), case("b", label="benign", dataset="y")]
    assert list(subgroups(rows)) == ["dataset"]
    assert subgroups([case("a"), case("b")]) == {}


def test_each_subgroup_has_the_figures_of_its_cases_and_an_interval_from_ten_groups_up() -> None:
    random = np.random.default_rng(0)
    benign = [case(f"b{i}", hit=int(hit), label="benign") for i, hit in enumerate(random.integers(30, 50, 12))]
    rows = [*benign, case("m", label="malignant"), case("n", 0, label="normal")]
    summary = json.loads(json.dumps(summarise_cases(rows), allow_nan=False))
    parts = summary["subgroups"]["label"]
    assert [(name, part["cases"]) for name, part in parts.items()] == [("benign", 12), ("malignant", 1), ("normal", 1)]
    assert parts["benign"]["lesion_cases"]["dice"] == summarise_cases(benign)["lesion_cases"]["dice"]
    assert parts["benign"]["lesion_cases"]["dice"]["low"] is not None
    assert (parts["malignant"]["lesion_cases"]["missed"], parts["malignant"]["lesion_cases"]["dice"]["low"]) == (
        1,
        None,
    )
    assert parts["malignant"]["lesion_cases"]["precision"]["undefined"] == 1
    assert parts["normal"]["lesion_free_cases"]["n"] == 1
