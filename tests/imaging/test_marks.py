"""Captions, callipers and colour are found where they were drawn, and nothing is found where nothing was."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.errors import WrongCallError
from monai_tumor.imaging.marks import BurnedInMark, find_marks
from monai_tumor.imaging.read import read_image

ROWS, COLUMNS = 301, 407


def tissue(case: int = 3, style: str = "us") -> np.ndarray:
    """Return a phantom as dark as pictures of real tissue are, so that marks stand out as they do there."""
    phantom = PhantomDataset(count=case + 1, style=style, size=(ROWS, COLUMNS))
    return phantom.load(phantom.cases()[case])[0] // 2


def draw_cross(
    image: np.ndarray, row: int, column: int, slanting: bool = False, reach: int = 5, level: int = 235
) -> None:
    for down, right in ((1, 1), (1, -1)) if slanting else ((0, 1), (1, 0)):
        start, end = (column - reach * right, row - reach * down), (column + reach * right, row + reach * down)
        cv2.line(image, start, end, level, 1)


def of_kind(image: np.ndarray, kind: str) -> list[BurnedInMark]:
    return [mark for mark in find_marks(image) if mark.kind == kind]


def holds(mark: BurnedInMark, row: int, column: int) -> bool:
    top, left, rows, columns = mark.box
    return top <= row < top + rows and left <= column < left + columns


@pytest.mark.parametrize("style", ["us", "mr"])
def test_nothing_is_found_in_a_hundred_phantoms(style):
    phantom = PhantomDataset(count=100, style=style)
    assert [case.id for case in phantom.cases() if find_marks(phantom.load(case)[0])] == []


@pytest.mark.parametrize(("words", "level"), [("LEFT BREAST", 235), ("RT AXILLA", 200), ("TIRADS 4C", 150)])
@pytest.mark.parametrize("scale", [0.4, 0.6])
def test_a_caption_is_found_where_it_stands(words, level, scale):
    image = tissue()
    cv2.putText(image, words, (31, 222), cv2.FONT_HERSHEY_SIMPLEX, scale, level, 1, cv2.LINE_AA)
    (wide, high), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    found = of_kind(image, "text")
    assert found
    for row, column, rows, columns in (mark.box for mark in found):
        assert 222 - 2 * high < row < row + rows < 222 + high
        assert 31 - high < column < column + columns < 31 + wide + high


@pytest.mark.parametrize("slanting", [False, True])
@pytest.mark.parametrize("reach", [4, 6, 8])
def test_two_crosses_are_found_and_nothing_else(slanting, reach):
    image = tissue()
    draw_cross(image, 90, 150, slanting, reach)
    draw_cross(image, 130, 260, slanting, reach)
    found = sorted(of_kind(image, "calliper"), key=lambda mark: mark.box)
    assert [holds(found[0], 90, 150), holds(found[1], 130, 260), len(found)] == [True, True, 2]
    assert of_kind(image, "text") == []


def test_one_upright_cross_is_a_calliper_and_one_slanting_is_not():
    upright, slanting = tissue(), tissue()
    draw_cross(upright, 90, 150)
    draw_cross(slanting, 90, 150, slanting=True)
    assert [len(of_kind(upright, "calliper")), len(of_kind(slanting, "calliper"))] == [1, 0]


def test_the_number_beside_a_calliper_does_not_hide_it():
    image = tissue()
    draw_cross(image, 90, 150)
    cv2.putText(image, "1", (140, 104), cv2.FONT_HERSHEY_SIMPLEX, 0.35, 235, 1)
    assert any(holds(mark, 90, 150) for mark in of_kind(image, "calliper"))


def test_a_cross_in_a_caption_is_a_letter():
    image = tissue()
    for place in (31, 71, 111):
        cv2.putText(image, "HIM", (place, 222), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 235, 1)
    draw_cross(image, 218, 67, reach=4)
    assert of_kind(image, "calliper") == []
    assert of_kind(image, "text")


def test_a_yellow_frame_is_found_with_its_box():
    image = np.stack([tissue()] * 3, axis=2)
    cv2.rectangle(image, (101, 52), (199, 140), (160, 150, 90), 1)
    (found,) = of_kind(image, "colour")
    assert found.box == (52, 101, 89, 99)
    assert found.score > 0.95


def test_grey_stored_as_three_channels_has_no_colour_and_the_same_marks():
    image = tissue()
    draw_cross(image, 90, 150)
    assert find_marks(np.stack([image] * 3, axis=2)) == find_marks(image) != []


def test_three_sequences_in_one_picture_are_no_colour_on_grey():
    image = np.stack([tissue(case, "mr")[: ROWS - 8, : COLUMNS - 8] for case in (1, 2, 3)], axis=2)
    assert of_kind(image, "colour") == []


def test_sixteen_bits_show_the_same_marks():
    image = tissue()
    cv2.putText(image, "LEFT BREAST", (31, 222), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 235, 1)
    draw_cross(image, 90, 150)
    deep = find_marks(image.astype(np.uint16) * 11)
    assert {mark.kind for mark in deep} == {mark.kind for mark in find_marks(image)} == {"text", "calliper"}


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.booleans())
def test_boxes_lie_in_the_picture_and_the_surest_comes_first(rows, columns, seed, colour):
    shape = (rows, columns, 3) if colour else (rows, columns)
    marks = find_marks(np.random.default_rng(seed).choice([0, 0, 0, 255], shape).astype(np.uint8))
    assert [mark.score for mark in marks] == sorted((mark.score for mark in marks), reverse=True)
    for top, left, high, wide in (mark.box for mark in marks):
        assert 0 <= top < top + high <= rows
        assert 0 <= left < left + wide <= columns


@pytest.mark.parametrize("wrong", [np.zeros((4, 5, 4), np.uint8), np.zeros((4, 5)), np.zeros((0, 5), np.uint8)])
def test_another_array_is_refused_in_one_line(wrong):
    with pytest.raises(WrongCallError, match=re.escape(f"{wrong.dtype} {wrong.shape}")):
        find_marks(wrong)


# Seen by eye in a part of BUSI: images that carry each kind, as class and number.
BUSI = {
    "text": """benign 1 318 4 321 46 52 134 195 240 255 277 397 401 408 409 410 432
               malignant 10 112 11 15 111 53 205 normal 31 121""",
    "calliper": "benign 6 234 261 286 323 432 433 436 malignant 10 14 15 53 111 112 114 121 123 145",
    "colour": "benign 6 13 69 102 173 234 240 255 261 277 323 330 malignant 65 196 normal 113",
}


def busi_files(listing: str) -> list[str]:
    files, kind = [], ""
    for word in listing.split():
        if word.isdigit():
            files.append(f"busi/{kind}/{kind} ({word}).png")
        kind = kind if word.isdigit() else word
    return files


@pytest.mark.parametrize(("kind", "least"), [("text", 26), ("calliper", 18), ("colour", 14)])
def test_marks_seen_by_eye_in_breast_ultrasound_are_found(real_data, kind, least):
    files = busi_files(BUSI[kind])
    found = [name for name in files if of_kind(read_image(real_data / name), kind)]
    assert len(found) >= least - 1, sorted(set(files) - set(found))


def test_brain_mri_hardly_ever_seems_to_be_marked(real_data):
    files = sorted((real_data / "brain_lgg").rglob("*[0-9].tif")) + sorted((real_data / "brain_flat/images").iterdir())
    flagged = [file.name for file in files if find_marks(read_image(file))]
    assert len(flagged) <= len(files) / 50, flagged
