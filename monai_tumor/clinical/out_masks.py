"""Masks as writers take them: on the grid of their source, with one number for each finding."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.clinical.source import SourceImage
from monai_tumor.errors import WrongCallError


def checked_labels(mask: NDArray[Any], source: SourceImage, most: int) -> NDArray[np.uint8]:
    """Return a mask as uint8.

    Args:
        mask: (frames, rows, columns), bool or whole numbers from 0 (nothing) to ``most``.
        source: The image that it belongs to.
        most: The highest label.

    Raises:
        WrongCallError: The mask has another shape than the source, another type, or other values.
    """
    expected = (source.frames, source.rows, source.columns)
    if mask.shape != expected:
        raise WrongCallError(f"the mask of {source.name} has shape {mask.shape}, expected {expected} as its source has")
    if mask.dtype.kind not in "bui":
        raise WrongCallError(
            f"the mask of {source.name} is of {mask.dtype}, expected bool or whole numbers; threshold it"
        )
    low, high = int(mask.min()), int(mask.max())
    if low < 0 or high > most:
        raise WrongCallError(f"the mask of {source.name} holds values from {low} to {high}, expected 0 to {most}")
    return mask.astype(np.uint8)
