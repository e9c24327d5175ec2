"""What is kept of a picture: digest, hash and landmarks, also of tiny, thin, blank and deep pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.duplicates.fingerprint import (
    LANDMARKS,
    LONGEST_SIDE,
    as_grey,
    difference_hash,
    find_landmarks,
    fingerprint,
    hash_distance,
    pixel_digest,
    reduced,
)

GREY = np.arange(6, dtype=np.uint8).reshape(2, 3)
WORDS = st.lists(st.integers(0, 2**64 - 1), min_size=4, max_size=4)


def bits_of(words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    return np.unpackbits(words.view(np.uint8)).reshape(16, 16)


def phantom(number: int = 0, size: tuple[int, int] = (160, 224)) -> NDArray[np.uint8]:
    dataset = PhantomDataset(count=number + 1, style="us", size=size)
    return dataset.load(dataset.cases()[number])[0]


def overlaps(side: int, cells: int) -> NDArray[np.float64]:
    """Return (cells, side): which part of each pixel belongs to each cell, pixel by pixel."""
    shares = np.zeros((cells, side))
    for cell in range(cells):
        start, end = cell * side / cells, (cell + 1) * side / cells
        for pixel in range(side):
            shares[cell, pixel] = max(0.0, min(end, pixel + 1) - max(start, pixel))
    return shares


def test_grey_and_three_equal_channels_have_one_digest() -> None:
    colour = np.stack([GREY] * 3, axis=2)
    assert pixel_digest(GREY) == pixel_digest(colour)
    assert len(pixel_digest(GREY)) == 32 and int(pixel_digest(GREY), 16) >= 0


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_one_value_in_one_channel_makes_another_digest(channel: int) -> None:
    colour = np.stack([GREY] * 3, axis=2)
    colour[1, 2, channel] += 1
    assert pixel_digest(colour) != pixel_digest(GREY)


def test_the_same_bytes_in_another_shape_or_type_have_another_digest() -> None:
    deep = GREY.reshape(1, 6).view(np.uint16)
    others = [GREY.reshape(3, 2), GREY.reshape(1, 6), GREY.astype(np.uint16), deep]
    assert len({pixel_digest(item) for item in [GREY, *others]}) == 5


def test_how_the_pixels_lie_in_memory_does_not_matter() -> None:
    assert pixel_digest(GREY[:, ::2]) == pixel_digest(GREY[:, ::2].copy())
    assert pixel_digest(np.asfortranarray(GREY)) == pixel_digest(GREY)


def test_sixteen_bits_become_grey_by_their_own_range() -> None:
    deep = np.array([[100, 300, 500], [900, 500, 100]], np.uint16)
    assert as_grey(deep).tolist() == [[0, 63, 127], [255, 127, 0]]
    assert as_grey(np.full((2, 3), 700, np.uint16)).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_colours_become_grey_by_luminance() -> None:
    red_green_blue = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert as_grey(red_green_blue).tolist() == [[76, 150, 29]]
    assert as_grey(red_green_blue.astype(np.uint16) * 4).tolist() == [[76, 150, 29]]


def test_only_large_pictures_are_reduced_and_keep_their_proportions() -> None:
    small, large, thin = (np.zeros(shape, np.uint8) for shape in [(40, LONGEST_SIDE), (1000, 2000), (1, 5000)])
    assert reduced(small) is small
    assert reduced(large).shape == (512, 1024) and reduced(large.T).shape == (1024, 512)
    assert reduced(thin).shape == (1, 1024)


@pytest.mark.parametrize("shape", [(16, 17), (64, 51), (97, 151), (200, 40), (31, 300)])
def test_the_hash_says_which_cells_are_darker_than_their_right_neighbours(shape: tuple[int, int]) -> None:
    grey = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    down, across = overlaps(shape[0], 16), overlaps(shape[1], 17)
    cells = down @ grey @ across.T / np.outer(down.sum(1), across.sum(1))
    difference = np.diff(cells, axis=1)
    clear = np.abs(difference) > 1.01  # cells are rounded before they are compared
    assert clear.mean() > 0.6
    assert np.array_equal(bits_of(difference_hash(grey))[clear], (difference > 0)[clear])


def test_the_hash_looks_to_the_right_and_not_down() -> None:
    brighter = np.tile(np.arange(0, 204, 3, dtype=np.uint8), (32, 1))
    assert bits_of(difference_hash(brighter)).all() and not bits_of(difference_hash(brighter[:, ::-1].copy())).any()
    assert not bits_of(difference_hash(brighter.T.copy())).any()


@given(WORDS, WORDS)
@settings(deadline=None)
def test_the_distance_counts_differing_bits(first: list[int], second: list[int]) -> None:
    expected = sum((one ^ other).bit_count() for one, other in zip(first, second, strict=True))
    assert hash_distance(np.array(first, np.uint64), np.array(second, np.uint64)) == expected


def test_distances_are_taken_of_many_at_once() -> None:
    hashes = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [3, 0, 0, 2**64 - 1]], np.uint64)
    assert hash_distance(hashes[:, None], hashes[None]).tolist() == [[0, 1, 66], [1, 0, 65], [66, 65, 0]]


def test_the_hash_survives_what_an_export_does() -> None:
    grey = phantom()
    for other in (grey // 2 + 40, np.repeat(np.repeat(grey, 2, axis=0), 2, axis=1), np.stack([grey] * 3, axis=2)):
        assert hash_distance(fingerprint(grey).hash, fingerprint(other).hash) < 32
    assert hash_distance(fingerprint(grey).hash, fingerprint(phantom(1)).hash) > 72


def test_landmarks_are_columns_and_rows_of_corners() -> None:
    grey = np.zeros((120, 300), np.uint8)
    grey[60:100, 200:260] = 255
    positions, descriptors = find_landmarks(grey, 50)
    assert 0 < len(positions) == len(descriptors) <= 50 and descriptors.shape[1] == 32
    assert np.all(np.abs(positions[:, 0, None] - [200, 259]).min(axis=1) < 15)
    assert np.all(np.abs(positions[:, 1, None] - [60, 99]).min(axis=1) < 15)


def test_a_fingerprint_keeps_so_many_landmarks_and_is_not_blank() -> None:
    kept = fingerprint(phantom())
    assert 50 < len(kept.descriptors) <= LANDMARKS and kept.hash.shape == (4,) and not kept.blank
    assert kept.digest == pixel_digest(phantom())


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (1, 400), (400, 1), (3, 2000), (40, 56), (1100, 1500)])
@pytest.mark.parametrize("level", [0, 255, 40000])
def test_constant_pictures_of_any_size_are_blank(shape: tuple[int, int], level: int) -> None:
    image = np.full(shape, level, np.uint16 if level > 255 else np.uint8)
    kept = fingerprint(image)
    assert kept.blank and kept.descriptors.shape == (0, 32) and not kept.hash.any()


def test_noise_of_a_grey_level_is_blank_and_a_small_bright_part_is_not() -> None:
    noise = np.random.default_rng(0).integers(10, 12, (60, 90)).astype(np.uint8)
    assert fingerprint(noise).blank
    noise[20:25, 40:45] = 60
    assert not fingerprint(noise).blank


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (8, 8), (1, 300), (300, 1), (5, 1030), (8, 8, 3), (1, 1, 3)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_tiny_and_thin_pictures_have_a_fingerprint(shape: tuple[int, ...], kind: type) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape).astype(kind)
    kept = fingerprint(image)
    assert kept.hash.dtype == np.uint64 and kept.descriptors.shape[1] == 32
