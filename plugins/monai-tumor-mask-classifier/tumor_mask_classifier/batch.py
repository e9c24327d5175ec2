"""A batch of images, masks and classes as the network takes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from monai_tumor.training import BatchPreparation


class DiagnosisBatch(BatchPreparation):
    """Image channels normalised as the network wants, and behind them one channel of 0 and 1: the mask.

    Args:
        network: Says by ``normalisation`` (see ``networks.build``) what input it is made for.
    """

    def __call__(
        self, batch: dict[str, Any], device: torch.device | str | None = None, non_blocking: bool = False, **_: Any
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return input and target.

        Args:
            batch: ``image`` (batch, channels, rows, columns) in 0..255; ``label``, the mask, (batch, 1, rows, columns) of 0
                and 1, a list with None where an image has none, or absent; ``target`` (batch,), the class, where known.
            device: Where they go.
            non_blocking: Whether the copy may overlap with computing.

        Returns:
            float32 (batch, channels + 1, rows, columns), channels-last, and int64 (batch,), or None without classes.
        """
        image, mask = super().__call__(batch, device, non_blocking)
        if mask is None:
            mask = _some_masks(batch.get("label"), image)
        target = batch.get("target")
        both = torch.cat([image, mask], dim=1).contiguous(memory_format=torch.channels_last)
        return both, None if target is None else target.to(device=device, dtype=torch.int64, non_blocking=non_blocking)


def _some_masks(masks: list[Any] | None, image: torch.Tensor) -> torch.Tensor:
    """Return the masks there are, and empty ones for images without."""
    filled = torch.zeros_like(image[:, :1])
    for place, mask in enumerate(masks or []):
        if mask is not None:
            filled[place] = torch.as_tensor(np.asarray(mask)).to(filled)
    return filled
