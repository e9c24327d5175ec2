"""Random transforms against their plain twins, and the plain twins against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from monai_tumor.errors import WrongCallError
from monai_tumor.pipeline.augment import (
    RandomFlip,
    RandomIntensity,
    RandomPose,
    flip_matrix,
    intensity_levels,
    pose_matrix,
)
from monai_tumor.pipeline.deferred import apply_deferred, defer_levels, defer_matrix


def item(rows: int = 40, columns: int = 56) -> dict:
    generator = np.random.default_rng(3)
    image = generator.integers(0, 256, (rows, columns, 3), dtype=np.uint8).transpose(2, 0, 1)
    label = (generator.random((1, rows, columns)) > 0.7).astype(np.uint8)
    return {"image": image, "label": label}


@pytest.mark.parametrize(
    ("axes", "steps"), [(["columns"], (1, -1)), (["rows"], (-1, 1)), (["rows", "columns"], (-1, -1))]
)
def test_a_flip_is_exactly_numpy_reversal(axes, steps):
    before, after = item(), item()
    defer_matrix(after, flip_matrix((40, 56), axes))
    apply_deferred(after)
    for key in ("image", "label"):
        np.testing.assert_array_equal(after[key], before[key][:, :: steps[0], :: steps[1]])


def test_a_quarter_turn_moves_the_right_edge_to_the_bottom():
    square = item(40, 40)
    expected = np.rot90(square["image"], k=-1, axes=(1, 2))
    defer_matrix(square, pose_matrix((40, 40), 90.0, 1.0, (0.0, 0.0)))
    np.testing.assert_array_equal(apply_deferred(square)["image"], expected)


def test_a_shift_moves_content_down_and_right():
    moved = item()
    expected = moved["image"][:, :-3, :-5].copy()
    defer_matrix(moved, pose_matrix((40, 56), 0.0, 1.0, (3.0, 5.0)))
    np.testing.assert_array_equal(apply_deferred(moved)["image"][:, 3:, 5:], expected)


def test_zoom_two_doubles_the_area_of_a_disc_fourfold():
    rows, columns = np.mgrid[:80, :96]
    disc = (((rows - 39.5) ** 2 + (columns - 47.5) ** 2) < 12**2).astype(np.uint8)[None]
    zoomed = {"image": disc.repeat(3, 0) * 255, "label": disc}
    defer_matrix(zoomed, pose_matrix((80, 96), 0.0, 2.0, (0.0, 0.0)))
    assert apply_deferred(zoomed)["label"].sum() == pytest.approx(4 * disc.sum(), rel=0.03)


def test_changes_are_composed_in_the_order_in_which_they_are_deferred():
    together, apart = item(), item()
    steps = [flip_matrix((40, 56), ["columns"]), pose_matrix((40, 56), 0.0, 1.0, (4.0, -6.0))]
    for step in steps:
        defer_matrix(together, step)
        defer_matrix(apart, step)
        apply_deferred(apart)
    inner = (slice(None), slice(8, -8), slice(10, -10))
    np.testing.assert_array_equal(apply_deferred(together)["image"][inner], apart["image"][inner])


def test_image_and_label_move_together():
    pose = RandomPose(prob=1.0)
    pose.set_random_state(seed=5)
    mask = np.zeros((1, 60, 84), dtype=np.uint8)
    mask[:, 20:35, 30:60] = 1
    moved = apply_deferred(pose({"image": mask.repeat(3, 0) * 255, "label": mask}))
    assert not np.array_equal(moved["label"], mask)
    assert np.mean((moved["image"][0] > 127) == (moved["label"][0] > 0)) > 0.99


def test_intensity_levels_are_the_formula():
    levels = intensity_levels(contrast=1.2, brightness=-0.05, gamma=0.9)
    value = ((100 / 255) ** 0.9 - 0.5) * 1.2 + 0.5 - 0.05
    assert levels[100] == pytest.approx(255 * value, abs=1e-3)
    assert levels.min() >= 0
    assert levels.max() <= 255


def test_levels_leave_the_label_alone_and_agree_for_bytes_and_floats():
    whole, real = item(), item()
    real["image"] = real["image"].astype(np.float32)
    for one in (whole, real):
        defer_levels(one, intensity_levels(0.9, 0.05, 1.1))
        apply_deferred(one)
    np.testing.assert_array_equal(whole["label"], item()["label"])
    np.testing.assert_allclose(whole["image"], real["image"], atol=0.51)


@pytest.mark.parametrize("transform", [RandomFlip(["rows", "columns"]), RandomPose(), RandomIntensity()])
def test_the_same_seed_gives_the_same_picture(transform):
    pictures = []
    for _ in range(2):
        transform.set_random_state(seed=11)
        pictures.append([apply_deferred(transform(item()))["image"] for _ in range(4)])
    np.testing.assert_array_equal(pictures[0], pictures[1])


def test_probability_zero_changes_nothing():
    for transform in (RandomFlip(prob=0.0), RandomPose(prob=0.0), RandomIntensity(prob=0.0)):
        np.testing.assert_array_equal(apply_deferred(transform(item()))["image"], item()["image"])


def test_an_unknown_axis_is_named():
    with pytest.raises(WrongCallError, match="unknown axis 'up'; use rows, columns"):
        RandomFlip(axes=["up"])
