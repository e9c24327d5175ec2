"""MONAI's SegResNet (Myronenko, 2018), without its variational branch."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from monai_tumor.networks.factory import NetworkFactory


def create_segresnet(
    in_channels: int, out_channels: int, *, init_filters: int = 16, blocks_down: Sequence[int] = (1, 2, 2, 4)
) -> nn.Module:
    """Return MONAI's 2-D SegResNet with batch normalisation and one residual block at each level on the way up.

    Args:
        in_channels: Channels of the image.
        out_channels: Channels of the logits.
        init_filters: Feature channels at full resolution; they double at each level.
        blocks_down: Residual blocks of each level, from full resolution down.
    """
    from monai.networks.nets import SegResNet

    network: nn.Module = SegResNet(
        spatial_dims=2,
        in_channels=in_channels,
        out_channels=out_channels,
        init_filters=init_filters,
        blocks_down=tuple(blocks_down),
        blocks_up=(1,) * (len(blocks_down) - 1),
        norm="batch",
    )
    network.size_multiple = 2 ** (len(blocks_down) - 1)
    return network


SEGRESNET = NetworkFactory("segresnet", create_segresnet)
