"""Images of any size for networks that halve them several times."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import pad

# Here and not in forward, where TorchScript would read the comment as the type of the function.
is_tracing: Callable[[], bool] = torch.jit.is_tracing  # type: ignore[attr-defined]


class AnySize(nn.Module):
    """Repeats the last row and column of an image up to a multiple, and crops the logits to the image again.

    An image that fits goes through as it is. A trace always holds the padding (of nothing, for an image that fits), so
    that a traced network takes images of any size too.

    Args:
        network: Maps (batch, channels, rows, columns) to logits of the same rows and columns.
        multiple: What rows and columns must be a multiple of, in pixels.
    """

    def __init__(self, network: nn.Module, multiple: int) -> None:
        super().__init__()
        self.network, self.multiple = network, multiple

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the logits (batch, classes, rows, columns) of an image (batch, channels, rows, columns)."""
        rows, columns = image.size(-2), image.size(-1)
        below, right = -rows % self.multiple, -columns % self.multiple
        if self.training and image.size(0) == 1 and max(rows, columns) <= self.multiple:
            right += self.multiple  # coarsest features of one pixel: batch normalisation has no deviation of one value
        if is_tracing() or below + right > 0:
            padded = pad(image, [0, right, 0, below], mode="replicate")
            logits: torch.Tensor = self.network(padded)
            return logits[..., :rows, :columns]
        fitting: torch.Tensor = self.network(image)
        return fitting
