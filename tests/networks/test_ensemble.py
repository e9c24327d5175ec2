"""Several networks as one: a map each, their weights in one state dict, images of any size."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from monai_tumor.errors import WrongCallError
from monai_tumor.networks import FoldEnsemble, build, build_ensemble
from monai_tumor.networks.ensemble import ClassFoldEnsemble
from monai_tumor.networks.normalisation import Normalisation, normalisation_of

NETWORK = {"name": "monai_unet", "in_channels": 1, "out_channels": 1, "channels": [4, 8]}


@pytest.fixture
def ensemble() -> FoldEnsemble:
    return build_ensemble(members=3, **NETWORK).eval()


@torch.no_grad()
@pytest.mark.parametrize("size", [(8, 12), (7, 13), (1, 5)])
def test_each_channel_is_what_one_member_says(ensemble, size):
    image = torch.rand(2, 1, *size)
    logits = ensemble(image)
    assert logits.shape == (2, 3, *size) and logits.dtype == torch.float32
    for channel, member in enumerate(ensemble):
        assert torch.equal(logits[:, channel : channel + 1], member(image))
    assert not torch.equal(logits[:, 0], logits[:, 1])


@torch.no_grad()
def test_weights_of_runs_are_joined_under_their_number_and_loaded_strictly(ensemble):
    runs = [build(**NETWORK).eval() for _ in range(3)]
    weights = {f"{k}.{name}": value for k, run in enumerate(runs) for name, value in run.state_dict().items()}
    ensemble.load_state_dict(weights)
    image = torch.rand(1, 1, 6, 9)
    assert torch.equal(ensemble(image), torch.cat([run(image) for run in runs], dim=1))
    missing = copy.copy(weights)
    del missing["2.network.model.0.conv.unit0.conv.weight"]
    with pytest.raises(RuntimeError, match=r"2\.network\.model"):
        ensemble.load_state_dict(missing)


@torch.no_grad()
def test_a_trace_takes_images_of_any_size(ensemble):
    traced = torch.jit.trace(ensemble, torch.rand(1, 1, 8, 8))
    image = torch.rand(2, 1, 9, 14)
    assert torch.allclose(traced(image), ensemble(image), atol=1e-6)


def test_the_input_is_normalised_as_the_members_were_trained():
    stated = {"mean": [0.2], "std": [0.1]}
    ensemble = build_ensemble(members=2, **NETWORK, normalisation=stated)
    assert normalisation_of(ensemble) == Normalisation((0.2,), (0.1,))
    members = [build(**NETWORK), build(**NETWORK, normalisation=stated)]
    with pytest.raises(WrongCallError, match="an ensemble of 2 networks has 2 normalisations"):
        FoldEnsemble(members)


def test_what_a_run_records_about_the_encoder_is_kept():
    network = {"name": "unet", "in_channels": 1, "out_channels": 1, "encoder_name": "resnet18"}
    assert build_ensemble(members=2, **network).encoder_source == build(**network).encoder_source != {}


@pytest.mark.parametrize("wrong", [{"members": 0}, {"members": 2, "out_channels": 2}])
def test_what_gives_no_map_a_member_is_refused(wrong):
    with pytest.raises(WrongCallError, match="expected 1 or more members of 1 channel each"):
        build_ensemble(**{**NETWORK, **wrong})


def test_networks_are_listed_without_torch():
    import subprocess
    import sys

    code = "import sys, monai_tumor.networks; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert issubclass(FoldEnsemble, nn.Module)


class _Constant(nn.Module):
    """Gives the same class logits for every image."""

    def __init__(self, logits: list[float]) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor([logits]))
        self.normalisation = Normalisation()

    def forward(self, image):
        return self.logits.expand(len(image), -1)


def test_classifiers_give_the_mean_of_their_logits():
    ensemble = ClassFoldEnsemble([_Constant([1.0, 0.0, -2.0]), _Constant([3.0, 1.0, 0.0])])
    assert ensemble(torch.zeros(2, 1, 5, 7)).tolist() == [[2.0, 0.5, -1.0]] * 2
