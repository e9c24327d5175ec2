"""Reading what is written in a picture, with an optional library whose networks come with it; nothing is ever fetched."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongCallError
from monai_tumor.imaging.captions import find_captions
from monai_tumor.imaging.marks import LEAST_SCORE, as_bytes, brightest

Box = tuple[int, int, int, int]

_LIBRARY = "rapidocr"
_SMALLEST_SIDE = (
    32  # what the detector needs; the library would enlarge to 736 pixels, four times slower, no better here
)


@dataclass(frozen=True, slots=True)
class TextFound:
    """One line of text.

    Attributes:
        text: As read; slips such as 0 for O happen, and small crosses may come out as letters.
        score: The library's confidence, 0..1.
        box: (row, column, rows, columns) around it, in pixels.
    """

    text: str
    score: float
    box: Box


class TextReader:
    """Reads Latin letters and digits, level with the picture's rows; half a second a picture on one thread."""

    def __init__(self, threads: int = 1) -> None:
        """Load the library; its networks are loaded when they are first needed.

        Args:
            threads: For the networks.

        Raises:
            WrongCallError: The library or its networks are not installed.
        """
        networks = _networks()
        if networks is None:
            raise WrongCallError("reading text needs rapidocr with its networks; pip install 'monai-tumor[ocr]'")
        runtime = "EngineConfig.onnxruntime."
        settings = {
            "Global.log_level": "error",
            "Det.model_path": str(networks[0]),  # with a path given the library has no reason to fetch anything
            "Rec.model_path": str(networks[1]),
            "Det.limit_side_len": _SMALLEST_SIDE,
            f"{runtime}intra_op_num_threads": threads,
            f"{runtime}inter_op_num_threads": 1,
        }
        self._read = importlib.import_module(_LIBRARY).RapidOCR(params=settings)

    def read(self, image: NDArray[Any], everywhere: bool = False) -> list[TextFound]:
        """Return the lines of text in a picture, from the top down.

        A picture in which ``find_captions`` suspects nothing is not read: it takes milliseconds instead of tenths of a
        second, and what it costs is single characters such as the numbers of callipers.

        Args:
            image: (rows, columns) or (rows, columns, 3), uint8 or uint16.
            everywhere: Read every picture.

        Raises:
            WrongCallError: The array is no such picture.
        """
        pixels = as_bytes(image)
        if not everywhere and all(score < LEAST_SCORE for score, _ in find_captions(brightest(pixels))):
            return []
        found = self._read(pixels, use_cls=False)  # use_cls would look for text that stands on its head
        if found.boxes is None or found.txts is None:
            return []
        lines = zip(found.txts, found.scores, found.boxes, strict=True)
        return [TextFound(text, round(float(score), 3), _box(corners)) for text, score, corners in lines]


def text_reader(threads: int = 1) -> TextReader | None:
    """Return a reader, or None where the optional library (``pip install 'monai-tumor[ocr]'``) is not installed."""
    return None if _networks() is None else TextReader(threads)


@lru_cache(maxsize=1)
def _networks() -> tuple[Path, Path] | None:
    """Return the files that find and that read text inside the installed library; None without library or files."""
    library = find_spec(_LIBRARY)
    if library is None or library.origin is None or find_spec("onnxruntime") is None:
        return None
    folder = Path(library.origin).parent / "models"
    detector, reader = (sorted(folder.glob(f"*_{part}_*.onnx")) for part in ("det", "rec"))
    return (detector[0], reader[0]) if detector and reader else None


def _box(corners: NDArray[Any]) -> Box:
    left, top = np.floor(corners.min(axis=0)).astype(int)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int)
    return int(top), int(left), int(bottom - top), int(right - left)
