"""Speckle, shadow and bias field: what the plain twins make, and that the random transforms only multiply the image."""

from __future__ import annotations

from unittest.mock import Mock

import numpy as np
import pytest
from monai.transforms import RandBiasField

from monai_tumor.errors import WrongCallError
from monai_tumor.pipeline import (
    RandomBiasField,
    RandomFlip,
    RandomIntensity,
    RandomPose,
    RandomShadow,
    RandomSpeckle,
    TransformChain,
    deferred,
)
from monai_tumor.pipeline.appearance import bias_gain, shadow_gain, speckle_gain
from monai_tumor.pipeline.augment import DeferredTransform
from monai_tumor.pipeline.deferred import apply_deferred, defer_gain, defer_levels

ROWS, COLUMNS = 90, 132


def always() -> list:
    return [RandomSpeckle(prob=1.0), RandomShadow(prob=1.0), RandomBiasField(prob=1.0)]


def item(channels: int = 1, dtype: type = np.uint8) -> dict:
    generator = np.random.default_rng(2)
    image = generator.integers(0, 256, (ROWS, COLUMNS, channels)).astype(dtype).transpose(2, 0, 1)
    return {"image": image, "label": (generator.random((1, ROWS, COLUMNS)) > 0.6).astype(np.uint8)}


def scatterers(rows: int = 400, columns: int = 600) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (2, rows, columns), dtype=np.uint8)


def likeness(gain: np.ndarray, down: int, right: int) -> float:
    """Correlation of the field with itself, moved."""
    rows, columns = gain.shape
    return np.corrcoef(gain[down:, right:].ravel(), gain[: rows - down, : columns - right].ravel())[0, 1]


def test_fully_developed_speckle_has_the_contrast_of_a_rayleigh_distribution():
    gain = speckle_gain(scatterers(), grain_px=1.0, strength=1.0)
    assert gain.dtype == np.float32
    assert gain.min() >= 0
    assert gain.mean() == pytest.approx(1.0, abs=0.02)
    assert gain.std() == pytest.approx(np.sqrt(4 / np.pi - 1), abs=0.02)


def test_speckle_deviates_in_proportion_to_brightness_and_keeps_the_mean():
    halves = np.full((1, 400, 600), 40, np.uint8)
    halves[:, :, 300:] = 120
    speckled = {"image": halves}
    defer_gain(speckled, speckle_gain(scatterers(), grain_px=1.0, strength=0.4))
    dark, bright = np.split(apply_deferred(speckled)["image"][0].astype(float), 2, axis=1)
    assert [dark.mean(), bright.mean()] == pytest.approx([40, 120], rel=0.03)
    assert bright.std() / dark.std() == pytest.approx(3.0, rel=0.1)


def test_grain_is_twice_as_wide_as_high_and_grows_with_its_size():
    fine, coarse = (speckle_gain(scatterers(), grain_px=size, strength=1.0) for size in (0.7, 1.5))
    assert likeness(fine, 2, 0) == pytest.approx(likeness(fine, 0, 4), abs=0.05)
    assert likeness(fine, 2, 0) < 0.3 < likeness(coarse, 2, 0)
    assert abs(likeness(coarse, 12, 0)) < 0.05


def test_a_shadow_is_darker_with_depth_and_changes_nothing_above():
    gain = shadow_gain((ROWS, COLUMNS), begin=(30.0, 80.0), width=20.0, darkness=0.6, reach=15.0)
    assert (gain[:31] == 1).all()
    assert (np.diff(gain[31:, 80]) < 0).all()
    assert gain[45, 80] == pytest.approx(1 - 0.6 * (1 - np.exp(-1)))
    assert gain[-1].argmin() == 80
    assert gain.min() > 0.4


def test_the_edge_of_a_shadow_is_soft_and_far_from_it_nothing_changes():
    gain = shadow_gain((ROWS, COLUMNS), begin=(0.0, 60.0), width=30.0, darkness=0.8, reach=5.0)
    assert (gain[:, :30] > 0.999).all() and (gain[:, 90:] > 0.999).all()
    assert np.abs(np.diff(gain[-1])).max() < 0.1
    assert gain[-1, 45] == pytest.approx(1 - 0.8 * np.exp(-1), abs=1e-3)  # half the width away


def dark_columns(gain: np.ndarray, row: int) -> np.ndarray:
    return np.flatnonzero(gain[row] < 1 - (1 - gain[row].min()) / 2)


def test_a_linear_probe_throws_a_strip_and_a_curved_one_a_wedge_away_from_the_middle():
    strip, wedge = (shadow_gain((ROWS, COLUMNS), (10.0, 90.0), 12.0, 0.6, 5.0, fan) for fan in (0.0, 0.5))
    assert dark_columns(strip, 20).tolist() == dark_columns(strip, 85).tolist()
    assert len(dark_columns(wedge, 85)) > len(dark_columns(wedge, 20))
    # The beams meet 66 / 0.5 = 132 rows above the image; column 90 is 24 from the middle in row 10, so in row 85:
    assert wedge[85].argmin() == round(66 + 24 * (132 + 85) / (132 + 10))


def test_a_bias_field_is_that_of_monai():
    coefficients = np.tril(np.arange(16).reshape(4, 4) / 50)
    theirs = RandBiasField()._generate_random_field((ROWS, COLUMNS), 3, coefficients[np.tril_indices(4)])
    np.testing.assert_allclose(bias_gain((ROWS, COLUMNS), coefficients), np.exp(theirs), rtol=1e-4)


def test_a_bias_field_is_smooth_and_changes_no_overall_brightness():
    drawn = RandomBiasField(coefficient=0.2, prob=1.0)
    drawn.set_random_state(seed=1)
    for _ in range(5):
        field = np.log(drawn({"image": item()["image"]})["deferred"].gain)
        assert abs(field.mean()) < 0.02
        assert 0.05 < field.std() < 0.5
        assert max(np.abs(np.diff(field, axis=axis)).max() for axis in (0, 1)) < 0.08


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_every_channel_is_multiplied_alike_and_the_label_is_left_alone(channels, dtype):
    for transform in always():
        transform.set_random_state(seed=3)
        changed = transform(item(channels, dtype))
        gain = changed["deferred"].gain
        expected = np.clip(item(channels)["image"] * gain, 0, 255)
        image = apply_deferred(changed)["image"]
        assert image.dtype == dtype
        np.testing.assert_allclose(image, expected, atol=0.501 if dtype == np.uint8 else 1e-3)
        np.testing.assert_array_equal(changed["label"], item(channels)["label"])


def test_gains_wait_with_geometry_and_levels_and_everything_is_applied_once(monkeypatch):
    spies = {}
    for name in ("_warp", "_multiply", "_map_levels"):
        spies[name] = Mock(wraps=getattr(deferred, name))
        monkeypatch.setattr(deferred, name, spies[name])
    TransformChain([*always(), RandomPose(prob=1.0), RandomIntensity(prob=1.0), RandomFlip(prob=1.0), *always()])(
        item()
    )
    assert [spy.call_count for spy in spies.values()] == [2, 1, 1]  # image and label are warped


def test_a_shadow_falls_down_the_result_even_if_it_was_drawn_before_a_flip():
    pictures = []
    for order in (1, -1):
        chain = TransformChain([RandomFlip(["rows"], prob=1.0), RandomShadow(prob=1.0)][::order])
        for transform in chain.transforms:
            transform.set_random_state(seed=4)
        pictures.append(chain(item())["image"])
    np.testing.assert_array_equal(*pictures)


def test_what_is_displayed_follows_what_is_received():
    one = {"image": np.full((1, 2, 3), 100, np.uint8)}
    defer_levels(one, 255 - np.arange(256, dtype=np.float32))
    defer_gain(one, np.full((2, 3), 0.5, np.float32))
    assert (apply_deferred(one)["image"] == 255 - 50).all()


@pytest.mark.parametrize("transform", always(), ids=lambda one: type(one).__name__)
def test_the_same_seed_gives_the_same_picture(transform):
    pictures = []
    for seed in (11, 11, 12):
        transform.set_random_state(seed=seed)
        pictures.append([apply_deferred(transform(item()))["image"] for _ in range(3)])
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[0], pictures[2])


def test_probability_zero_changes_nothing():
    for transform in (RandomSpeckle(prob=0.0), RandomShadow(prob=0.0), RandomBiasField(prob=0.0)):
        assert "deferred" not in transform(item())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: RandomSpeckle(strength=(0.5, 1.5)),
            r"RandomSpeckle: strength is 0\.5 to 1\.5, expected a range within 0\.0 to 1",
        ),
        (lambda: RandomShadow(darkness=(0.8, 0.3)), r"RandomShadow: darkness is 0\.8 to 0\.3, expected a range"),
        (lambda: RandomBiasField(degree=0), r"RandomBiasField: degree is 0, expected a whole number within 1 to 9"),
    ],
)
def test_impossible_settings_are_refused(make, words):
    with pytest.raises(WrongCallError, match=words):
        make()


@pytest.mark.parametrize("wrong", [0.5, (0.1, 0.2, 0.3), ("a", "b"), None, (True, 1), [0.1], (float("nan"), 1.0)])
def test_what_is_no_range_is_refused(wrong):
    for make, name in ((RandomSpeckle, "strength"), (RandomShadow, "darkness")):
        with pytest.raises(WrongCallError, match=f"{make.__name__}: {name} is .*, expected") as caught:
            make(**{name: wrong})
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("make", [RandomSpeckle, RandomShadow, RandomBiasField])
@pytest.mark.parametrize("wrong", [2, -1, None, "0.5", True, float("nan")])
def test_a_probability_is_within_0_and_1(make, wrong):
    with pytest.raises(WrongCallError, match=f"{make.__name__}: prob is .*, expected a number within 0.0 to 1.0"):
        make(prob=wrong)


@pytest.mark.parametrize("wrong", [{"degree": 2.5}, {"degree": True}, {"coefficient": "a"}, {"coefficient": -0.1}])
def test_an_impossible_bias_field_is_refused(wrong):
    with pytest.raises(WrongCallError, match=r"RandomBiasField: (degree|coefficient) is .*, expected a"):
        RandomBiasField(**wrong)


def test_a_deferred_transform_must_say_what_it_does():
    with pytest.raises(TypeError, match="abstract"):
        DeferredTransform()
