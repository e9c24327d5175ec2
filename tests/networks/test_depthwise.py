"""Depthwise convolutions in mixed precision."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from monai_tumor.networks import build
from monai_tumor.networks.depthwise import keep_depthwise_in_float32


def layers() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.Conv2d(8, 8, 3, groups=8),
        nn.Conv2d(8, 8, 3, stride=2, groups=8),
        nn.Conv2d(8, 8, 5, groups=8),
        nn.Conv2d(8, 8, 3, dilation=2, padding=2, groups=8),
        nn.Conv2d(8, 8, 3, stride=2, groups=2),
    )


def test_only_large_strided_and_dilated_depthwise_ones_are_changed():
    network = layers()
    keep_depthwise_in_float32(network)
    assert [type(layer) is nn.Conv2d for layer in network] == [True, True, False, False, False, True]


def test_nothing_changes_without_autocast():
    network, plain = layers(), layers()
    keep_depthwise_in_float32(network)
    image = torch.randn(2, 3, 31, 44)
    assert torch.equal(network(image), plain(image))
    assert list(network.state_dict()) == list(plain.state_dict())


@pytest.mark.parametrize("position", [2, 3, 4])
def test_under_autocast_the_gradients_are_those_of_float32(position):
    exact, layer = layers()[position], copy.deepcopy(layers())
    keep_depthwise_in_float32(layer)
    image = torch.randn(2, 8, 17, 22)
    results = []
    for network, half in ((exact, False), (layer[position], True)):
        network.zero_grad()
        given = image.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            result = network(given)
        result.float().sum().backward()
        results.append((given.grad, network.weight.grad))
        assert result.dtype == (torch.bfloat16 if half else torch.float32)
    torch.testing.assert_close(results[0], results[1])


def test_a_pretrained_encoder_has_some():
    network = build("unet", 1, 1, encoder_name="tu-tf_efficientnet_lite0")
    assert sum("InFloat32" in type(layer).__name__ for layer in network.modules()) > 5
    assert build("unet", 1, 1)(torch.zeros(1, 1, 33, 40)).shape == (1, 1, 33, 40)
