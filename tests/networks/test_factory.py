"""Networks by name: strict options, sizes, weights that never come from the network."""

from __future__ import annotations

import pytest
import torch

from monai_tumor import registry
from monai_tumor.errors import PluginError, WrongCallError
from monai_tumor.networks import NetworkFactory, build

BUILT_IN = ("unet", "unetplusplus", "deeplabv3", "monai_unet")
LIGHT = {"encoder_name": "resnet18"}


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("channels", [1, 3])
def test_logits_have_the_size_of_the_image(name, channels):
    options = {} if name == "monai_unet" else LIGHT
    network = build(name, channels, 1, **options).eval()
    multiple = registry.load_named("networks", name).size_multiple
    with torch.inference_mode():
        logits = network(torch.zeros(1, channels, multiple * 2, multiple * 3))
    assert logits.shape == (1, 1, multiple * 2, multiple * 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"name": "unett"}, "unknown network 'unett'; did you mean 'unet'"),
        ({"name": "unet", "encoder_nme": "resnet18"}, "'encoder_nme'; did you mean 'encoder_name'"),
        ({"name": "monai_unet", "encoder_name": "resnet18"}, "unknown option of network 'monai_unet'"),
        ({"name": "unet", "encoder_name": "resnet3"}, "unknown encoder 'resnet3'"),
        ({"name": "unet", "image_size": (64, 100)}, "prepare#columns is 100, network 'unet' needs a multiple of 32"),
    ],
)
def test_mistakes_are_refused_with_the_nearest_name(call, message):
    with pytest.raises(WrongCallError, match=message):
        build(in_channels=1, out_channels=1, **call)


def test_none_means_the_networks_own_default():
    assert build("monai_unet", 1, 1, encoder_name=None, encoder_weights=None) is not None


def test_a_factory_that_swallows_keywords_is_refused():
    with pytest.raises(PluginError, match=r"takes \*\*kwargs"):
        NetworkFactory("loose", lambda in_channels, out_channels, **rest: None).options()


def test_imagenet_weights_are_not_fetched(tmp_path, monkeypatch):
    """The cache of this machine is made empty; an attempt to connect would fail the test by its time or its error."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("tried to reach the network"))
    with pytest.raises(WrongCallError, match="not on this machine and nothing is fetched silently"):
        build("unet", 3, 1, encoder_name="resnet18", encoder_weights="imagenet")


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_weights_come_from_a_file(tmp_path, suffix):
    from safetensors.torch import save_file

    donor = build("unet", 3, 1, **LIGHT).encoder.state_dict()
    path = tmp_path / f"weights{suffix}"
    (torch.save if suffix == ".pt" else save_file)(donor, path)
    loaded = build("unetplusplus", 3, 1, encoder_weights=str(path), **LIGHT).encoder.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in donor.items())


def test_a_grey_stem_answers_as_the_colour_stem_does(tmp_path):
    colour = build("unet", 3, 1, **LIGHT).encoder
    torch.save(colour.state_dict(), tmp_path / "weights.pt")
    grey = build("unet", 1, 1, encoder_weights=str(tmp_path / "weights.pt"), **LIGHT).encoder
    image = torch.rand(1, 1, 64, 96)
    torch.testing.assert_close(grey.conv1(image), colour.conv1(image.expand(-1, 3, -1, -1)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such file"), (b"rubbish", "cannot be read"), ({"x": torch.zeros(1)}, "do not fit encoder 'resnet18'")],
)
def test_weights_that_cannot_be_used_are_refused(tmp_path, content, message):
    path = tmp_path / "weights.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(WrongCallError, match=message):
        build("unet", 1, 1, encoder_weights=str(path), **LIGHT)


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_network_trains_with_a_short_batch_of_two(name):
    options = {} if name == "monai_unet" else LIGHT
    network = build(name, 1, 1, **options).train()
    network(torch.rand(2, 1, 64, 64)).mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
