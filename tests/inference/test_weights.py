"""Trained weights, strictly."""

from __future__ import annotations

import pytest
import torch
from ignite.engine import Engine
from torch import nn

from monai_tumor.errors import WrongCallError
from monai_tumor.inference import WeightsCheckpointLoader


def start(root, network):
    engine = Engine(lambda *_: None)
    engine.state.device = torch.device("cpu")
    WeightsCheckpointLoader(str(root), network).attach(engine)
    engine.run([0])


def test_weights_are_loaded_when_the_engine_starts(tmp_path):
    (tmp_path / "models").mkdir()
    donor, network = nn.Linear(3, 2), nn.Linear(3, 2)
    torch.save(donor.state_dict(), tmp_path / "models" / "model.pt")
    start(tmp_path, network)
    assert torch.equal(network.weight, donor.weight)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "has no trained weights"),
        (b"x", "it is damaged"),
        ({"weight": torch.zeros(9)}, "does not fit this network"),
    ],
)
def test_weights_that_cannot_be_used_are_named(tmp_path, content, message):
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "model.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(WrongCallError, match=message):
        start(tmp_path, nn.Linear(3, 2))
