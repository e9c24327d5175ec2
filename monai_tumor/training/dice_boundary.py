"""Dice plus weighted boundary loss."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from monai_tumor.training.dice_bce import DiceBceLoss


class DiceBoundaryLoss(nn.Module):
    """``Dice + weight * mean(p d)``, ``p = sigmoid(x)``, ``d`` the signed distance to the contour (Kervadec et al., 2019).

    Distances are shares of the longer side of the image, negative inside the lesion, so that the weight does not depend on
    the size; an empty reference has no contour and gives 0. The second term is negative for a good prediction.

    Args:
        weight: Weight of the boundary term.
    """

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight
        self.dice = DiceBceLoss(0.0)

    def forward(self, logits: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        """Return the scalar loss.

        Args:
            logits: (batch, 1, rows, columns) float32.
            reference: Same shape, 0 and 1.
        """
        maps = np.stack([signed_distance(mask[0] > 0.5) for mask in reference.detach().cpu().numpy()])
        distance = torch.from_numpy(maps[:, None]).to(logits.device) / max(logits.shape[-2:])
        loss: torch.Tensor = self.dice(logits, reference) + self.weight * (torch.sigmoid(logits) * distance).mean()
        return loss


def signed_distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the distance in pixels from each pixel to the nearest one on the other side of the contour.

    Args:
        mask: (rows, columns).

    Returns:
        (rows, columns): negative inside the mask, positive outside, 0 everywhere if all pixels are alike.
    """
    inside = mask.astype(np.uint8)
    if inside.min() == inside.max():
        return np.zeros(mask.shape, np.float32)
    to_lesion, to_ground = (
        cv2.distanceTransform(side, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for side in (1 - inside, inside)
    )
    return np.asarray(to_lesion - to_ground, np.float32)
