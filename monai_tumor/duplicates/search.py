"""The search: fingerprints of all pictures in, pairs that show the same frame out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.duplicates.candidates import candidate_pairs
from monai_tumor.duplicates.fingerprint import Fingerprint, hash_distance
from monai_tumor.duplicates.same_frame import SameFrame, View, same_frame, view

Watch = Callable[[Iterable[Any], str, int], Iterable[Any]]
"""Passes items on as they come and may show how far it is; it is told what is done, and how many items there will be."""

_VIEWS_KEPT = 256
_COMPARED = 10
_NO_PAIRS = np.zeros((0, 2), np.int64)
_IDENTICAL = SameFrame(np.array([[1.0, 0, 0], [0, 1, 0]]), 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Two pictures that show the same frame.

    Attributes:
        first: Position of the one in the list that was searched.
        second: Position of the other, larger than ``first``.
        same: How the first lies on the second.
        identical: Whether their pixels are equal.
        bits: How many of 256 bits their perceptual hashes differ in.
    """

    first: int
    second: int
    same: SameFrame
    identical: bool
    bits: int


def unwatched(items: Iterable[Any], what: str, total: int) -> Iterable[Any]:
    """Pass items on and show nothing."""
    return items


def find_duplicates(
    prints: Sequence[Fingerprint],
    load: Callable[[int], NDArray[Any]],
    groups: Sequence[str],
    watch: Watch = unwatched,
) -> list[Duplicate]:
    """Find the pictures that show the same frame, other than blank ones.

    Args:
        prints: Fingerprint of every picture.
        load: Gives the picture at a position, (rows, columns) or (rows, columns, 3); called from several threads.
        groups: Group of every picture. Within a group only equal pixels are told: neighbouring slices of one patient are
            alike in any case, and a group is never divided.
        watch: Shows the progress.

    Returns:
        The pairs, pixel-identical ones first, then by agreement.
    """
    copies = _copies(prints)
    singles = sorted(set(range(len(prints))) - {copy for first, *rest in copies for copy in rest})
    near = _NO_PAIRS
    if singles:
        worth_it = candidate_pairs(
            [prints[position] for position in singles], [groups[position] for position in singles]
        )
        near = np.array(singles)[worth_it]
    equal = [pair for members in copies for pair in _some_pairs(members)]
    pairs = [*((pair, True) for pair in equal), *((pair, False) for pair in map(tuple, near.tolist()))]

    @lru_cache(_VIEWS_KEPT)
    def viewed(position: int) -> View:
        return view(load(position))

    def prove(pair: tuple[int, int], identical: bool) -> Duplicate | None:
        one, other = pair
        same = _IDENTICAL if identical else same_frame(viewed(one), viewed(other))
        bits = int(hash_distance(prints[one].hash, prints[other].hash))
        return None if same is None else Duplicate(one, other, same, identical, bits)

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # OpenCV releases the interpreter lock
        proofs = pool.map(lambda item: prove(*item), pairs)
        proved = list(watch(proofs, "comparing", len(pairs)))
    found = [item for item in proved if item is not None]
    return sorted(found, key=lambda item: (not item.identical, -item.same.agreement, item.first, item.second))


def _copies(prints: Sequence[Fingerprint]) -> list[list[int]]:
    """Return the positions of pictures with equal pixels that are not blank, by twos and more."""
    seen: dict[str, list[int]] = {}
    for position, item in enumerate(prints):
        if not item.blank:
            seen.setdefault(item.digest, []).append(position)
    return [positions for positions in seen.values() if len(positions) > 1]


def _some_pairs(members: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield each member with the first few: all pairs of a thousand copies would be half a million that say one thing."""
    for place, member in enumerate(members):
        for first in members[: min(place, _COMPARED)]:
            yield first, member
