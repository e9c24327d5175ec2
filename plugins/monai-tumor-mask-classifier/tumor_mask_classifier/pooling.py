"""From a feature map to one vector for each image."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, max_pool2d


class GlobalPooling(nn.Module):
    """The mean of the features over the image."""

    def forward(self, features: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return (batch, channels); the mask is not looked at."""
        return features.mean(dim=(2, 3))


class LesionPooling(nn.Module):
    """The means of the features inside the mask, in the rim around it and everywhere, one behind the other.

    The rim is one place of the feature map wide. Where there is nothing inside (an empty mask) or no rim (a mask of the whole
    image), the mean is that over the image.
    """

    def forward(self, features: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return (batch, 3 * channels).

        Args:
            features: (batch, channels, rows, columns).
            mask: (batch, 1, image rows, image columns) of 0 and 1; a place counts by the share of it that is foreground.
        """
        inside = adaptive_avg_pool2d(mask, (features.size(-2), features.size(-1)))
        rim = max_pool2d(inside, 3, stride=1, padding=1) - inside
        everywhere = features.mean(dim=(2, 3))
        means = [_weighted_mean(features, weights, everywhere) for weights in (inside, rim)]
        return torch.cat([*means, everywhere], dim=1)


def _weighted_mean(features: torch.Tensor, weights: torch.Tensor, otherwise: torch.Tensor) -> torch.Tensor:
    """Return the mean (batch, channels) by ``weights`` (batch, 1, rows, columns), or ``otherwise`` where all are 0."""
    total = weights.sum(dim=(2, 3))
    mean = (features * weights).sum(dim=(2, 3)) / total.clamp(min=1e-6)
    return torch.where(total > 0, mean, otherwise)
