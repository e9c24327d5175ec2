"""What a check sees of a case beyond what a split needs: how its files are stored, its channels, lesions and marks."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from monai_tumor.cases import Case
from monai_tumor.datasets import RegisteredDataset
from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.marks import BurnedInMark, find_marks
from monai_tumor.imaging.read import read_mask
from monai_tumor.imaging.text import TextFound, TextReader, text_reader

Pixels = NDArray[Any]
Mask = NDArray[np.bool_]

_WITH_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")
_LIT, _APART = 16, 12  # grey levels: darker pixels show no colour; JPEG alone moves channels apart by up to nine
_NO_PICTURE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
_PAIRS = (("R=G", 0, 1), ("G=B", 1, 2), ("R=B", 0, 2))


@dataclass(frozen=True, slots=True)
class MaskFile:
    """How one mask file is stored.

    Attributes:
        name: Its name without the folder.
        mode: Its mode in Pillow's words, such as ``1``, ``L`` or ``RGBA``; None where it is no picture.
        opaque: Whether it has an alpha channel that is full everywhere.
        lesion_px: Its foreground in pixels where a case has several mask files, else None.
    """

    name: str
    mode: str | None
    opaque: bool
    lesion_px: int | None


@dataclass(frozen=True, slots=True)
class CloserLook:
    """What was seen of one case.

    Attributes:
        mode: Mode of the image file in Pillow's words; None where it is no picture.
        masks: Its mask files.
        shared_px: Pixels that several mask files of the case mark as lesion.
        equal: Which channels are equal everywhere, such as ``("G=B",)``; nothing for a picture in grey.
        coloured: Share of the lit pixels that are coloured, 0..1.
        lesions: Number of separate lesions in the reference.
        marks: What seems to be burned into the picture.
        at_lesion: For each of ``marks`` whether it lies on the lesion or beside it.
        texts: What is written in the picture, as far as a reader was there to read it.
    """

    mode: str | None
    masks: tuple[MaskFile, ...]
    shared_px: int
    equal: tuple[str, ...]
    coloured: float
    lesions: int
    marks: tuple[BurnedInMark, ...]
    at_lesion: tuple[bool, ...]
    texts: tuple[TextFound, ...]


class CloserLooks:
    """Looks at cases as ``take_survey`` shows them, from any thread.

    Attributes:
        found: Case id to what was seen.
        texts_read: Whether burned-in text is read: asked for, and the optional library is there.
    """

    def __init__(self, dataset: RegisteredDataset, read_texts: bool = True) -> None:
        """Look at the cases of a data set.

        Args:
            dataset: The data set.
            read_texts: Read what is written in the pictures, a second for each with some, if the optional library is there.
        """
        self.found: dict[str, CloserLook] = {}
        self.texts_read = read_texts and text_reader() is not None
        self._threshold: int | None = getattr(dataset, "mask_threshold", None)
        self._own = threading.local()

    def __call__(self, case: Case, image: Pixels, reference: Mask | None) -> None:
        """Look at one case.

        Args:
            case: The case.
            image: (R, C) or (R, C, 3), uint8 or uint16.
            reference: (R, C), or None.
        """
        texts = tuple(self._reader().read(image)) if self.texts_read else ()
        self.found[case.id] = _look(case, image, reference, self._threshold, texts)

    def _reader(self) -> TextReader:
        """Return a reader of this thread alone: the library does not say that several may share one."""
        if not hasattr(self._own, "reader"):
            self._own.reader = TextReader()
        reader: TextReader = self._own.reader
        return reader


def _look(
    case: Case, image: Pixels, reference: Mask | None, threshold: int | None, texts: tuple[TextFound, ...]
) -> CloserLook:
    masks, shared = _mask_files(case.masks or (), threshold)
    marks = tuple(find_marks(image))
    return CloserLook(
        mode=_stored_mode(case.image),
        masks=masks,
        shared_px=shared,
        equal=_equal_channels(image),
        coloured=_coloured(image),
        lesions=0 if reference is None else cv2.connectedComponents(reference.astype(np.uint8), connectivity=8)[0] - 1,
        marks=marks,
        at_lesion=tuple(reference is not None and _beside(reference, mark) for mark in marks),
        texts=texts,
    )


def _mask_files(paths: Sequence[str], threshold: int | None) -> tuple[tuple[MaskFile, ...], int]:
    modes = [_stored_mode(path) for path in paths]
    areas: list[int | None] = [None] * len(paths)
    shared = 0
    if len(paths) > 1 and None not in modes:
        try:
            read = [read_mask(path, threshold) for path in paths]
            areas = [int(np.count_nonzero(mask)) for mask in read]
            shared = int(np.count_nonzero(np.sum(read, axis=0) > 1))
        except WrongDataError:
            pass  # a data set may read its masks in another way than file by file
    found = [
        MaskFile(Path(path).name, mode, mode in _WITH_ALPHA and _opaque(path), area)
        for path, mode, area in zip(paths, modes, areas, strict=True)
    ]
    return tuple(found), shared


def _stored_mode(path: str) -> str | None:
    try:
        with Image.open(path) as image:  # reads the header only
            return image.mode
    except _NO_PICTURE:
        return None


def _opaque(path: str) -> bool:
    try:
        with Image.open(path) as image:
            return image.convert("RGBA").getchannel("A").getextrema() == (255, 255)
    except _NO_PICTURE:
        return False


def _equal_channels(image: Pixels) -> tuple[str, ...]:
    if image.ndim == 2:
        return ()
    return tuple(name for name, one, other in _PAIRS if np.array_equal(image[..., one], image[..., other]))


def _coloured(image: Pixels) -> float:
    if image.ndim == 2:
        return 0.0
    eight = image if image.dtype == np.uint8 else (image >> 8).astype(np.uint8)
    highest = eight.max(axis=2)
    lit = int(np.count_nonzero(highest >= _LIT))
    return float(np.count_nonzero(highest - eight.min(axis=2) >= _APART) / max(lit, 1))


def _beside(reference: Mask, mark: BurnedInMark) -> bool:
    """Say whether the lesion comes as near to a mark as the mark is large."""
    row, column, rows, columns = mark.box
    pad = max(rows, columns) if mark.kind == "calliper" else 0
    near = reference[max(row - pad, 0) : row + rows + pad, max(column - pad, 0) : column + columns + pad]
    return bool(near.any())
