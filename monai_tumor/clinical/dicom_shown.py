"""Stored DICOM values to what is meant to be seen: rescaled, coloured, and brighter where there is more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.clinical.levels import Levels, brighter_is_more, to_levels
from monai_tumor.clinical.limits import guarded

_UNCHANGED = (1.0, 0.0)


def shown_levels(
    dataset: Any, stored: NDArray[Any], rescale: Sequence[tuple[float, float]], name: str
) -> tuple[Levels, tuple[str, ...]]:
    """Turn stored values into levels.

    Grey values keep their stored numbers where one slope and intercept hold for all frames: those become the scale
    and offset of the levels. A modality look-up table is applied, a palette becomes colours, MONOCHROME1 is inverted;
    overlays and windows are ignored.

    Args:
        dataset: The pydicom data set.
        stored: (frames, rows, columns) or (frames, rows, columns, 3) RGB.
        rescale: Slope and intercept of every frame.
        name: What the input is called.

    Returns:
        Levels, (frames, rows, columns[, 3]) uint8 or uint16, and notes for the user.

    Raises:
        WrongDataError: A table is damaged, or the values have another type.
    """
    if stored.ndim == 4:
        return Levels(stored), ()
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        return Levels(_coloured(dataset, stored, name)), ()
    inverted = dataset.PhotometricInterpretation == "MONOCHROME1"
    if dataset.get("ModalityLUTSequence"):
        levels = to_levels(name, _looked_up(dataset, stored, name))
        return brighter_is_more(levels, inverted), ()
    return brighter_is_more(*_rescaled(dataset, stored, rescale, name, inverted)), _rescale_notes(rescale)


def _rescaled(
    dataset: Any, stored: NDArray[Any], rescale: Sequence[tuple[float, float]], name: str, inverted: bool
) -> tuple[Levels, bool, int | None]:
    slope, intercept = rescale[0]
    if len(set(rescale)) > 1:
        # A slope for each frame (Philips MR, PET): only the values are comparable, not the stored numbers.
        values = [frame * one + two for frame, (one, two) in zip(stored.astype(np.float32), rescale, strict=True)]
        return to_levels(name, np.stack(values)), inverted, None
    if slope == 0:
        slope, intercept = _UNCHANGED
    top = (1 << int(dataset.BitsStored)) - 1 if stored.dtype.kind == "u" and stored.dtype.itemsize <= 2 else None
    return to_levels(name, stored, slope, intercept), inverted, top


def _rescale_notes(rescale: Sequence[tuple[float, float]]) -> tuple[str, ...]:
    return ("the header states a Rescale Slope of 0, which is ignored",) if any(not one for one, _ in rescale) else ()


def _coloured(dataset: Any, stored: NDArray[Any], name: str) -> NDArray[np.uint8]:
    from pydicom.pixels.processing import apply_color_lut

    with guarded(name, "its palette"):
        colours = apply_color_lut(stored, dataset)
    # Tables of 16 bits end at 65280 or 65535; a shift by eight gives the colours of both, a division does not.
    return np.asarray(colours >> 8 if colours.dtype.itemsize == 2 else colours, np.uint8)


def _looked_up(dataset: Any, stored: NDArray[Any], name: str) -> NDArray[Any]:
    from pydicom.pixels.processing import apply_modality_lut

    with guarded(name, "its Modality LUT"):
        return np.asarray(apply_modality_lut(stored, dataset))
