"""The split file: parts, folds, its hash, and what is refused."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_tumor.cases import Case
from monai_tumor.duplicates.clusters import join_groups
from monai_tumor.errors import ToolkitError, WrongCallError, WrongDataError
from monai_tumor.splits.split import (
    QUARANTINE,
    Split,
    SplitEntry,
    check_split,
    data_fingerprint,
    make_folds,
    make_split,
    published_split,
    read_split,
    write_split,
)

Entries = dict[str, SplitEntry]


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


def entries_of(cases: list[Case], joined: Mapping[str, str] | None = None, aside: tuple[str, ...] = ()) -> Entries:
    digests, lesions, cluster_of = digests_of(cases), lesions_of(cases), joined or {}
    return {
        case.id: SplitEntry(
            group=case.group,
            cluster=cluster_of.get(case.group, case.group),
            part=QUARANTINE if case.id in aside else "training",
            label=case.label,
            lesion=lesions[case.id],
            digest=digests[case.id],
            pixels=f"pixels of {case.id}",
            hash="",
            reason="contradicts another" if case.id in aside else "",
        )
        for case in cases
    }


def parted(cases: list[Case], seed: int = 0, **known: Any) -> Split:
    return make_split("phantom", entries_of(cases, **known), seed)


def folded(cases: list[Case], count: int = 5, **known: Any) -> Split:
    return make_folds("phantom", entries_of(cases, **known), 0, count)


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
    assert not split.clusters("training") & (split.clusters("validation") | split.clusters("test"))
    assert not split.clusters("validation") & split.clusters("test")


@given(st.integers(3, 6), st.integers(6, 15))
@settings(max_examples=30, deadline=None)
def test_every_case_is_tested_and_validated_in_one_fold_each(count: int, groups: int) -> None:
    cases = patients(groups)
    split = folded(cases, count)
    for part in ("test", "validation"):
        assert sorted(name for fold in range(count) for name in split.ids(part, fold)) == sorted(c.id for c in cases)
    assert all(not split.clusters("training", fold) & split.clusters("test", fold) for fold in range(count))


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
    entry = SplitEntry("p1", "p1 +1", "test", "böse", None, "d1", "e1", "")
    split = Split("busi", 7, "by hand", data_fingerprint({"c1": "d1"}), {"c1": entry})
    assert split.hash == "b7dccae0d52e2e89034c03e48cd191c9979a3c65d8f7a3a876b972c23c369803"


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
        ("[]", "has version None, expected 2"),
        ('{"version": 99}', "has version 99, expected 2"),
        ('{"version": 2}', "the key 'cases' is missing"),
        ('{"version": 2, "cases": []}', "another type"),
        ('{"version": 2, "cases": {"a": {"group": "g"}}}', "the key 'fold' is missing"),
        ('{"version": 2, "cases": {"a": {"fold": true}}}', "has the part True"),
        (
            '{"version": 2, "cases": {}, "dataset": "d", "seed": 0, "rule": "", "fingerprint": "", "dropped": {}}',
            "has no cases",
        ),
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
    cases = {
        f"c{index}": SplitEntry(f"g{index}", f"g{index}", part, None, None, "d", "p", "")
        for index, part in enumerate(parts)
    }
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
        make_split("phantom", entries_of(patients(6)), 0, {"training": 0.5, "holdout": 0.5})


@given(st.integers(6, 20), st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=8), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_no_split_divides_a_group_or_a_cluster(count: int, links: list[tuple[int, int]], seed: int) -> None:
    groups = [f"p{number}" for number in range(count)]
    joined = join_groups(groups, [(f"p{one % count}", f"p{other % count}") for one, other in links])
    if len(set(joined.values())) < 3:
        return
    for split in (parted(patients(count), seed, joined=joined), folded(patients(count), 3, joined=joined)):
        for owners in (joined.get, lambda group: group):
            parts: dict[str | None, set[str | int]] = {}
            for entry in split.cases.values():
                parts.setdefault(owners(entry.group), set()).add(entry.part)
            assert all(len(found) == 1 for found in parts.values())


def test_quarantine_is_no_part_of_training_validation_or_test(tmp_path: Path) -> None:
    for split in (parted(patients(6), aside=("p0/0", "p3/1")), folded(patients(6), 3, aside=("p0/0", "p3/1"))):
        fold = 0 if split.folds else None
        assert split.ids("quarantine", fold) == ["p0/0", "p3/1"]
        assert not {"p0/0", "p3/1"} & {
            name for part in ("training", "validation", "test") for name in split.ids(part, fold)
        }
        assert split.cases["p0/0"].reason == "contradicts another"
        write_split(tmp_path / f"{split.folds}.json", split)
        assert read_split(tmp_path / f"{split.folds}.json") == split


def test_dropped_cases_are_named_and_belong_to_the_data(tmp_path: Path) -> None:
    cases = patients(6)
    split = make_split("phantom", entries_of(cases[2:]), 0, dropped={"p0/0": "why", "p0/1": "why"})
    check_split(split, cases)
    write_split(tmp_path / "split.json", split)
    assert read_split(tmp_path / "split.json").dropped == {"p0/0": "why", "p0/1": "why"}


def test_published_folds_are_taken_as_they_are() -> None:
    cases = patients(6)
    split = published_split(
        "bus_bra", entries_of(cases), {case.id: int(case.group[1:]) % 3 for case in cases}, "5-fold-cv.csv"
    )
    assert split.folds == 3 and split.ids("test", fold=1) == ["p1/0", "p1/1", "p4/0", "p4/1"]
    assert split.rule == "published folds: 5-fold-cv.csv"


def test_published_folds_that_divide_a_cluster_or_lack_a_case_are_refused() -> None:
    cases, joined = patients(6), {"p0": "p0 +1", "p1": "p0 +1"}
    with pytest.raises(WrongDataError, match=r"cluster 'p0 \+1' is in two parts"):
        published_split(
            "bus_bra", entries_of(cases, joined), {case.id: int(case.group[1:]) % 3 for case in cases}, "f.csv"
        )
    with pytest.raises(WrongDataError, match=r"f\.csv has no fold for 2 cases \(p5/0, p5/1\)"):
        published_split("bus_bra", entries_of(cases), {case.id: 0 for case in cases[:10]}, "f.csv")


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
