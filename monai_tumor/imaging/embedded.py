"""Pictures inside an HTML page: each is stored once, small; outlines are drawn over it as SVG. And the look of our pages."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from monai_tumor.imaging.marks import as_bytes

LONGEST_SIDE = 240

_QUALITY = 72


@dataclass(frozen=True, slots=True)
class EmbeddedPicture:
    """A small picture in a page, drawn in the pixels of its file.

    Attributes:
        name: Its id in the page.
        shape: Rows and columns of the picture in its file.
        data: The JPEG file as a data URI.
    """

    name: str
    shape: tuple[int, int]
    data: str


def embed(name: str, image: NDArray[Any], longest_side: int = LONGEST_SIDE) -> EmbeddedPicture:
    """Make a picture small enough to be stored in a page.

    Args:
        name: Its id in the page; letters and digits.
        image: (rows, columns) or (rows, columns, 3), uint8 or uint16.
        longest_side: Rows or columns at most; what is smaller stays as it is.
    """
    rows, columns = image.shape[:2]
    factor = min(1.0, longest_side / max(rows, columns))
    size = (max(1, round(columns * factor)), max(1, round(rows * factor)))
    picture = cv2.resize(as_bytes(image), size, interpolation=cv2.INTER_AREA)
    return EmbeddedPicture(name, (rows, columns), jpeg_uri(np.asarray(picture, np.uint8)))


def jpeg_uri(picture: NDArray[np.uint8]) -> str:
    """Return a picture, (rows, columns) or (rows, columns, 3), as the data URI of a JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def outline(mask: NDArray[np.bool_], longest_side: int = LONGEST_SIDE) -> str:
    """Return the SVG path data of all contours of a mask, as coarse as a picture of this size allows; empty without one.

    Args:
        mask: bool (rows, columns).
        longest_side: Size of the picture that it is drawn over.
    """
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    coarse = 0.5 * max(1.0, max(mask.shape) / longest_side)
    return "".join(_closed(cv2.approxPolyDP(contour, coarse, True)[:, 0]) for contour in contours)


def path(data: str, kind: str) -> str:
    """Return the SVG element of an outline; empty without one."""
    return f'<path class="{kind}" d="{data}"/>' if data else ""


def draw(picture: EmbeddedPicture, over: str, said: str) -> str:
    """Return the SVG of a stored picture.

    Args:
        picture: One of those that ``store`` puts into the page.
        over: SVG elements to draw over it, in pixels of its file.
        said: What is to be seen, for those who cannot see it.
    """
    rows, columns = picture.shape
    return (
        f'<svg class="picture" viewBox="0 0 {columns} {rows}" role="img" aria-label="{escape(said)}">'
        f'<use href="#{picture.name}"/>{over}</svg>'
    )


def store(pictures: Iterable[EmbeddedPicture]) -> str:
    """Return the SVG that holds every picture of a page once."""
    images = (
        f'<image id="{one.name}" width="{one.shape[1]}" height="{one.shape[0]}" href="{one.data}" '
        'preserveAspectRatio="none"/>'
        for one in pictures
    )
    return f'<svg class="store" aria-hidden="true"><defs>{"".join(images)}</defs></svg>'


def page_style() -> str:
    """Return the style sheet that our pages share."""
    return files("monai_tumor.imaging").joinpath("page.css").read_text(encoding="utf-8")


def _closed(points: NDArray[Any]) -> str:
    return "M" + "L".join(f"{x + 0.5:g} {y + 0.5:g}" for x, y in points) + "Z"  # pixel centres
