"""Transforms of MONAI between ours."""

from __future__ import annotations

import numpy as np
import torch
from monai.transforms import Flipd, Lambdad, RandGibbsNoised

from monai_tumor.pipeline import RandomFlip, RandomIntensity, RandomPose, TransformChain
from monai_tumor.pipeline.loader import collate_cases


def item() -> dict:
    image = np.random.default_rng(0).integers(0, 256, (30, 44, 3), dtype=np.uint8).transpose(2, 0, 1)
    return {"image": image, "label": (image[:1] > 128).astype(np.uint8), "case": "a"}


def test_what_waits_is_applied_before_a_foreign_transform_sees_the_item():
    seen = []
    chain = TransformChain([RandomFlip(prob=1.0), Lambdad("image", lambda image: seen.append(image.copy()) or image)])
    chain(item())
    np.testing.assert_array_equal(seen[0], item()["image"][:, :, ::-1])


def test_our_flip_then_monais_flip_gives_the_item_back():
    chain = TransformChain([RandomFlip(prob=1.0), Flipd(["image", "label"], spatial_axis=1)])
    np.testing.assert_array_equal(np.asarray(chain(item())["image"]), item()["image"])


def test_a_transform_nobody_here_thought_of_works_in_the_middle():
    chain = TransformChain(
        [
            RandomPose(prob=1.0),
            RandGibbsNoised("image", prob=1.0, alpha=(0.6, 0.6)),
            RandomFlip(prob=1.0),
            RandomIntensity(),
        ]
    )
    batch = collate_cases([chain(item()), chain(item())])
    assert batch["image"].shape == (2, 3, 30, 44)
    assert batch["image"].dtype == torch.float32
    assert 0 < float(batch["image"].mean()) < 255


def test_a_chain_can_be_replayed_from_a_seed():
    chain = TransformChain([RandomFlip(), RandomPose(), RandGibbsNoised("image", prob=0.5), RandomIntensity()])
    runs = []
    for _ in range(2):
        chain.set_random_state(seed=4)
        runs.append([np.asarray(chain(item())["image"], dtype=np.float32) for _ in range(3)])
    np.testing.assert_array_equal(runs[0], runs[1])


def test_the_arrays_of_the_input_are_not_changed():
    original = item()
    TransformChain([RandomFlip(prob=1.0), RandomIntensity(prob=1.0)])(original)
    np.testing.assert_array_equal(original["image"], item()["image"])


def test_a_foreign_transform_may_write_into_what_came_from_the_cache():
    cached = np.full((1, 3, 5), 7, np.uint8)
    cached.flags.writeable = False

    def blacken(item):
        item["image"][:] = 0
        return item

    assert not TransformChain([blacken])({"image": cached})["image"].any()
    assert cached.all()
