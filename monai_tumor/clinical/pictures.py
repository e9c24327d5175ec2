"""Plain pictures: PNG, JPEG, TIFF, BMP, GIF, WebP. Distances in them are of paper or screens, so there are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.clinical.limits import STANDARD, Limits, check_decoded, guarded, quiet_libraries
from monai_tumor.clinical.source import ImageKind, Origin, SourceImage
from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.read import read_image

_TIFF_BITS, _TIFF_SAMPLES = 258, 277
_DECODED_BYTES = 3


def read_picture(path: Path, name: str, limits: Limits = STANDARD) -> SourceImage:
    """Read a picture of 8 or 16 bits as it is meant to be seen.

    TIFF files of 16-bit colours keep their depth where tifffile is installed and become 8 bits elsewhere.

    Raises:
        WrongDataError: The file is not a picture that is read, damaged, animated or too large.
    """
    with guarded(name, "its picture header"):
        deep, size = _header(path)
    check_decoded(name, (*size, _DECODED_BYTES), 2 if deep else 1, limits)
    pixels = _deep_colours(path, name, limits) if deep else None
    notes: tuple[str, ...] = ()
    if pixels is None:
        pixels = _eight_bits(path, name)
        notes = ("colours of 16 bits were read as 8 bits; install tifffile to keep them",) if deep else ()
    decoder = "tifffile" if deep and not notes else "pillow"
    return SourceImage(name, ImageKind.PICTURE, pixels[None], decoder=decoder, notes=notes, origin=Origin((path,)))


def _header(path: Path) -> tuple[bool, tuple[int, int]]:
    """Return whether it may be a TIFF of 16-bit colours, and rows and columns; what is wrong ``read_image`` tells."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            tags: Any = getattr(image, "tag_v2", {})
            deep = tags.get(_TIFF_SAMPLES, 1) >= 3 and set(tags.get(_TIFF_BITS, ())) == {16}
            return deep, (image.height, image.width)
    except Exception:
        return _may_be_tiff(path), (1, 1)


def _eight_bits(path: Path, name: str) -> NDArray[Any]:
    try:
        with quiet_libraries():
            return read_image(path)
    except WrongDataError as error:
        raise WrongDataError(str(error).replace(str(path), name)) from None


def _may_be_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _deep_colours(path: Path, name: str, limits: Limits) -> NDArray[Any] | None:
    """Read a TIFF by tifffile, or return None where it is not installed or the file is not one page of 16-bit RGB."""
    try:
        import tifffile  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return None
    with guarded(name, "its TIFF data"), tifffile.TiffFile(path) as file:
        page = file.pages[0]
        chunky = len(page.shape) == 3 and page.shape[2] >= 3 and page.dtype == np.uint16
        if len(file.pages) != 1 or not chunky or page.photometric != tifffile.PHOTOMETRIC.RGB:
            return None
        check_decoded(name, page.shape, 2, limits)
        return np.ascontiguousarray(page.asarray()[..., :3])
