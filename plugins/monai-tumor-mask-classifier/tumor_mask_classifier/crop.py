"""An image cut to its lesion."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongCallError


def check_crop(crop: float | None) -> None:
    """Refuse a context that cannot be.

    Raises:
        WrongCallError: It is neither None nor a finite number from 0 up.
    """
    if crop is not None and (isinstance(crop, bool) or not isinstance(crop, int | float) or not 0 <= crop < math.inf):
        raise WrongCallError(
            f"crop is {crop!r}, expected null, or the context as a share of the lesion's longer side (0.2)"
        )


def crop_to_lesion(
    image: NDArray[Any], mask: NDArray[np.bool_], context: float | None
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Cut image and mask to the box around all foreground, with as much context on every side as the image has.

    Pixels are cut and not resized, so the lesion keeps its shape.

    Args:
        image: (rows, columns[, 3]).
        mask: (rows, columns).
        context: Share of the longer side of the box that is added on each side; None cuts nothing.

    Returns:
        Views of both; all of them where the mask is empty.
    """
    window = lesion_window(mask, context)
    return image[window], mask[window]


def lesion_window(mask: NDArray[np.bool_], context: float | None) -> tuple[slice, slice]:
    """Return the rows and columns that ``crop_to_lesion`` keeps."""
    if context is None or not mask.any():
        return slice(0, mask.shape[0]), slice(0, mask.shape[1])
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    margin = round(context * (max(np.ptp(rows), np.ptp(columns)) + 1))
    row, column = (
        slice(max(0, int(places[0]) - margin), min(size, int(places[-1]) + 1 + margin))
        for places, size in zip((rows, columns), mask.shape, strict=True)
    )
    return row, column
