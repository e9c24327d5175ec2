"""No mask comes from a network that saw the group of its image, nor that of a tested one."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tumor_mask_classifier.crossfit import leaks, mask_pairs, pair_for, pair_split, pairs, seen_groups

from monai_tumor.splits.split import Split, SplitEntry


def folds_of(count: int, groups: int) -> Split:
    """Return folds of images of two a group, of three labels in turn."""
    entry = SplitEntry("g", "c", 0, "benign", True, "d", "p", "")
    cases = {
        f"case {group}-{image}": replace(
            entry,
            group=f"g{group}",
            cluster=f"c{group}",
            part=group % count,
            label=("benign", "malignant", "normal")[group % 3],
            lesion=group % 3 != 2,
        )
        for group in range(groups)
        for image in range(2)
    }
    return Split("busi", 0, "by cluster", "f" * 64, cases)


def test_five_folds_need_ten_networks() -> None:
    assert len(pairs(5)) == 10 and pairs(4) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]


def test_a_training_image_gets_its_mask_without_its_fold_and_the_tested_one() -> None:
    assert pair_for(3, tested=1, folds=5) == (1, 3)
    assert pair_for(1, tested=1, folds=5) == (1, 2)
    assert pair_for(4, tested=4, folds=5) == (0, 4)


@settings(deadline=None, max_examples=25)
@given(st.integers(4, 6), st.integers(20, 45), st.data())
def test_no_mask_leaks(count: int, groups: int, data: st.DataObject) -> None:
    split = folds_of(count, groups)
    tested = data.draw(st.integers(0, count - 1))
    networks = {pair: pair_split(split, pair) for pair in pairs(count)}
    chosen = mask_pairs(split, tested)
    assert chosen.keys() == split.cases.keys()
    assert leaks(split, chosen, networks, split.ids("test", tested)) == []
    for pair, parts in networks.items():
        assert {split.cases[name].part for name in parts.ids("test")} == set(pair)
        assert parts.ids("validation") and len(parts.ids("training")) > len(parts.ids("validation"))


def test_a_leak_is_found() -> None:
    split = folds_of(5, 25)
    networks = {pair: pair_split(split, pair) for pair in pairs(5)}
    chosen = mask_pairs(split, 0)
    wrong = {**chosen, "case 1-0": (2, 3)}  # fold 1 trained this network, and so did the tested fold 0
    assert leaks(split, wrong, networks, split.ids("test", 0)) == ["case 1-0"]
    assert {"g1", "c1", "g0"} <= seen_groups(networks[2, 3])


def test_cases_in_quarantine_take_no_part() -> None:
    split = folds_of(5, 25)
    aside = replace(
        split, cases={**split.cases, "odd": replace(split.cases["case 0-0"], part="quarantine", cluster="x", group="x")}
    )
    assert "odd" not in mask_pairs(aside, 0) and pair_split(aside, (0, 1)).ids("quarantine") == ["odd"]


def test_a_network_of_a_pair_has_lesions_of_every_label_to_learn_from() -> None:
    parts = pair_split(folds_of(5, 30), (0, 1))
    assert {parts.cases[name].label for name in parts.ids("training")} == {"benign", "malignant", "normal"}
