"""MONAI's residual U-Net (Kerfoot et al., 2018): the light network, a twentieth of U-Net++'s arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from monai_tumor.networks.factory import NetworkFactory


def create_monai_unet(
    in_channels: int, out_channels: int, *, channels: Sequence[int] = (16, 32, 64, 128, 256), residual_units: int = 2
) -> nn.Module:
    """Return MONAI's 2-D UNet with strides of 2 and batch normalisation.

    Args:
        in_channels: Channels of the image.
        out_channels: Channels of the logits.
        channels: Feature channels of each level, from full resolution down.
        residual_units: Convolutions in each residual block.
    """
    from monai.networks.nets import UNet

    network: nn.Module = UNet(
        spatial_dims=2,
        in_channels=in_channels,
        out_channels=out_channels,
        channels=tuple(channels),
        strides=(2,) * (len(channels) - 1),
        num_res_units=residual_units,
        norm="batch",
    )
    network.size_multiple = 2 ** (len(channels) - 1)
    return network


MONAI_UNET = NetworkFactory("monai_unet", create_monai_unet)
