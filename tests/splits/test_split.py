"""The split file: parts, folds, its hash, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_tumor.cases import Case
from monai_tumor.errors import ToolkitError, WrongCallError, WrongDataError
from monai_tumor.splits.split import (
    Split,
    SplitEntry,
    check_split,
    data_fingerprint,
    make_folds,
    make_split,
    read_split,
    write_split,
)


def patients(count: int, slices: int = 2) -> list[Case]:
    return [
        Case(
            f"p{patient}/{index}",
            f"p{patient}",
            f"p{patient}_{index}.png",
            (),
            "benign" if patient % 3 else "malignant",
        )
        for patient in range(count)
        for index in range(slices)
    ]


def digests_of(cases: list[Case]) -> dict[str, str]:
    return {case.id: f"digest of {case.id}" for case in cases}


def lesions_of(cases: list[Case]) -> dict[str, bool | None]:
    return {case.id: case.id.endswith("1") for case in cases}


def parted(cases: list[Case], seed: int = 0) -> Split:
    return make_split("phantom", cases, digests_of(cases), lesions_of(cases), seed)


def folded(cases: list[Case], count: int = 5) -> Split:
    return make_folds("phantom", cases, digests_of(cases), lesions_of(cases), 0, count)


def rewritten(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return path


@given(st.integers(3, 25), st.integers(1, 3), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_parts_hold_every_case_once_and_share_no_group(count: int, slices: int, seed: int) -> None:
    cases = patients(count, slices)
    split = parted(cases, seed)
    ids = [name for part in ("training", "validation", "test") for name in split.ids(part)]
    assert sorted(ids) == sorted(case.id for case in cases)
    assert not split.groups("training") & (split.groups("validation") | split.groups("test"))
    assert not split.groups("validation") & split.groups("test")


@given(st.integers(3, 6), st.integers(6, 15))
@settings(max_examples=30, deadline=None)
def test_every_case_is_tested_and_validated_in_one_fold_each(count: int, groups: int) -> None:
    cases = patients(groups)
    split = folded(cases, count)
    for part in ("test", "validation"):
        assert sorted(name for fold in range(count) for name in split.ids(part, fold)) == sorted(c.id for c in cases)
    assert all(not split.groups("training", fold) & split.groups("test", fold) for fold in range(count))


def test_the_next_fold_validates_and_the_first_follows_the_last() -> None:
    split = folded(patients(10), count=5)
    assert split.folds == 5
    assert split.ids("validation", fold=1) == split.ids("test", fold=2)
    assert split.ids("validation", fold=4) == split.ids("test", fold=0)


def test_ids_come_in_natural_order() -> None:
    ids = parted(patients(30)).ids("training")
    assert ids == sorted(ids, key=lambda name: [int(number) for number in name[1:].split("/")])
    assert ids != sorted(ids)


def test_a_file_read_back_equals_what_was_written(tmp_path: Path) -> None:
    for name, split in (("parts.json", parted(patients(6))), ("folds.json", folded(patients(6), 3))):
        write_split(tmp_path / name, split)
        assert read_split(tmp_path / name) == split
        assert json.loads((tmp_path / name).read_text())["hash"] == split.hash


def test_the_hash_depends_on_the_content_only() -> None:
    cases = patients(9)
    split = parted(cases)
    assert parted(cases[::-1]).hash == split.hash
    assert replace(split, seed=1).hash != split.hash
    assert replace(split, cases=dict(reversed(list(split.cases.items())))).hash == split.hash


def test_the_hash_is_pinned() -> None:
    entry = SplitEntry("p1", "test", "böse", None, "d1")
    split = Split("busi", 7, "by hand", data_fingerprint({"c1": "d1"}), {"c1": entry})
    assert split.hash == "c7f600771ae10d918e4f9903760d5d3aa77c4ebb4b11f73d851a0c4dcd4f7bf1"


def test_a_split_is_not_overwritten_unasked(tmp_path: Path) -> None:
    write_split(tmp_path / "split.json", parted(patients(6)))
    with pytest.raises(ToolkitError, match="exists already"):
        write_split(tmp_path / "split.json", parted(patients(9)))
    write_split(tmp_path / "split.json", parted(patients(9)), overwrite=True)
    assert len(read_split(tmp_path / "split.json").cases) == 18


def test_strata_keep_labels_and_lesions_alike() -> None:
    split = parted(patients(60, slices=1))
    malignant = [
        sum(split.cases[name].label == "malignant" for name in split.ids(part)) for part in ("training", "test")
    ]
    assert malignant == [14, 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "has version None, expected 1"),
        ('{"version": 99}', "has version 99, expected 1"),
        ('{"version": 1}', "the key 'cases' is missing"),
        ('{"version": 1, "cases": []}', "another type"),
        ('{"version": 1, "cases": {"a": {"group": "g"}}}', "the key 'fold' is missing"),
        ('{"version": 1, "cases": {"a": {"fold": true}}}', "has the part True"),
        ('{"version": 1, "cases": {}, "dataset": "d", "seed": 0, "rule": "", "fingerprint": ""}', "has no cases"),
    ],
)
def test_a_file_that_is_no_split_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "split.json"
    path.write_text(content)
    with pytest.raises(WrongDataError, match=message) as caught:
        read_split(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_binary_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(WrongDataError, match=r"none\.json cannot be read \(No such file"):
        read_split(tmp_path / "none.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WrongDataError, match=r"binary\.json is not JSON"):
        read_split(tmp_path / "binary.json")


def test_a_file_changed_by_hand_is_refused(tmp_path: Path) -> None:
    write_split(tmp_path / "split.json", parted(patients(6)))
    with pytest.raises(WrongDataError, match="was changed by hand"):
        read_split(rewritten(tmp_path / "split.json", seed=5))


def test_a_group_in_two_parts_is_refused(tmp_path: Path) -> None:
    split = parted(patients(6))
    write_split(tmp_path / "split.json", split)
    cases = json.loads((tmp_path / "split.json").read_text())["cases"]
    name = split.ids("training")[0]
    cases[name]["part"] = "test"
    with pytest.raises(WrongDataError, match=f"group '{cases[name]['group']}' is in two parts"):
        read_split(rewritten(tmp_path / "split.json", cases=cases))


@pytest.mark.parametrize("parts", [("training", 0), (0, 2, 3), (0, 1), ("train", "test")])
def test_parts_are_all_names_or_all_folds(parts: tuple[Any, ...]) -> None:
    cases = {f"c{index}": SplitEntry(f"g{index}", part, None, None, "d") for index, part in enumerate(parts)}
    with pytest.raises(WrongDataError, match=r"expected training, validation, test, or folds 0, 1, 2 \.\.\."):
        Split("folder", 0, "by hand", "f", cases)


def test_wrong_parts_and_folds_are_named() -> None:
    with pytest.raises(WrongCallError, match="did you mean 'training'"):
        parted(patients(6)).ids("train")
    with pytest.raises(WrongCallError, match="fold 1 was asked for, but this split has no folds"):
        parted(patients(6)).ids("test", fold=1)
    for fold in (None, -1, 3):
        with pytest.raises(WrongCallError, match=f"fold {fold} is not in this split; give a fold from 0 to 2"):
            folded(patients(6), 3).ids("test", fold)


def test_two_folds_leave_none_to_train_on() -> None:
    with pytest.raises(WrongCallError, match="2 folds leave none to train on"):
        folded(patients(6), 2)


def test_other_part_names_are_refused() -> None:
    with pytest.raises(WrongCallError, match="unknown part 'holdout'"):
        make_split("phantom", patients(6), {}, {}, 0, {"training": 0.5, "holdout": 0.5})


def test_equal_ids_are_refused() -> None:
    cases = [*patients(5, 1), replace(patients(1, 1)[0], group="another")]
    with pytest.raises(WrongDataError, match="two cases have the id 'p0/0'"):
        parted(cases)


def test_a_split_fits_the_data_that_it_was_made_for() -> None:
    cases = patients(6)
    check_split(parted(cases), cases)
    check_split(parted(cases), cases[::-1], digests_of(cases))


def test_other_data_are_told_by_counts_and_first_names() -> None:
    cases = patients(6)
    now = [replace(cases[0], group="p99"), *cases[5:], Case("x10", "x", "x.png", None), Case("x9", "x", "x.png", None)]
    with pytest.raises(WrongDataError) as caught:
        check_split(parted(cases), now)
    assert "4 missing (p0/1, p1/0, p1/1, ...), 2 new (x9, x10), 1 changed (p0/0)" in str(caught.value)


def test_changed_pixels_are_noticed() -> None:
    cases = patients(6)
    with pytest.raises(WrongDataError, match=r"cases 1 changed \(p2/0\)"):
        check_split(parted(cases), cases, {**digests_of(cases), "p2/0": "other pixels"})


def test_the_fingerprint_follows_ids_and_content_not_order() -> None:
    assert data_fingerprint({"a": "1", "b": "2"}) == data_fingerprint({"b": "2", "a": "1"})
    assert len({data_fingerprint(d) for d in ({"a": "1", "b": "2"}, {"a": "2", "b": "1"}, {"a": "1"})}) == 3
