"""Pictures for people: outlines on an image, and rows of image, reference and prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.imaging.prepare import robust_range, scale_to_bytes

Pixels = NDArray[Any]
Row = tuple[Pixels, Pixels | None, Pixels, str]
Colour = tuple[int, int, int]

# Orange and sky blue of Okabe and Ito (2008): told apart by all common kinds of colour blindness, and on grey.
PREDICTION_COLOUR = (230, 159, 0)
REFERENCE_COLOUR = (86, 180, 233)
_WHITE = (255, 255, 255)

_TILE_ROWS = 224
_CAPTION_ROWS = 20
_GAP = 4
_PIXELS_PER_LINE_WIDTH = 300
_LEAST_COLUMNS = 150  # of a tile, for its caption


@dataclass(frozen=True, slots=True, eq=False)
class ComparedCase:
    """One case as several methods outline it.

    Attributes:
        image: (R, C) or (R, C, 3), uint8 or uint16.
        reference: (R, C) bool, or None for none.
        caption: Stands over the image.
        predictions: Caption and mask (R, C) bool of each method; the mask is None where there is none.
    """

    image: Pixels
    reference: Pixels | None
    caption: str
    predictions: Sequence[tuple[str, Pixels | None]]


@dataclass(frozen=True, slots=True, eq=False)
class _Panel:
    """The image once, with outlines, under a caption."""

    caption: str
    colour: Colour
    prediction: Pixels | None = None
    reference: Pixels | None = None


def outline_picture(image: Pixels, prediction: Pixels | None, reference: Pixels | None = None) -> NDArray[np.uint8]:
    """Draw the outlines of masks on an image: prediction orange, reference blue and a little wider beneath.

    Args:
        image: (R, C) or (R, C, 3), uint8 or uint16.
        prediction: (R, C) bool, or None for none.
        reference: (R, C) bool, or None for none.

    Returns:
        (R, C, 3) uint8 RGB.

    Raises:
        WrongDataError: A mask has another size than the image.
    """
    picture = _as_rgb(image)
    width = 1 + min(picture.shape[:2]) // _PIXELS_PER_LINE_WIDTH
    _draw_outline(picture, reference, REFERENCE_COLOUR, width + (2 if prediction is not None else 0))
    _draw_outline(picture, prediction, PREDICTION_COLOUR, width)
    return picture


def captioned(picture: NDArray[np.uint8], captions: Sequence[str]) -> NDArray[np.uint8]:
    """Return a picture with lines of text above it, white on black; lines that are too long are cut off.

    Args:
        picture: (R, C, 3) uint8 RGB.
        captions: The lines.

    Returns:
        (R + lines, C, 3) uint8 RGB; a narrow picture gets black columns to its right.
    """
    width = max(_LEAST_COLUMNS * 2, picture.shape[1])
    strips = [_strip(caption, width, _WHITE) for caption in captions]
    widened = np.pad(picture, ((0, 0), (0, width - picture.shape[1]), (0, 0)))
    return np.concatenate([*strips, widened])


def comparison_picture(rows: Sequence[Row]) -> NDArray[np.uint8]:
    """Show cases one below the other: image, outlined reference, outlined prediction, under a caption.

    Args:
        rows: For each case image (R, C[, 3]), reference (R, C) bool or None, prediction (R, C) bool, and a caption.
            Sizes may differ; every tile is brought to one height.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        WrongCallError: There is no case.
        WrongDataError: A mask has another size than its image.
    """
    return _sheet([(row[0], _agreement_panels(*row[1:])) for row in rows])


def methods_picture(cases: Sequence[ComparedCase]) -> NDArray[np.uint8]:
    """Show cases one below the other: image with reference, then what each method outlines, under captions.

    Args:
        cases: The cases, each with as many predictions. Sizes may differ; every tile is brought to one height.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        WrongCallError: There is no case.
        WrongDataError: A mask has another size than its image.
    """
    return _sheet([(case.image, _method_panels(case)) for case in cases])


def _agreement_panels(reference: Pixels | None, prediction: Pixels, caption: str) -> list[_Panel]:
    expert = "reference" if reference is not None else "no reference"
    return [
        _Panel(caption, _WHITE),
        _Panel(expert, REFERENCE_COLOUR, reference=reference),
        _Panel("prediction", PREDICTION_COLOUR, prediction),
    ]


def _method_panels(case: ComparedCase) -> list[_Panel]:
    methods = [_Panel(caption, PREDICTION_COLOUR, mask, case.reference) for caption, mask in case.predictions]
    return [_Panel(case.caption, _WHITE, reference=case.reference), *methods]


def _sheet(rows: Sequence[tuple[Pixels, Sequence[_Panel]]]) -> NDArray[np.uint8]:
    """Show images one below the other, each as often as it has panels, side by side."""
    if not rows:
        raise WrongCallError("a picture of cases needs at least one case; give some")
    tiles = [_tiles(image, panels) for image, panels in rows]
    width = max(_LEAST_COLUMNS, *(tile.shape[1] for row_tiles in tiles for tile in row_tiles))
    return np.concatenate([_band(own, panels, width) for own, (_, panels) in zip(tiles, rows, strict=True)])


def _as_rgb(image: Pixels) -> NDArray[np.uint8]:
    """Return a copy, because outlines are drawn into it."""
    grey = image if image.dtype == np.uint8 else scale_to_bytes(image, *robust_range(image))
    return np.array(grey if grey.ndim == 3 else np.repeat(grey[..., None], 3, axis=2), np.uint8, order="C")


def _draw_outline(picture: NDArray[np.uint8], mask: Pixels | None, colour: Colour, width: int) -> None:
    if mask is None:
        return
    _check_size(mask, picture)
    contours, _ = cv2.findContours((mask != 0).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, contours, -1, colour, width)


def _check_size(mask: Pixels, image: Pixels) -> None:
    if mask.shape != image.shape[:2]:
        raise WrongDataError(f"a mask of {mask.shape} was to be drawn on an image of {image.shape[:2]}; check both")


def _tiles(image: Pixels, panels: Sequence[_Panel]) -> list[NDArray[np.uint8]]:
    """Enlarge first and draw afterwards, so that a line is a line at any size."""
    picture = _tile(_as_rgb(image))
    return [
        outline_picture(picture, _tile_mask(panel.prediction, image), _tile_mask(panel.reference, image))
        for panel in panels
    ]


def _tile(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    shrinks = picture.shape[0] > _TILE_ROWS
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, _tile_size(picture), interpolation=method), np.uint8)


def _tile_mask(mask: Pixels | None, image: Pixels) -> NDArray[np.bool_] | None:
    if mask is None:
        return None
    _check_size(mask, image)
    resized = cv2.resize((mask != 0).astype(np.uint8), _tile_size(image), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(resized, bool)


def _tile_size(picture: Pixels) -> tuple[int, int]:
    return max(1, round(picture.shape[1] * _TILE_ROWS / picture.shape[0])), _TILE_ROWS


def _band(tiles: Sequence[NDArray[np.uint8]], panels: Sequence[_Panel], width: int) -> NDArray[np.uint8]:
    step = width + _GAP
    band = np.zeros((_CAPTION_ROWS + _TILE_ROWS + _GAP, len(tiles) * step - _GAP, 3), np.uint8)
    for left, tile, panel in zip(range(0, band.shape[1], step), tiles, panels, strict=True):
        band[:_CAPTION_ROWS, left : left + width] = _strip(panel.caption, width, panel.colour)
        band[_CAPTION_ROWS : _CAPTION_ROWS + _TILE_ROWS, left : left + tile.shape[1]] = tile
    return band


def _strip(caption: str, width: int, colour: Colour) -> NDArray[np.uint8]:
    """Return one line of text, drawn apart, so that a long caption is cut off."""
    strip = Image.new("RGB", (width, _CAPTION_ROWS))
    ImageDraw.Draw(strip).text((2, 2), caption, fill=colour, font=ImageFont.load_default(13))
    return np.asarray(strip)
