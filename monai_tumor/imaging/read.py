"""Image and mask files to arrays, by content and never by file name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from monai_tumor.errors import WrongDataError

Pixels = NDArray[Any]

MAX_PIXELS = 100_000_000
"""Largest rows x columns that is decoded: about ten times the largest mammogram."""

_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")
_GREY_WITH_ALPHA = ("LA", "La")
_LEVELS_SHOWN = 6


def read_image(path: str | os.PathLike[str]) -> Pixels:
    """Read a PNG, TIFF, BMP, JPEG, GIF or WebP picture as it is meant to be seen.

    EXIF rotation is applied, palettes are turned into colours, alpha is dropped, 1-bit becomes 0/255. 16-bit grey
    is kept; Pillow reduces 16-bit colour to 8 bits.

    Returns:
        (rows, columns) or (rows, columns, 3), uint8 or uint16; three equal channels are left as they are.

    Raises:
        WrongDataError: The file is missing, not an image, cut off, too large, animated, or has float pixels.
    """
    return _pixels(_decode(Path(path)), Path(path))


def read_mask(path: str | os.PathLike[str], threshold: int | None = None) -> NDArray[np.bool_]:
    """Read a mask file that has one or two levels; the larger one is foreground.

    0/1, 0/255 and 1-bit files mean the same. All zero is an empty mask, one other level everywhere is all foreground.
    Alpha says nothing. A coloured mask must be one colour on black.

    Args:
        path: The file.
        threshold: Allows any number of levels: the brightest channel above this value is foreground.

    Returns:
        (rows, columns) bool.

    Raises:
        WrongDataError: As for ``read_image``, or the file has more than two levels and no threshold was given.
    """
    image = _decode(Path(path))
    if threshold is not None:
        pixels = _pixels(image, Path(path))
        return np.asarray((pixels.max(axis=2) if pixels.ndim == 3 else pixels) > threshold)
    lossy = image.format == "JPEG"
    grey = _one_channel(_pixels(image, Path(path)), Path(path), lossy)
    low, high = int(grey.min()), int(grey.max())
    foreground: NDArray[np.bool_] = grey == high
    if not np.all(foreground | (grey == low)):
        raise _too_many_levels(Path(path), [str(level) for level in np.unique(grey)], lossy)
    return foreground if high > 0 else np.zeros(grey.shape, bool)


def _decode(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            _check_header(image, path)
            image.load()
            turned = ImageOps.exif_transpose(image)
            turned.format = image.format
            return turned
    except WrongDataError:
        raise
    except (FileNotFoundError, NotADirectoryError):
        raise WrongDataError(f"{path} does not exist; check the name, or whether the file was moved") from None
    except IsADirectoryError:
        raise WrongDataError(f"{path} is a folder, expected an image file; give one of the files in it") from None
    except PermissionError:
        raise WrongDataError(f"{path} may not be read by this user; change its permissions") from None
    except UnidentifiedImageError:
        raise _not_an_image(path) from None
    except Image.DecompressionBombError:
        raise WrongDataError(f"{path} claims more than {MAX_PIXELS:,} pixels; it is broken, or reduce it") from None
    except Exception as error:  # a damaged file makes Pillow raise almost anything
        raise WrongDataError(f"{path} is cut off or damaged ({error}); copy or export it again") from error


def _check_header(image: Image.Image, path: Path) -> None:
    if image.width * image.height > MAX_PIXELS:
        size = f"{image.height} x {image.width} pixels"
        raise WrongDataError(f"{path} has {size}, more than the {MAX_PIXELS:,} that are read; reduce or cut it")
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # a camera's MPO is one picture and its previews
        raise WrongDataError(f"{path} has {frames} frames, expected one picture; save the frames as single files")


def _not_an_image(path: Path) -> WrongDataError:
    if path.stat().st_size == 0:
        return WrongDataError(f"{path} is empty (0 bytes), expected an image; copy or export it again")
    return WrongDataError(f"{path} is not an image that can be read; expected PNG, TIFF, BMP or JPEG; convert it")


def _pixels(image: Image.Image, path: Path) -> Pixels:
    mode = image.mode
    if mode in _SIXTEEN_BIT:
        return np.asarray(image).astype(np.uint16)
    if mode == "I":
        return _sixteen_bits(np.asarray(image), path)
    if mode == "F":
        raise WrongDataError(f"{path} has floating-point pixels, expected 8 or 16 bits; export it as 16-bit grey")
    if mode in ("1", "L", *_GREY_WITH_ALPHA):
        return np.array(image.convert("LA").convert("L") if mode == "La" else image.convert("L"))
    return np.array((image.convert("RGBA") if mode in ("PA", "RGBa") else image).convert("RGB"))


def _sixteen_bits(values: Pixels, path: Path) -> Pixels:
    if values.min() < 0 or values.max() > np.iinfo(np.uint16).max:
        span = f"{values.min()}..{values.max()}"
        raise WrongDataError(f"{path} has values {span}, expected 0..65535; export it with 8 or 16 bits")
    return values.astype(np.uint16)


def _one_channel(pixels: Pixels, path: Path, lossy: bool) -> Pixels:
    if pixels.ndim == 2:
        return pixels
    if np.array_equal(pixels[..., 0], pixels[..., 1]) and np.array_equal(pixels[..., 0], pixels[..., 2]):
        return np.asarray(pixels[..., 0])
    # "Larger" has no meaning among colours, so the background has to be black and the foreground one colour.
    brightest: Pixels = pixels.max(axis=2)
    inside = brightest > 0
    colour = pixels[inside][0]
    if np.any(pixels[inside] != colour):
        colours = np.unique(pixels.reshape(-1, 3), axis=0)
        raise _too_many_levels(path, [str(tuple(int(part) for part in one)) for one in colours], lossy)
    return inside.astype(np.uint8)


def _too_many_levels(path: Path, levels: list[str], lossy: bool) -> WrongDataError:
    shown = ", ".join(levels[:_LEVELS_SHOWN]) + (", ..." if len(levels) > _LEVELS_SHOWN else "")
    cause = "JPEG changes the levels of a mask; export it again as PNG" if lossy else "write it with 0 and 255 only"
    step = "or say where to cut: monai-tumor data convert --mask-threshold 127"
    return WrongDataError(f"mask {path} has {len(levels)} levels ({shown}), expected two; {cause}, {step}")
