"""The XML files of DDTI: one for each case, with its TI-RADS and the marks on its images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

from monai_tumor.errors import WrongDataError
from tumor_thyroid.contours import Mark, joined, read_mark

MAX_BYTES = 1_000_000
"""Largest XML file that is read; those of DDTI have some 6,000 bytes at most."""

_FILES_KEPT = 512


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one XML file says.

    Attributes:
        number: The case it names, which should be its file name.
        tirads: The TI-RADS in lower case; empty where there is none.
        marks: Image number to what is drawn on it.
    """

    number: str
    tirads: str
    marks: Mapping[int, Mark]


def read_annotation(path: Path) -> Annotation:
    """Read one XML file; each is parsed once for all of its images.

    Raises:
        WrongDataError: The file cannot be read, is too large, declares a document type, or is no DDTI case.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    if state.st_size > MAX_BYTES:
        raise WrongDataError(f"{path} has {state.st_size:,} bytes, expected {MAX_BYTES:,} at most; copy it again")
    return _parsed(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=_FILES_KEPT)
def _parsed(path: Path, size: int, changed: int) -> Annotation:
    """Parse a file; ``size`` and ``changed`` make a replaced one be read anew."""
    root = _root(path)
    marks: dict[int, Mark] = {}
    for element in root.iter("mark"):
        image = _text(element, "image")
        if not (image.isascii() and image.isdigit() and len(image) < 10):
            raise WrongDataError(f"{path} has a mark for image {image!r}, expected a number; correct or copy the file")
        mark = read_mark(element.findtext("svg") or "")
        marks[int(image)] = joined(marks[int(image)], mark) if int(image) in marks else mark
    return Annotation(_text(root, "number"), _text(root, "tirads").lower(), marks)


def _root(path: Path) -> ElementTree.Element:
    try:
        # Only numbers and ASCII words are needed, so a letter of another encoding may get lost.
        text = path.read_bytes()[: MAX_BYTES + 1].decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise _unreadable(path, error) from error
    # Without a document type no entity can be defined, so none can grow ("billion laughs") or name another file.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise WrongDataError(f"{path} declares a document type or an entity, which DDTI never does; remove the lines")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise WrongDataError(f"{path} is not XML that can be read ({error}); copy it again") from error
    if root.tag != "case":
        raise WrongDataError(
            f"{path} is a <{root.tag}>, expected a DDTI <case>; remove the file, or copy the right one"
        )
    return root


def _text(element: ElementTree.Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()


def _unreadable(path: Path, error: OSError) -> WrongDataError:
    return WrongDataError(f"{path} cannot be read: {error.strerror}; check its permissions, or list the data set anew")
