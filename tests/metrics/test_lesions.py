"""Lesions found, missed and falsely marked: by hand, and against component sets by SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage  # type: ignore[import-untyped]

from monai_tumor.errors import WrongDataError
from monai_tumor.metrics.lesions import LesionCounts, lesion_counts

PAIRS = st.tuples(st.integers(1, 9), st.integers(1, 12)).flatmap(
    lambda shape: st.tuples(arrays(np.bool_, shape), arrays(np.bool_, shape))
)


def mask_of(*rows: str) -> np.ndarray:
    return np.array([[letter == "#" for letter in row] for row in rows])


TWO = mask_of(
    "##....##.",
    "##....##.",
    ".........",
)
EMPTY = TWO & False


def test_one_found_one_missed_one_false_by_hand() -> None:
    prediction = mask_of(
        "#........",
        "##.......",
        "....##...",
    )
    counts = lesion_counts(prediction, TWO)
    assert counts == LesionCounts(reference=2, found=1, predicted=2, false=1)
    assert (counts.missed, counts.recall) == (1, 0.5)


def test_one_mark_may_find_several_lesions() -> None:
    bridge = mask_of(
        "########.",
        "########.",
        ".........",
    )
    # Each lesion has 4 of the 16 pixels: IoU 0.25.
    assert lesion_counts(bridge, TWO) == LesionCounts(2, 2, 1, 0)


def test_several_marks_may_find_one_lesion_together() -> None:
    line = np.ones((1, 30), dtype=bool)
    dotted = line & (np.arange(30) % 10 == 0)  # each alone has IoU 1 in 30, the three together 0.1
    assert lesion_counts(dotted, line) == LesionCounts(1, 1, 3, 0)
    assert lesion_counts(dotted, line, least_iou=0.11) == LesionCounts(1, 0, 3, 3)


def test_a_mark_that_is_far_too_large_finds_nothing_and_is_false() -> None:
    speck = np.zeros((7, 11), dtype=bool)
    speck[3, 4] = True
    assert lesion_counts(speck | True, speck) == LesionCounts(1, 0, 1, 1)


def test_neighbours_across_a_corner_are_one_lesion() -> None:
    diagonal = np.eye(4, 6, dtype=bool)
    assert lesion_counts(diagonal, diagonal) == LesionCounts(1, 1, 1, 0)
    assert lesion_counts(diagonal.T, diagonal.T) == LesionCounts(1, 1, 1, 0)


def test_empty_masks_have_no_lesions() -> None:
    assert lesion_counts(EMPTY, EMPTY) == LesionCounts(0, 0, 0, 0)
    assert lesion_counts(TWO, EMPTY) == LesionCounts(0, 0, 2, 2)
    assert lesion_counts(EMPTY, TWO) == LesionCounts(2, 0, 0, 0)
    assert math.isnan(lesion_counts(TWO, EMPTY).recall) and lesion_counts(EMPTY, TWO).recall == 0


@given(PAIRS, st.sampled_from([0.01, 0.1, 0.5]))
@settings(max_examples=150, deadline=None)
def test_counts_equal_those_of_component_sets(pair: tuple[np.ndarray, np.ndarray], least_iou: float) -> None:
    def components(mask: np.ndarray) -> list[set[int]]:
        labels, count = ndimage.label(mask, np.ones((3, 3)))
        return [set(np.flatnonzero(labels == number).tolist()) for number in range(1, count + 1)]

    marks, lesions = (components(mask) for mask in pair)
    found = []
    for lesion in lesions:
        together = set().union(*(mark for mark in marks if mark & lesion))
        if len(together & lesion) >= least_iou * len(together | lesion):
            found.append(lesion)
    false = [mark for mark in marks if not any(mark & lesion for lesion in found)]
    assert lesion_counts(*pair, least_iou) == LesionCounts(len(lesions), len(found), len(marks), len(false))


def test_noise_of_a_large_image_is_counted_at_once() -> None:
    random = np.random.default_rng(0)
    counts = lesion_counts(*(random.random((2, 1000, 1100)) < 0.1))
    assert counts.reference > 10_000 and 0 < counts.found < counts.reference


def test_what_cannot_be_counted_is_refused() -> None:
    with pytest.raises(WrongDataError, match=r"shape \(1, 3, 9\), expected \(rows, columns\)"):
        lesion_counts(TWO[None], TWO[None])
    with pytest.raises(TypeError, match="apply a threshold first"):
        lesion_counts(TWO * 0.3, TWO)
