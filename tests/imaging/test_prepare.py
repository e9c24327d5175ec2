"""Prepare and its inverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.imaging.prepare import (
    PrepareSettings,
    prepare_image,
    prepare_mask,
    restore_probability,
    robust_range,
    scale_to_bytes,
)

sides = st.integers(1, 90)


def test_a_wide_picture_is_centred_between_zeros() -> None:
    image = np.full((10, 40), 200, np.uint8)
    prepared = prepare_image(image, PrepareSettings(20, 20, 1))
    assert prepared.shape == (20, 20, 1) and prepared.dtype == np.uint8
    assert (prepared[:7] == 0).all() and (prepared[7:12] == 200).all() and (prepared[12:] == 0).all()


def test_stretch_fills_the_array() -> None:
    prepared = prepare_image(np.full((10, 40), 200, np.uint8), PrepareSettings(20, 30, 3, "stretch"))
    assert prepared.shape == (20, 30, 3) and (prepared == 200).all()


def test_an_image_of_the_right_size_is_not_touched() -> None:
    image = np.random.default_rng(0).integers(0, 255, (12, 17, 3), np.uint8)
    assert np.array_equal(prepare_image(image, PrepareSettings(12, 17)), image)


def test_colour_becomes_grey_by_luma_and_grey_becomes_equal_channels() -> None:
    green = np.zeros((4, 6, 3), np.uint8)
    green[..., 1] = 100
    assert (prepare_image(green, PrepareSettings(4, 6, 1)) == 59).all()
    assert (prepare_image(green[..., 1], PrepareSettings(4, 6, 3)) == 100).all()


def test_sixteen_bits_use_the_range_of_the_image() -> None:
    image = np.linspace(1000, 3000, 600).astype(np.uint16).reshape(20, 30)
    image[0, 0] = 65535  # one hot pixel does not darken the rest
    prepared = prepare_image(image, PrepareSettings(20, 30, 1))[..., 0]
    assert prepared.max() == 255 and 120 < prepared[10, 15] < 140


def test_a_flat_deep_image_becomes_zero() -> None:
    assert not prepare_image(np.full((3, 5), 900, np.uint16), PrepareSettings(6, 10)).any()


@pytest.mark.parametrize("shape", [(1, 300), (300, 1), (1, 1)])
def test_the_thinnest_image_works_and_comes_back(shape: tuple[int, int]) -> None:
    chosen = PrepareSettings()
    assert prepare_image(np.full(shape, 9, np.uint8), chosen).max() == 9
    assert prepare_mask(np.ones(shape, bool), chosen).any()
    assert restore_probability(np.ones((256, 256), np.float32), shape, chosen).shape == shape


def test_a_mask_pixel_is_foreground_from_half_its_area_up() -> None:
    mask = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 1, 1], [0, 0, 1, 0]], bool)
    assert prepare_mask(mask, PrepareSettings(2, 2)).tolist() == [[1, 0], [0, 1]]


@settings(max_examples=60, deadline=None)
@given(sides, sides, sides, sides, st.sampled_from(["pad", "stretch"]))
def test_mask_and_image_always_lie_in_the_same_place(rows: int, columns: int, high: int, wide: int, fit: str) -> None:
    chosen = PrepareSettings(high, wide, 1, fit)
    image = prepare_image(np.full((rows, columns), 255, np.uint8), chosen)[..., 0]
    assert np.array_equal(image > 0, prepare_mask(np.ones((rows, columns), bool), chosen) > 0)


@settings(max_examples=60, deadline=None)
@given(sides, sides, sides, sides, st.sampled_from(["pad", "stretch"]))
def test_a_whole_mask_comes_back_whole(rows: int, columns: int, high: int, wide: int, fit: str) -> None:
    chosen = PrepareSettings(high, wide, 1, fit)
    inside = prepare_mask(np.ones((rows, columns), bool), chosen).astype(np.float32)
    restored = restore_probability(inside, (rows, columns), chosen)
    assert restored.dtype == np.float32 and np.allclose(restored, 1)


@pytest.mark.parametrize("fit", ["pad", "stretch"])
@pytest.mark.parametrize("shape", [(300, 410), (97, 60)])
def test_a_disc_returns_to_its_place(shape: tuple[int, int], fit: str) -> None:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    disc = np.hypot(rows - 0.4 * shape[0], columns - 0.7 * shape[1]) < 0.2 * min(shape)
    chosen = PrepareSettings(128, 160, 1, fit)
    restored = restore_probability(prepare_mask(disc, chosen).astype(np.float32), (*shape, 3), chosen) > 0.5
    assert 2 * (restored & disc).sum() / (restored.sum() + disc.sum()) > 0.97


def test_a_ramp_of_probabilities_stays_a_ramp() -> None:
    ramp = np.tile(np.linspace(0, 1, 50, dtype=np.float32), (20, 1))
    restored = restore_probability(ramp, (40, 100), PrepareSettings(20, 50, 1))
    assert np.allclose(np.diff(restored[7, 2:-2]), 1 / 98, atol=1e-3)


def test_the_key_differs_with_every_setting() -> None:
    variants = [
        PrepareSettings(),
        PrepareSettings(rows=128),
        PrepareSettings(columns=128),
        PrepareSettings(channels=1),
        PrepareSettings(fit="stretch"),
    ]
    assert len({variant.key() for variant in variants}) == len(variants)
    assert PrepareSettings().key() == "prepare1-256x256x3-pad"


@pytest.mark.parametrize(
    "wrong", [{"rows": 0}, {"rows": 2.5}, {"columns": True}, {"rows": "9"}, {"channels": 2}, {"fit": "crop"}]
)
def test_impossible_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(WrongCallError, match="give"):
        PrepareSettings(**wrong)  # type: ignore[arg-type]


def test_wrong_arrays_are_refused() -> None:
    chosen = PrepareSettings(8, 8)
    with pytest.raises(WrongDataError, match=r"an image is float64 \(4, 5\), expected"):
        prepare_image(np.zeros((4, 5)), chosen)
    with pytest.raises(WrongDataError, match=r"a mask has the shape \(4, 5, 3\), expected \(rows, columns\)"):
        prepare_mask(np.zeros((4, 5, 3), bool), chosen)
    with pytest.raises(WrongDataError, match=r"has the shape \(9, 8\), expected \(8, 8\)"):
        restore_probability(np.zeros((9, 8), np.float32), (4, 5), chosen)


def test_the_range_falls_back_to_the_extremes() -> None:
    values = np.zeros(1000, np.uint16)
    values[0] = 700
    assert robust_range(values) == (0, 700)
    assert scale_to_bytes(np.array([-5, 0, 350, 700, 900]), 0, 700).tolist() == [0, 0, 128, 255, 255]
