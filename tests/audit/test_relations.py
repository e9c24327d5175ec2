"""Pairs of one frame, and what contradicts what."""

from pathlib import Path

import pytest

from monai_tumor.audit.relations import Relation, clusters_of, contradictions, find_relations
from monai_tumor.audit.survey import take_survey
from monai_tumor.datasets import open_dataset


@pytest.fixture
def relations(doubled: Path) -> dict[str, Relation]:
    dataset = open_dataset("folder")
    found = find_relations(take_survey(dataset, dataset.cases(doubled)))
    return {relation.second.id: relation for relation in found}


def test_exactly_the_pairs_that_show_one_frame_are_found(relations: dict[str, Relation]) -> None:
    assert {(item.first.id, name) for name, item in relations.items()} == {
        ("c1", "crop-of-1"),
        ("c2", "other-label-of-2"),
        ("c3", "other-mask-of-3"),
    }


def test_identical_pixels_come_first(relations: dict[str, Relation]) -> None:
    assert next(iter(relations)) == "other-label-of-2" and relations["other-label-of-2"].identical


def test_masks_are_compared_where_both_pictures_show_something(relations: dict[str, Relation]) -> None:
    crop, moved = relations["crop-of-1"].mask_dice, relations["other-mask-of-3"].mask_dice
    assert crop is not None and crop > 0.97 and not relations["crop-of-1"].masks_differ
    assert moved is not None and moved < 0.5 and relations["other-mask-of-3"].masks_differ


def test_contradictions_name_both_cases_and_why(relations: dict[str, Relation]) -> None:
    reasons = contradictions(relations.values())
    assert sorted(reasons) == ["c2", "c3", "other-label-of-2", "other-mask-of-3"]
    assert reasons["c2"] == "malignant here, benign in other-label-of-2"
    assert "mask agrees with that of c3 by a Dice of 0." in reasons["other-mask-of-3"]


def test_groups_that_share_a_frame_are_one_cluster(relations: dict[str, Relation], doubled: Path) -> None:
    cluster_of = clusters_of(open_dataset("folder").cases(doubled), relations.values())
    assert cluster_of["c1"] == cluster_of["crop-of-1"] == "c1 +1"
    assert cluster_of["c4"] == "c4" and len(set(cluster_of.values())) == 12


def test_what_a_pair_is_is_said_in_words(relations: dict[str, Relation]) -> None:
    assert relations["other-label-of-2"].words == "identical pixels"
    assert relations["other-mask-of-3"].words == "the same frame: other marks or grey levels"
