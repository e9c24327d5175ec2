"""Splits that keep clusters whole and set contradictions aside."""

from collections import Counter
from pathlib import Path

import pytest

from monai_tumor.audit.division import divide
from monai_tumor.datasets import open_dataset
from monai_tumor.datasets.base import PublishedFolds
from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.splits.split import PARTS, Split, check_split


def divided(folder: Path, **how: object) -> Split:
    dataset = open_dataset("folder")
    return divide(dataset, dataset.cases(folder), **how)  # type: ignore[arg-type]


def test_pictures_of_one_frame_are_in_one_part_for_every_seed(doubled: Path) -> None:
    for seed in range(6):
        split = divided(doubled, seed=seed)
        assert split.cases["c1"].part == split.cases["crop-of-1"].part in PARTS
        assert split.cases["c1"].cluster == "c1 +1" and split.cases["c1"].group == "c1"


def test_contradictory_cases_are_in_quarantine_with_a_reason(doubled: Path) -> None:
    split = divided(doubled)
    assert split.ids("quarantine") == ["c2", "c3", "other-label-of-2", "other-mask-of-3"]
    assert split.cases["c2"].reason == "malignant here, benign in other-label-of-2"


def test_or_they_are_dropped_or_kept(doubled: Path) -> None:
    dropped, kept = divided(doubled, contradictory="drop"), divided(doubled, contradictory="keep")
    assert sorted(dropped.dropped) == ["c2", "c3", "other-label-of-2", "other-mask-of-3"]
    assert not dropped.cases.keys() & dropped.dropped.keys()
    assert len(kept.cases) == 15 and not kept.ids("quarantine")
    assert kept.cases["c2"].part == kept.cases["other-label-of-2"].part
    with pytest.raises(
        WrongCallError, match="contradictory cases cannot be 'hide'; give one of quarantine, drop, keep"
    ):
        divided(doubled, contradictory="hide")


def test_a_split_fits_the_folder_that_it_was_made_for(doubled: Path) -> None:
    cases = open_dataset("folder").cases(doubled)
    for what in ("quarantine", "drop", "keep"):
        check_split(divided(doubled, contradictory=what), cases)


def test_published_folds_are_used_where_they_are_as_many(doubled: Path) -> None:
    ids = [case.id for case in open_dataset("folder").cases(doubled)]
    fold_of = {name: (int(name.rpartition("-")[2]) if "of" in name else int(name[1:])) % 3 for name in ids}
    official = [PublishedFolds("3-fold-cv.csv", "ab12", fold_of)]
    split = divided(doubled, folds=3, published=official)
    assert split.rule == "published folds: 3-fold-cv.csv, sha256 ab12"
    assert all(entry.part in (fold_of[name], "quarantine") for name, entry in split.cases.items())
    assert "4 folds" in divided(doubled, folds=4, published=official).rule


def test_an_odd_file_name_has_to_be_mended_before_a_split(doubled: Path) -> None:
    (doubled / "cases.csv").unlink()
    for folder in ("images", "masks"):
        (doubled / folder / "c1.png").rename(doubled / folder / "c?1.png")
    with pytest.raises(WrongDataError, match=r"1 of 15 cases cannot be read: case id 'c\?1' .* rename it with letters"):
        divided(doubled)


def test_the_same_folder_and_seed_give_the_same_split(doubled: Path) -> None:
    assert divided(doubled, seed=3).hash == divided(doubled, seed=3).hash
    assert Counter(entry.part for entry in divided(doubled).cases.values())["training"] >= 6
