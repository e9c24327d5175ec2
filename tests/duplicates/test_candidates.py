"""Which pairs are worth looking at: by hash, by landmarks, and by both; no pair within the distance is missed."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.duplicates import candidates
from monai_tumor.duplicates.candidates import candidate_pairs, hash_pairs, landmark_pairs
from monai_tumor.duplicates.fingerprint import HASH_BITS, Fingerprint, fingerprint

Picture = NDArray[np.uint8]
NO_DESCRIPTOR = np.zeros((0, 32), np.uint8)


def random_hashes(count: int, random: np.random.Generator) -> NDArray[np.uint64]:
    return random.integers(0, 2**64, (count, 4), dtype=np.uint64)


def with_bits_flipped(codes: NDArray[np.uint8], count: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return copies of (k, 32) uint8 codes that differ in exactly ``count`` of 256 bits each."""
    flips = np.zeros((len(codes), HASH_BITS), np.uint8)
    for row in flips:
        row[random.choice(HASH_BITS, count, replace=False)] = 1
    return codes ^ np.packbits(flips, axis=1)


def by_brute_force(hashes: NDArray[np.uint64], distance: int) -> list[tuple[int, int]]:
    """Count the differing bits of each pair in Python's own integers."""
    numbers = [int.from_bytes(one.tobytes()) for one in hashes]
    return [
        (row, column)
        for row in range(len(numbers))
        for column in range(row + 1, len(numbers))
        if (numbers[row] ^ numbers[column]).bit_count() <= distance
    ]


def as_tuples(pairs: NDArray[np.int64]) -> list[tuple[int, int]]:
    return [(int(first), int(second)) for first, second in pairs]


def met(descriptors: list[NDArray[np.uint8]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all that ``landmark_pairs`` yields."""
    none = (np.zeros((0, 2), np.int64), np.zeros(0, np.int64))
    parts = [none, *landmark_pairs(descriptors)]
    return np.concatenate([pairs for pairs, _ in parts]), np.concatenate([shared for _, shared in parts])


def connected(count: int, pairs: list[tuple[int, int]]) -> bool:
    reached, border = {0}, [0]
    while border:
        here = border.pop()
        new = {other for pair in pairs if here in pair for other in pair} - reached
        reached |= new
        border += new
    return len(reached) == count


@given(st.integers(0, 99), st.integers(2, 30), st.integers(0, 60), st.sampled_from([1, 7, 16, 4096]))
@settings(max_examples=60, deadline=None)
def test_no_pair_within_the_distance_is_missed_whatever_the_block(seed: int, count: int, bits: int, block: int) -> None:
    random = np.random.default_rng(seed)
    hashes = random_hashes(count, random)
    planted = with_bits_flipped(hashes[: count // 2 + 1].view(np.uint8), bits, random).view(np.uint64)
    hashes = random.permutation(np.concatenate([hashes, planted]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "_BLOCK", block)
        found = {
            distance: as_tuples(hash_pairs(hashes, distance)) for distance in (bits - 1, bits, 60) if distance >= 0
        }
    assert all(pairs == by_brute_force(hashes, distance) for distance, pairs in found.items())
    assert len(found[bits]) >= len(planted) and found.get(bits - 1, []) == []


def test_neighbours_at_every_distance_are_found_at_that_distance_and_not_below() -> None:
    random = np.random.default_rng(0)
    for bits in range(0, HASH_BITS + 1, 15):
        one = random_hashes(1, random)
        two = np.concatenate([one, with_bits_flipped(one.view(np.uint8), bits, random).view(np.uint64)])
        assert as_tuples(hash_pairs(two, bits)) == [(0, 1)]
        assert bits == 0 or hash_pairs(two, bits - 1).shape == (0, 2)


def test_one_hash_has_no_pair() -> None:
    found = hash_pairs(random_hashes(1, np.random.default_rng(0)), HASH_BITS)
    assert found.shape == (0, 2) and found.dtype == np.int64


def test_descriptors_in_common_are_counted_once_in_each_table() -> None:
    random = np.random.default_rng(1)
    several = random.integers(0, 256, (6, 32), dtype=np.uint8)
    twice = np.concatenate([several[:2], several[:2]])
    pairs, shared = met([several[3:], several, NO_DESCRIPTOR, twice])
    assert as_tuples(pairs) == [(0, 1), (1, 3)]
    assert shared.tolist() == [3 * candidates._TABLES, 2 * candidates._TABLES]


def test_descriptors_may_differ_in_a_few_bits() -> None:
    random = np.random.default_rng(2)
    first = random.integers(0, 256, (200, 32), dtype=np.uint8)
    second = random.integers(0, 256, (200, 32), dtype=np.uint8)
    second[50:80] = with_bits_flipped(first[:30], 10, random)
    pairs, shared = met([first, second])
    expected = 30 * candidates._TABLES * (1 - 48 / 256) ** 10
    assert as_tuples(pairs) == [(0, 1)] and shared[0] == pytest.approx(expected, rel=0.6)


@pytest.mark.parametrize("prints", [[], [NO_DESCRIPTOR] * 3, [np.ones((5, 32), np.uint8), NO_DESCRIPTOR]])
def test_pictures_without_landmarks_meet_nobody(prints: list[NDArray[np.uint8]]) -> None:
    pairs, shared = met(prints)
    assert pairs.shape == (0, 2) and shared.shape == (0,)


@pytest.mark.parametrize("copies", [2, 20, 21, 60])
def test_many_copies_stay_connected_and_their_pairs_few(copies: int) -> None:
    random = np.random.default_rng(3)
    one = random.integers(0, 256, (100, 32), dtype=np.uint8)
    strangers = [random.integers(0, 256, (100, 32), dtype=np.uint8) for _ in range(copies)]
    mixed = [item for stranger in strangers for item in (one, stranger)]  # copies at even positions
    pairs, shared = met(mixed)
    among_copies = as_tuples(pairs[(pairs % 2 == 0).all(axis=1)] // 2)
    assert connected(copies, among_copies) and len(among_copies) == len(pairs) and shared.min() >= 300
    assert len(pairs) == (copies * (copies - 1) // 2 if copies <= 20 else copies - 1)


def test_copies_that_each_lost_other_landmarks_stay_connected() -> None:
    random = np.random.default_rng(4)
    one = random.integers(0, 256, (100, 32), dtype=np.uint8)
    pairs, shared = met([one[random.random(100) < 0.5] for _ in range(50)])
    assert connected(50, as_tuples(pairs[shared >= candidates._LEAST_SHARED]))


def test_the_pairs_do_not_depend_on_how_many_pictures_are_taken_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(6)
    pool = random.integers(0, 256, (60, 32), dtype=np.uint8)
    descriptors = [pool[random.integers(0, 60, random.integers(0, 9))] for _ in range(23)]
    pairs, shared = met(descriptors)
    assert len(pairs) > 50 and (pairs[:, 0] < pairs[:, 1]).all()
    assert np.array_equal(pairs, np.unique(pairs, axis=0)) and shared.min() >= candidates._TABLES
    for block in (1, 7, 22):
        monkeypatch.setattr(candidates, "_BLOCK", block)
        assert all(np.array_equal(one, other) for one, other in zip(met(descriptors), (pairs, shared), strict=True))


# Pictures


@pytest.fixture(scope="module")
def frames() -> list[Picture]:
    dataset = PhantomDataset(count=6, style="us", size=(256, 340))
    return [dataset.load(case)[0] for case in dataset.cases()]


def cut(frame: Picture) -> Picture:
    return frame[30:, :260]


def half(frame: Picture) -> Picture:
    return frame[:, 170:]


def brighter(frame: Picture) -> Picture:
    return np.clip(frame * 1.3 + 20, 0, 255).astype(np.uint8)


def smaller(frame: Picture) -> Picture:
    return np.asarray(cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def measured(frame: Picture) -> Picture:
    """Draw callipers and a caption."""
    drawn = frame.copy()
    for end in [(90, 80), (210, 150)]:
        cv2.drawMarker(drawn, end, 255, cv2.MARKER_CROSS, 15)
    cv2.putText(drawn, "LT UOQ", (15, 230), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2)
    return drawn


@pytest.mark.parametrize("change", [cut, half, brighter, smaller, measured])
def test_what_an_export_does_is_seen_through(frames: list[Picture], change: Callable[[Picture], Picture]) -> None:
    prints = [fingerprint(picture) for picture in [*frames, *map(change, frames)]]
    assert as_tuples(candidate_pairs(prints)) == [(number, number + 6) for number in range(6)]


@pytest.mark.parametrize("change", [cut, half, brighter, measured])
def test_landmarks_alone_find_copies_of_the_same_scale(
    frames: list[Picture], change: Callable[[Picture], Picture]
) -> None:
    pairs, shared = met([fingerprint(picture).descriptors for picture in [*frames, *map(change, frames)]])
    sure = pairs[shared >= candidates._LEAST_SHARED]
    assert as_tuples(sure) == [(number, number + 6) for number in range(6)]


def test_strangers_share_hardly_a_landmark() -> None:
    dataset = PhantomDataset(count=80, style="us")
    _, shared = met([fingerprint(dataset.load(case)[0]).descriptors for case in dataset.cases()])
    assert (shared < candidates._LEAST_SHARED).all()


def test_one_caption_on_all_pictures_pairs_only_neighbours_in_the_list() -> None:
    dataset = PhantomDataset(count=40, style="us", size=(128, 180))
    prints = [fingerprint(captioned(dataset.load(case)[0])).descriptors for case in dataset.cases()]
    pairs, _ = met(prints)
    assert len(pairs) < 10 * 40 < 40 * 39 / 2


def captioned(frame: Picture) -> Picture:
    wide = np.zeros((200, frame.shape[1] + 60), np.uint8)
    wide[: frame.shape[0], : frame.shape[1]] = frame
    cv2.putText(wide, "RIGHT BREAST", (10, 185), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2)
    return wide


def test_smooth_pictures_without_landmarks_meet_by_hash(frames: list[Picture]) -> None:
    smooth = [cv2.GaussianBlur(frame, (0, 0), 9) for frame in frames]
    prints = [fingerprint(picture) for picture in [*smooth, *map(brighter, smooth)]]
    assert max(len(item.descriptors) for item in prints) < candidates._LEAST_SHARED
    assert as_tuples(candidate_pairs(prints)) == [(number, number + 6) for number in range(6)]


def test_blank_pictures_are_never_paired(frames: list[Picture]) -> None:
    blank = np.full((50, 70), 9, np.uint8)
    prints = [fingerprint(picture) for picture in (blank, frames[0], blank, blank + 1, frames[0])]
    assert as_tuples(candidate_pairs(prints)) == [(1, 4)]


def seen_as(words: list[int], descriptors: NDArray[np.uint8]) -> Fingerprint:
    return Fingerprint("", np.array(words, np.uint64), descriptors, blank=False)


def meeting_in(tables: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return two single descriptors that share so many keys."""
    random = np.random.default_rng(5)
    one = random.integers(0, 256, (1, 32), dtype=np.uint8)
    while True:
        other = with_bits_flipped(one, candidates._TABLES - tables, random)
        if met([one, other])[1].sum() == tables:
            return one, other


@pytest.mark.parametrize(
    ("bits", "shared", "candidate"),
    [(32, 0, True), (33, 0, False), (72, 1, True), (73, 1, False), (73, 2, False), (73, 3, True), (256, 3, True)],
)
def test_hash_and_landmarks_decide_together(bits: int, shared: int, candidate: bool) -> None:
    words = [(1 << min(64, max(0, bits - start))) - 1 for start in (0, 64, 128, 192)]
    one, other = meeting_in(shared)
    pairs = candidate_pairs([seen_as([0] * 4, one), seen_as(words, other)])
    assert as_tuples(pairs) == ([(0, 1)] if candidate else [])
