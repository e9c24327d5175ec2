"""DDTI: ``114.xml`` beside ``114_2.jpg``; the XML holds the contours of the images of one case.

A reference is never made up: an image whose contours are cut off, empty or absent has none, and a remark says why.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.cases import Case
from monai_tumor.datasets.base import Remark
from monai_tumor.datasets.files import first_names, list_files
from monai_tumor.datasets.layout import HasLayout
from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.read import read_image
from monai_tumor.wording import count_of
from tumor_thyroid.annotation import Annotation, read_annotation
from tumor_thyroid.contours import Mark, fill

# The files do not say which TI-RADS is meant; 4a, 4b and 4c are worded as in Kwak et al., Radiology 260 (2011) 892-899.
LABELS = {
    "TI-RADS 2": "benign finding",
    "TI-RADS 3": "no suspicious ultrasound feature (Kwak 2011)",
    "TI-RADS 4a": "one suspicious ultrasound feature (Kwak 2011)",
    "TI-RADS 4b": "two suspicious ultrasound features (Kwak 2011)",
    "TI-RADS 4c": "three or four suspicious ultrasound features (Kwak 2011)",
    "TI-RADS 5": "five suspicious ultrasound features (Kwak 2011)",
}

_IMAGE = re.compile(r"([0-9]{1,9})_([0-9]{1,9})")
_OUTSIDE_PX = 2  # a hand may slip over the edge
_BURNED_IN = (
    "the TI-RADS is written into many images of DDTI, and may be another than in the XML: a classifier can read it"
)


def recognises(folder: Path) -> bool:
    """Say whether some ``114.xml`` and ``114_2.jpg`` lie side by side."""
    files = _annotation_files(folder)
    return bool(files) and any(_parts(image)[0] in files for image in _images(folder))


def find_cases(dataset: HasLayout, folder: Path) -> Iterator[Case]:
    """Yield a case an image: grouped by the case number, its ``index`` the image number in the XML.

    Raises:
        WrongDataError: An XML file cannot be read, or contours are there and their image is not.
    """
    files, images = _annotation_files(folder), _images(folder)
    _refuse_missing(folder, files, images)
    for image in images:
        number, index = _parts(image)
        said = read_annotation(files[number]) if number in files else None
        masks = None if said is None or _mark(said, index).problem else (str(files[number]),)
        label = f"TI-RADS {said.tirads}" if said else ""
        yield Case(image.stem, f"case-{number}", str(image), masks, label if label in LABELS else None, index)


def load(case: Case) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Read the image of a case that has a reference, and fill its contours.

    Returns:
        Image (R, C) or (R, C, 3) uint8, and reference (R, C) bool.

    Raises:
        WrongDataError: A file cannot be read, or all contours lie outside of the image.
    """
    image = read_image(case.image)
    path = Path((case.masks or ("",))[0])
    mark = _mark(read_annotation(path), case.index or 0)
    if mark.problem:
        raise WrongDataError(f"{path}: the mark of image {case.index} {mark.problem}; list the data set anew")
    reference = fill(mark.contours, (image.shape[0], image.shape[1]))
    if not reference.any():
        size = f"{image.shape[0]} rows and {image.shape[1]} columns"
        raise WrongDataError(f"{path}: no contour meets {case.image} of {size}; find the image that they were drawn on")
    return image, reference


def remarks(folder: Path) -> Iterator[Remark]:
    """Yield what is wrong with contours and labels; images are read, to know which contours leave them.

    Raises:
        WrongDataError: An XML file cannot be read.
    """
    files = _annotation_files(folder)
    yield Remark(_BURNED_IN)
    yield from _remarks_on_files(folder, files)
    for image in _images(folder):
        number, index = _parts(image)
        if number not in files:
            yield Remark(f"there is no {number}.xml: no reference and no label", image.stem)
            continue
        mark = _mark(read_annotation(files[number]), index)
        yield from (Remark(text, image.stem) for text in _texts_on_mark(f"{number}.xml", index, mark, image))


def _remarks_on_files(folder: Path, files: dict[str, Path]) -> Iterator[Remark]:
    said = {number: read_annotation(path) for number, path in files.items()}
    for number, one in said.items():
        if one.number != number:
            yield Remark(f"{files[number].name} says that it is case {one.number!r}; the file name is believed")
    for tirads, cases in sorted(Counter(one.tirads for one in said.values()).items()):
        if f"TI-RADS {tirads}" not in LABELS:
            what = f"the unknown TI-RADS {tirads!r}" if tirads else "no TI-RADS"
            yield Remark(f"{cases} of {count_of(len(said), 'XML file has', 'XML files have')} {what}: no label")
    for name, mark in _without_image(files, _images(folder)):
        yield Remark(f"there is no image {name}, and its mark {mark.problem or 'has contours'}: no case")
    others = [path for path in list_files(folder) if not _IMAGE.fullmatch(path.stem)]
    if others:
        count = count_of(len(others), "image is not named CASE_IMAGE and is", "images are not named CASE_IMAGE and are")
        yield Remark(f"{count} left out: {first_names(others, folder)}")


def _texts_on_mark(file: str, index: int, mark: Mark, image: Path) -> Iterator[str]:
    if mark.problem:
        yield f"the mark of image {index} in {file} {mark.problem}: no reference"
    if mark.skipped:
        drawings = count_of(
            mark.skipped,
            "drawing encloses nothing (an arrow or a line) and is",
            "drawings enclose nothing (arrows or lines) and are",
        )
        yield f"{drawings} left out"
    outside = _outside(mark, image) if mark.contours else []
    for contour in outside:
        (left, top), (right, bottom) = contour.min(0), contour.max(0)
        where = f"rows {top:g} to {bottom:g}, columns {left:g} to {right:g}"
        yield f"a contour leaves the image ({where}) and is cut at its edge; if it is a stray one, take it out of {file}"


def _outside(mark: Mark, image: Path) -> list[NDArray[np.float64]]:
    try:
        rows, columns = read_image(image).shape[:2]
    except WrongDataError:
        return []  # whoever loads the case is told
    low, high = -_OUTSIDE_PX, np.array([columns, rows]) - 1 + _OUTSIDE_PX
    return [contour for contour in mark.contours if ((contour < low) | (contour > high)).any()]


def _refuse_missing(folder: Path, files: dict[str, Path], images: list[Path]) -> None:
    """Refuse contours without an image: half a copied data set must not pass for a whole one."""
    missing = [folder / f"{name}.jpg" for name, mark in _without_image(files, images) if mark.contours]
    if missing:
        found = f"{count_of(len(missing), 'image with contours in the XML is', 'images with contours in the XML are')} missing"
        step = "copy what is missing, or give the files back the ending _IMAGE if the copy dropped it"
        raise WrongDataError(f"{folder}: {found}: {first_names(missing, folder)}; {step}")


def _without_image(files: dict[str, Path], images: list[Path]) -> list[tuple[str, Mark]]:
    there = {_parts(image) for image in images}
    marks = [(number, index, mark) for number in files for index, mark in read_annotation(files[number]).marks.items()]
    return [(f"{number}_{index}", mark) for number, index, mark in marks if (number, index) not in there]


def _mark(said: Annotation, index: int) -> Mark:
    return said.marks.get(index) or Mark(problem="is absent")


def _annotation_files(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in list_files(folder, (".xml",)) if path.stem.isascii() and path.stem.isdigit()}


def _images(folder: Path) -> list[Path]:
    return [path for path in list_files(folder) if _IMAGE.fullmatch(path.stem)]


def _parts(image: Path) -> tuple[str, int]:
    number, index = image.stem.split("_")
    return number, int(index)
