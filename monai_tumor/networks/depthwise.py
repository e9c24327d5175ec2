"""Depthwise convolutions that train fast in mixed precision on a CPU."""

from __future__ import annotations

import torch
from torch import nn


class _InFloat32(nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        if not (image.device.type == "cpu" and torch.is_autocast_enabled("cpu")):
            plain: torch.Tensor = super().forward(image)
            return plain
        with torch.autocast("cpu", enabled=False):
            result: torch.Tensor = super().forward(image.float())
        return result.to(torch.get_autocast_dtype("cpu"))


def keep_depthwise_in_float32(network: nn.Module) -> None:
    """Let large, strided and dilated depthwise convolutions compute in float32 where autocast on a CPU would take bfloat16.

    oneDNN as of torch 2.15 has no fast gradient of these in bfloat16: by the input with a stride it takes up to 200 times,
    by the weights of a 5x5 kernel 4 times as long as in float32. In an EfficientNet they were more than half of a training
    step. On other devices and without autocast nothing changes, and the names of the weights stay as they are.

    Args:
        network: Changed in place.
    """
    from timm.layers.conv2d_same import Conv2dSame

    in_float32: dict[type[nn.Module], type[nn.Module]] = {
        kind: type(f"{kind.__name__}InFloat32", (_InFloat32, kind), {}) for kind in (nn.Conv2d, Conv2dSame)
    }
    for layer in network.modules():
        if type(layer) in in_float32 and _is_slow(layer):
            layer.__class__ = in_float32[type(layer)]


def _is_slow(layer: nn.Module) -> bool:
    if not isinstance(layer, nn.Conv2d) or layer.groups != layer.in_channels or layer.groups == 1:
        return False
    return max(*layer.stride, *layer.dilation) > 1 or max(layer.kernel_size) > 3
