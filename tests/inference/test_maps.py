"""The mean of probability maps, between sigmoid and threshold."""

from __future__ import annotations

import json

import torch
from monai.transforms import Activationsd

from monai_tumor.inference import MeanOfMaps


def test_the_mean_is_taken_over_the_maps_and_nothing_else():
    maps = torch.tensor([[[0.0, 1, 0.5], [0.2, 0.4, 0]], [[1.0, 0, 0.5], [0.4, 0, 0]]])
    item = MeanOfMaps()({"pred": maps, "name": "a"})
    assert item["name"] == "a" and item["pred"].shape == (1, 2, 3)
    assert torch.allclose(item["pred"][0], torch.tensor([[0.5, 0.5, 0.5], [0.3, 0.2, 0]]))


def test_one_map_stays_as_it_is():
    only = torch.rand(1, 3, 5)
    assert torch.equal(MeanOfMaps("probability")({"probability": only})["probability"], only)


def test_probabilities_are_averaged_and_not_logits():
    logits = torch.tensor([[[9.0]], [[-2.0]]])
    item = MeanOfMaps()(Activationsd("pred", sigmoid=True)({"pred": logits}))
    assert item["pred"].item() == torch.tensor([0.99987661, 0.11920292]).mean()


def test_every_bundle_takes_it_after_the_sigmoid_and_before_the_rest(bundle):
    steps = json.loads((bundle / "inference.json").read_text())["postprocessing"]["transforms"]
    targets = [step["_target_"].rpartition(".")[2] for step in steps]
    assert targets[:3] == ["Activationsd", "MeanOfMaps", "RestoreGeometry"]
