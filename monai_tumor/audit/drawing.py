"""Pictures for the page: each is stored once, small; outlines and boxes are drawn over it as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.audit.findings import Box
from monai_tumor.audit.relations import Relation
from monai_tumor.cases import Case
from monai_tumor.datasets import RegisteredDataset
from monai_tumor.duplicates.same_frame import carry_over
from monai_tumor.errors import ToolkitError
from monai_tumor.imaging.embedded import EmbeddedPicture, draw, embed, jpeg_uri, outline, path, store
from monai_tumor.imaging.marks import as_bytes
from monai_tumor.imaging.read import read_image

Mask = NDArray[np.bool_]

MOST_PICTURES = 900
"""So many pictures at most are stored in a page, about 13 MB."""

_LOADED = 4
_DETAIL_PAD = 3


@dataclass(frozen=True, slots=True)
class _Stored:
    """A small picture, and the SVG path of its reference in pixels of the file; empty without a lesion."""

    picture: EmbeddedPicture
    outline: str


class Pictures:
    """The pictures of a page; asking for one stores it."""

    def __init__(self, dataset: RegisteredDataset, cases: Sequence[Case], most: int = MOST_PICTURES) -> None:
        """Draw cases of a data set.

        Args:
            dataset: Loads them.
            cases: Those that may be asked for.
            most: How many pictures are stored; whoever asks for more gets none.
        """
        self._dataset, self._most = dataset, most
        self._cases = {case.id: case for case in cases}
        self._stored: dict[str, _Stored | None] = {}
        self._load = lru_cache(_LOADED)(self._read)

    def draw(self, case: str, boxes: Mapping[str, Sequence[Box]]) -> str:
        """Return the SVG of a case with its reference and the boxes around what is suspected; empty if there is none."""
        stored = self._store(case)
        if stored is None:
            return ""
        rectangles = "".join(_rectangle(box) for box in boxes.get(case, ()))
        outlined = path(stored.outline, "reference")
        said = [case, "reference outlined" if outlined else "", "suspects in boxes" if rectangles else ""]
        return draw(stored.picture, outlined + rectangles, ", ".join(filter(None, said)))

    def draw_both(self, relation: Relation) -> str:
        """Return the SVG of the second case of a pair with its own outline and that of the first carried over to it."""
        stored, loaded = self._store(relation.second.id), self._load(relation.first.id)
        if stored is None or loaded is None or loaded[1] is None:
            return ""
        carried = outline(carry_over(loaded[1], relation.same, stored.picture.shape))
        said = f"{relation.second.id} with both outlines, that of {relation.first.id} dashed"
        return draw(stored.picture, path(stored.outline, "reference") + path(carried, "carried"), said)

    def detail(self, case: str, box: Box) -> str:
        """Return what is in a box, pixel by pixel as in the file; empty if there is no picture."""
        loaded = self._load(case)
        if loaded is None or self._store(case) is None:
            return ""
        row, column, rows, columns = box
        top, left = max(row - _DETAIL_PAD, 0), max(column - _DETAIL_PAD, 0)
        cut = loaded[0][top : row + rows + _DETAIL_PAD, left : column + columns + _DETAIL_PAD]
        return f'<img class="detail" src="{jpeg_uri(as_bytes(cut))}" alt="{escape(case)}, what is in the box">'

    def definitions(self) -> str:
        """Return the SVG that holds every picture that was asked for, once."""
        return store(one.picture for one in self._stored.values() if one is not None)

    def _store(self, case: str) -> _Stored | None:
        if case not in self._stored:
            full = len(self._stored) >= self._most
            loaded = None if full else self._load(case)
            self._stored[case] = None if loaded is None else _small(f"p{len(self._stored)}", *loaded)
        return self._stored[case]

    def _read(self, case: str) -> tuple[NDArray[Any], Mask | None] | None:
        found = self._cases.get(case)
        if found is None:
            return None
        try:
            return self._dataset.load(found)
        except ToolkitError:
            pass
        try:
            return read_image(found.image), None  # where only its mask is broken
        except ToolkitError:
            return None


def _small(name: str, image: NDArray[Any], reference: Mask | None) -> _Stored:
    return _Stored(embed(name, image), "" if reference is None else outline(reference))


def _rectangle(box: Box) -> str:
    row, column, rows, columns = box
    return f'<rect class="suspect" x="{column}" y="{row}" width="{columns}" height="{rows}"/>'
