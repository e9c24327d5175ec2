"""Levels keep what a file says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from monai_tumor.clinical.levels import Levels, brighter_is_more, to_levels, volume_window
from monai_tumor.clinical.source import ImageKind
from monai_tumor.errors import WrongDataError


def values_of(levels: Levels) -> np.ndarray:
    return levels.stack * np.float64(levels.scale) + levels.offset


@given(arrays.arrays(st.sampled_from([np.int16, np.uint16, np.uint8, np.int8]), (2, 3, 4)))
def test_whole_numbers_are_kept_exactly(stored: np.ndarray) -> None:
    levels = to_levels("x", stored)
    assert levels.stack.dtype in (np.uint8, np.uint16)
    assert np.array_equal(values_of(levels), stored)


def test_unsigned_numbers_stay_what_they_are() -> None:
    stored = np.array([[[3, 60000]]], np.uint16)
    levels = to_levels("x", stored, 0.5, -20)
    assert np.array_equal(levels.stack, stored) and values_of(levels).tolist() == [[[-18.5, 29980.0]]]


def test_whole_floats_are_kept_and_fractions_lose_less_than_a_step() -> None:
    assert values_of(to_levels("x", np.array([[[-3.0, 5.0]]]))).tolist() == [[[-3, 5]]]
    fractions = np.random.default_rng(0).normal(0, 100, (3, 4, 5))
    step = np.ptp(fractions) / 65535
    assert np.abs(values_of(to_levels("x", fractions)) - fractions).max() <= step


def test_wide_whole_numbers_are_divided() -> None:
    wide = np.array([[[-(2**30), 0, 2**30]]], np.int32)
    assert np.abs(values_of(to_levels("x", wide)) - wide).max() <= 2**31 / 65535


def test_big_endian_values_come_out_native() -> None:
    levels = to_levels("x", np.array([[[258]]], ">u2"))
    assert levels.stack.dtype.isnative and levels.stack[0, 0, 0] == 258


def test_constant_fractions_do_not_divide_by_zero() -> None:
    assert values_of(to_levels("x", np.full((1, 2, 3), 0.5))).tolist() == [[[0.5] * 3] * 2]


def test_values_that_are_no_numbers_are_counted() -> None:
    with pytest.raises(WrongDataError, match="scan has 2 values that are not numbers"):
        to_levels("scan", np.array([[[np.nan, np.inf, 1.0]]]))
    with pytest.raises(WrongDataError, match="complex64"):
        to_levels("scan", np.zeros((1, 2, 3), np.complex64))


def test_inversion_keeps_the_values() -> None:
    levels = Levels(np.array([[[5, 255]]], np.uint8), 2.0, -10.0)
    turned = brighter_is_more(levels, inverted=True, top=255)
    assert turned.stack.tolist() == [[[250, 0]]] and values_of(turned).tolist() == [[[0, 500]]]
    assert brighter_is_more(levels, inverted=False) is levels


def test_a_falling_slope_is_turned_round() -> None:
    turned = brighter_is_more(Levels(np.array([[[1, 9]]], np.uint8), -1.0), inverted=False)
    assert turned.stack.tolist() == [[[8, 0]]] and values_of(turned).tolist() == [[[-1, -9]]]


def test_the_window_of_a_volume_leaves_the_air_out() -> None:
    stack = np.zeros((2, 10, 10), np.uint16)
    stack[:, 2:, :] = np.linspace(100, 300, 160).reshape(2, 8, 10)
    low, high = volume_window(ImageKind.VOLUME, Levels(stack)) or (0, 0)
    assert 100 <= low < 103 and 297 < high <= 300
    assert volume_window(ImageKind.FRAMES, Levels(stack)) is None
