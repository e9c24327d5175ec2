"""Pairs of pictures that may show the same frame, out of very many, without looking at a picture again.

Two ways, because each is blind where the other sees. A perceptual hash of the whole picture finds copies with other
grey levels, marks or size, also where there is little texture; a crop of half a picture shares nothing with its hash.
Landmarks find crops and other exports, wherever texture (such as speckle) is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from monai_tumor.duplicates.fingerprint import HASH_BITS, Fingerprint, hash_distance

Pairs = NDArray[np.int64]

_BLOCK = 4096

# On breast ultrasound with 70 known pairs, other exports of one frame share at least 4 keys and 34 000 pairs of strangers
# at most 2. A key is 48 of a descriptor's 256 bits, so a landmark may differ a little and still meet in one of four tables.
_TABLES = 4
_KEY_BYTES = 6
_CROWD = 20
_NEAREST = 20

_LEAST_SHARED = 3
_FAR_BITS = 72  # pairs of one frame lie at up to 60 of 256 bits, strangers mostly above 70
_NEAR_BITS = 32  # so near that a picture with hardly any landmark is looked at as well


def candidate_pairs(prints: Sequence[Fingerprint], groups: Sequence[str] | None = None) -> Pairs:
    """Return the pairs worth looking at: several landmarks in common, or like hashes, and neither of them blank.

    Where hashes are alike and landmarks are not, nothing could be proved: the black rim of head scans alone makes the
    hashes of strangers alike.

    Args:
        prints: Fingerprint of every picture.
        groups: Group of every picture; pairs within a group are left out, so that many like slices of one patient take
            no place from a copy of another.

    Returns:
        (k, 2) int64, the smaller position first, sorted.
    """
    hashes = np.stack([item.hash for item in prints])
    found = [hash_pairs(hashes, _NEAR_BITS)]
    for pairs, shared in landmark_pairs([item.descriptors for item in prints]):
        distances = hash_distance(*hashes[pairs.T])
        found.append(pairs[(shared >= _LEAST_SHARED) | (distances <= _FAR_BITS)])
    pairs = np.unique(np.concatenate(found), axis=0)
    shown = np.array([not item.blank for item in prints])
    pairs = pairs[shown[pairs].all(axis=1)]
    if groups is not None:
        owners = np.array(groups)
        pairs = pairs[owners[pairs[:, 0]] != owners[pairs[:, 1]]]
    return _nearest(pairs, hash_distance(*hashes[pairs.T]))


def hash_pairs(hashes: NDArray[np.uint64], distance: int) -> Pairs:
    """Return every pair of hashes that differ in at most ``distance`` bits.

    All pairs are looked at, in blocks, so none is missed: with bits as -1 and 1, a matrix product counts how many agree.
    That was measured 1.2 times as fast as counting the bits of every pair by processor time, and twice as fast by the
    clock on two cores, over which the product spreads by itself.

    Args:
        hashes: (n, 4) uint64.
        distance: The largest number of differing bits of 256.

    Returns:
        (k, 2) int64, the smaller position first, sorted.
    """
    found = [np.zeros((0, 2), np.int64)]
    signs = _signs(hashes)
    least = HASH_BITS - 2 * distance  # the sum of products of signs that differ in that many places
    for row in range(0, len(signs), _BLOCK):
        for column in range(row, len(signs), _BLOCK):
            alike = signs[row : row + _BLOCK] @ signs[column : column + _BLOCK].T >= least
            if alike.any():
                pairs = np.argwhere(alike) + np.array([row, column])
                found.append(pairs[pairs[:, 0] < pairs[:, 1]])
    return _sorted(np.concatenate(found))


def landmark_pairs(descriptors: Sequence[NDArray[np.uint8]]) -> Iterator[tuple[Pairs, NDArray[np.int64]]]:
    """Yield the pairs of pictures that share landmarks, and how often they do.

    Landmarks meet in a table when a fixed choice of their descriptors' bits is equal (locality-sensitive hashing; Indyk
    and Motwani, 1998). Where more than 20 pictures meet in one place, which a caption causes and many copies of one
    picture too, only neighbours in the list are paired: copies stay connected, and the number of pairs stays small.

    Args:
        descriptors: (k, 32) uint8 for each picture; k differs.

    Yields:
        For some pictures after the other all pairs of which they are the first: (k, 2) int64, the smaller position first,
        sorted, and the number of keys that each has in common, (k,) int64. All at once may be hundreds of millions.
    """
    owners = np.repeat(np.arange(len(descriptors)), [len(one) for one in descriptors])
    if not len(owners):
        return
    stacked = np.concatenate(list(descriptors))
    choice = np.random.default_rng(0).permutation(HASH_BITS)
    met = [
        _meetings(_keys(stacked, choice[table * 8 * _KEY_BYTES : (table + 1) * 8 * _KEY_BYTES]), owners)
        for table in range(_TABLES)
    ]
    for start in range(0, len(descriptors), _BLOCK):
        ends = [np.searchsorted(codes, [start << 32, (start + _BLOCK) << 32]) for codes in met]
        parts = [codes[low:high] for codes, (low, high) in zip(met, ends, strict=True)]
        codes, shared = np.unique(np.concatenate(parts), return_counts=True)
        yield np.stack([codes >> 32, codes & 0xFFFFFFFF], axis=1), shared


def _nearest(pairs: Pairs, distances: NDArray[np.int64]) -> Pairs:
    """Keep the pairs that are among the nearest of one of their two: hundreds of like pictures stay connected by them."""
    ends = np.concatenate([pairs[:, 0], pairs[:, 1]])
    order = np.lexsort((np.tile(distances, 2), ends))
    starts = np.searchsorted(ends[order], ends[order], side="left")
    near = np.zeros(len(ends), bool)
    near[order] = np.arange(len(ends)) - starts < _NEAREST
    return np.asarray(pairs[near.reshape(2, -1).any(axis=0)])


def _signs(hashes: NDArray[np.uint64]) -> NDArray[np.float32]:
    bits = np.unpackbits(np.ascontiguousarray(hashes).view(np.uint8).reshape(len(hashes), -1), axis=1)
    return bits.astype(np.float32) * 2 - 1


def _keys(descriptors: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the bits at ``places`` of each descriptor as one number."""
    keys = np.zeros((len(descriptors), 8), np.uint8)
    for byte in range(_KEY_BYTES):
        for place in places[byte * 8 : byte * 8 + 8]:
            keys[:, byte] = keys[:, byte] << 1 | descriptors[:, place >> 3] >> (place & 7) & 1
    return keys.view(np.uint64)[:, 0]


def _meetings(keys: NDArray[np.uint64], owners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a code (first << 32 | second) for every pair of pictures each time that they have a key in common, sorted."""
    order = np.lexsort((owners, keys))
    keys, owners = keys[order], owners[order]
    new = np.ones(len(keys), bool)
    new[1:] = (keys[1:] != keys[:-1]) | (owners[1:] != owners[:-1])
    keys, owners = keys[new], owners[new]
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    sizes = np.diff(np.r_[starts, len(keys)])
    found = [np.zeros(0, np.int64)]
    for size in np.unique(sizes[sizes > 1]):
        first, second = np.triu_indices(size, 1) if size <= _CROWD else (np.arange(size - 1), np.arange(1, size))
        members = owners[starts[sizes == size][:, None] + np.arange(size)]
        found.append((members[:, first] << 32 | members[:, second]).ravel())
    codes = np.concatenate(found)
    codes.sort()
    return codes


def _sorted(pairs: Pairs) -> Pairs:
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
