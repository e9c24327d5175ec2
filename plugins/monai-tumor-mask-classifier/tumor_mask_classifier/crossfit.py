"""Which stage-one network may draw the mask of which case: never one that saw its group.

A classifier that is tested on fold k is trained on the other folds. For its training images in fold j the mask comes from the
network that was trained without folds j and k; for its test images from the one without k and k + 1. One network for each
pair of folds is enough for all of it. Its own validation cases are drawn from the folds that it may see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from monai_tumor.splits.split import Split, SplitEntry
from monai_tumor.splits.stratified import split_groups

Pair = tuple[int, int]

_SHARES = {"training": 0.85, "validation": 0.15}


def pairs(folds: int) -> list[Pair]:
    """Return all pairs of folds, the smaller number first."""
    return list(combinations(range(folds), 2))


def pair_for(fold: int, tested: int, folds: int) -> Pair:
    """Return the pair whose network draws the masks of a fold's cases.

    Args:
        fold: The fold of the case.
        tested: The fold that the classifier is tested on.
        folds: How many folds there are.
    """
    other = (tested + 1) % folds if fold == tested else tested
    return min(fold, other), max(fold, other)


def pair_split(split: Split, pair: Pair) -> Split:
    """Return parts for the network of a pair: both folds are the test part; the others train and validate, by cluster."""
    rest = {
        name: entry for name, entry in split.cases.items() if isinstance(entry.part, int) and entry.part not in pair
    }
    names = list(rest)
    strata = [f"{rest[name].label}/{rest[name].lesion}" for name in names]
    parts = split_groups([rest[name].cluster for name in names], strata, _SHARES, split.seed)
    placed = dict(zip(names, parts, strict=True))
    entries = {name: replace(entry, part=_part(entry, pair, placed.get(name))) for name, entry in split.cases.items()}
    return replace(split, cases=entries, rule=f"{split.rule}; folds {pair[0]} and {pair[1]} are the test part")


def mask_pairs(split: Split, tested: int) -> dict[str, Pair]:
    """Return case id to the pair whose network draws its mask, for the classifier that is tested on one fold."""
    folds = split.folds
    return {
        name: pair_for(entry.part, tested, folds) for name, entry in split.cases.items() if isinstance(entry.part, int)
    }


def seen_groups(split: Split) -> set[str]:
    """Return the groups and clusters that a network trained or was chosen on, from its split into parts."""
    seen = [entry for entry in split.cases.values() if entry.part in ("training", "validation")]
    return {owner for entry in seen for owner in (entry.group, entry.cluster)}


def leaks(split: Split, chosen: Mapping[str, Pair], networks: Mapping[Pair, Split], tested: Sequence[str]) -> list[str]:
    """Return the cases whose mask comes from a network that saw their own group, or the group of a tested case.

    Args:
        split: The folds.
        chosen: Case id to pair, from ``mask_pairs``.
        networks: The split that the network of each pair was trained with.
        tested: The cases that the classifier is tested on.
    """
    held = {owner for name in tested for owner in (split.cases[name].group, split.cases[name].cluster)}
    found = []
    for name, pair in chosen.items():
        seen, entry = seen_groups(networks[pair]), split.cases[name]
        if {entry.group, entry.cluster} & seen or held & seen:
            found.append(name)
    return found


def _part(entry: SplitEntry, pair: Pair, placed: str | None) -> str | int:
    if placed is not None:
        return placed
    return "test" if entry.part in pair else entry.part
