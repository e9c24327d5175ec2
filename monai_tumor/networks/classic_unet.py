"""The U-Net of Ronneberger et al. (2015) with same-size convolutions, as notebooks write it by hand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from monai_tumor.errors import WrongCallError, unknown_name
from monai_tumor.networks.factory import NetworkFactory

_POOLS = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}
_PLACES_OF_DROPOUT = 3


class ClassicUnet(nn.Module):
    """Two 3x3 convolutions with ReLU at each level, 2x2 pooling down, transposed convolutions up, concatenated skips.

    It returns logits. Where an original ends in a sigmoid or a ReLU, that belongs to the loss here. Weights begin as He
    et al. (2015) draw them, biases at 0.

    Args:
        in_channels: Channels of the image.
        out_channels: Channels of the logits.
        channels: Feature channels of each level, from full resolution down.
        batch_norm: Whether batch normalisation stands between each 3x3 convolution and its ReLU.
        pool: ``max`` or ``average``.
        dropout: Shares of values set to 0 in training, at three places: after each pooling, after each concatenation
            and after each level of the decoder.
        upsample_kernel: Rows and columns of the transposed convolutions' kernel, 2 or 3; their stride is 2.

    Raises:
        WrongCallError: An option is none of these.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        channels: Sequence[int] = (64, 128, 256, 512, 1024),
        batch_norm: bool = False,
        pool: str = "max",
        dropout: Sequence[float] = (0.0, 0.0, 0.0),
        upsample_kernel: int = 2,
    ) -> None:
        super().__init__()
        _check(channels, pool, dropout, upsample_kernel)
        widths = [int(width) for width in channels]
        pooled, concatenated, decoded = (float(share) for share in dropout)
        self.first = _convolutions(in_channels, widths[0], batch_norm)
        self.down = nn.ModuleList(
            nn.Sequential(_POOLS[pool](2), nn.Dropout(pooled), _convolutions(fine, coarse, batch_norm))
            for fine, coarse in pairwise(widths)
        )
        levels = list(pairwise(reversed(widths)))
        self.upsample = nn.ModuleList(_doubling(coarse, fine, upsample_kernel) for coarse, fine in levels)
        self.decode = nn.ModuleList(
            nn.Sequential(nn.Dropout(concatenated), _convolutions(2 * fine, fine, batch_norm), nn.Dropout(decoded))
            for _, fine in levels
        )
        self.head = nn.Conv2d(widths[0], out_channels, 1)
        self.size_multiple = 2 ** len(levels)
        self.apply(_initialise)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the logits (batch, out_channels, rows, columns) of an image (batch, in_channels, rows, columns)."""
        features = [self.first(image)]
        for down in self.down:
            features.append(down(features[-1]))
        decoded = features.pop()
        for upsample, decode in zip(self.upsample, self.decode, strict=True):
            decoded = decode(torch.cat([upsample(decoded), features.pop()], dim=1))
        logits: torch.Tensor = self.head(decoded)
        return logits


CLASSIC_UNET = NetworkFactory("classic_unet", ClassicUnet)


def _check(channels: Sequence[int], pool: str, dropout: Sequence[float], upsample_kernel: int) -> None:
    if not channels:
        raise WrongCallError("channels of network 'classic_unet' are none, expected one width for each level")
    if pool not in _POOLS:
        raise unknown_name("pool of network 'classic_unet':", str(pool), _POOLS)
    if upsample_kernel not in (2, 3):
        raise WrongCallError(f"upsample_kernel of network 'classic_unet' is {upsample_kernel!r}, expected 2 or 3")
    if not isinstance(dropout, Sequence) or len(dropout) != _PLACES_OF_DROPOUT:
        raise WrongCallError(
            f"dropout of network 'classic_unet' is {dropout!r}, expected three shares: after each pooling, after each "
            "concatenation, after each level of the decoder"
        )


def _convolutions(in_channels: int, out_channels: int, batch_norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (in_channels, out_channels):
        layers.append(nn.Conv2d(width, out_channels, 3, padding=1))
        layers += [nn.BatchNorm2d(out_channels)] if batch_norm else []
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def _doubling(in_channels: int, out_channels: int, kernel: int) -> nn.ConvTranspose2d:
    surplus = kernel - 2  # rows and columns that a larger kernel than the stride adds
    return nn.ConvTranspose2d(in_channels, out_channels, kernel, stride=2, padding=surplus, output_padding=surplus)


def _initialise(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
