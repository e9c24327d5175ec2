"""Outlines and comparison pictures."""

from __future__ import annotations

import numpy as np
import pytest

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.imaging.pictures import (
    PREDICTION_COLOUR,
    REFERENCE_COLOUR,
    ComparedCase,
    comparison_picture,
    methods_picture,
    outline_picture,
)

SQUARE = np.zeros((40, 60), bool)
SQUARE[10:20, 30:50] = True


def coloured(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.asarray((picture == colour).all(axis=-1))


def test_the_outline_follows_the_edge_and_leaves_the_inside() -> None:
    picture = outline_picture(np.full((40, 60), 50, np.uint8), SQUARE)
    line = coloured(picture, PREDICTION_COLOUR)
    assert picture.shape == (40, 60, 3) and line[10, 30] and line[19, 49]
    assert not line[12:18, 32:48].any() and not line[:9].any()


@pytest.mark.parametrize("shape", [(40, 60), (40, 60, 3)])
def test_the_image_itself_is_never_drawn_on(shape: tuple[int, ...]) -> None:
    image = np.full(shape, 50, np.uint8)
    outline_picture(image, SQUARE, SQUARE)
    assert (image == 50).all()


def test_both_outlines_are_seen_where_they_coincide() -> None:
    picture = outline_picture(np.zeros((40, 60), np.uint8), SQUARE, SQUARE)
    assert coloured(picture, PREDICTION_COLOUR).any() and coloured(picture, REFERENCE_COLOUR).any()


def test_deep_images_and_empty_masks_are_drawn() -> None:
    deep = np.arange(2400, dtype=np.uint16).reshape(40, 60)
    picture = outline_picture(deep, np.zeros((40, 60), bool))
    assert picture.dtype == np.uint8 and picture.max() == 255


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(WrongDataError, match=r"a mask of \(60, 40\) was to be drawn on an image of \(40, 60\)"):
        outline_picture(np.zeros((40, 60), np.uint8), SQUARE.T)


def test_cases_of_different_sizes_stand_in_one_picture() -> None:
    small, tall = np.zeros((40, 60), np.uint8), np.zeros((90, 20, 3), np.uint8)
    rows = [(small, SQUARE, SQUARE, "a"), (tall, None, np.zeros((90, 20), bool), "Fläche " * 40)]
    picture = comparison_picture(rows)
    one = comparison_picture(rows[:1])
    assert picture.shape == (2 * one.shape[0], one.shape[1], 3)
    assert coloured(one, REFERENCE_COLOUR)[40:].any() and coloured(one, PREDICTION_COLOUR)[40:].any()


def test_no_case_is_refused() -> None:
    with pytest.raises(WrongCallError, match="at least one case"):
        comparison_picture([])


def test_methods_stand_beside_the_image_with_both_outlines() -> None:
    image, empty = np.zeros((40, 60), np.uint8), np.zeros((40, 60), bool)
    picture = methods_picture([ComparedCase(image, SQUARE, "a", [("one 1.000", SQUARE), ("two", empty), ("no", None)])])
    width = 336  # 60 columns brought from 40 to 224 rows
    assert picture.shape == (20 + 224 + 4, 4 * width + 3 * 4, 3)
    tiles = [picture[20:, place * (width + 4) :][:, :width] for place in range(4)]
    assert [coloured(tile, REFERENCE_COLOUR).any() for tile in tiles] == [True] * 4
    assert [coloured(tile, PREDICTION_COLOUR).any() for tile in tiles] == [False, True, False, False]


def test_narrow_images_leave_room_for_the_names_of_methods() -> None:
    tall = ComparedCase(
        np.zeros((90, 20), np.uint8), None, "tall", [("deeplabv3plus  0.871", np.zeros((90, 20), bool))]
    )
    assert methods_picture([tall]).shape == (248, 2 * 150 + 4, 3)


def test_no_compared_case_is_refused() -> None:
    with pytest.raises(WrongCallError, match="at least one case"):
        methods_picture([])
