"""A case: one 2-D image, or one slice or frame of a volume, with its reference."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from monai_tumor.errors import WrongDataError

_CASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ()._/-]*")
_LONGEST = 200  # of a file system's 255, which temporary names and suffixes need too
_ODD = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Case:
    """One 2-D image and what an expert said about it.

    Attributes:
        id: Unique in its data set; becomes part of file names, so letters, digits, blank and ``()._/-`` only. Another one is
            replaced by a stand-in, and ``problem`` says so.
        group: What a split must not divide: the patient where known, else a cluster of near duplicates.
        image: Path of the image file (for a synthetic case any name that its data set understands).
        masks: Mask files, joined by OR. ``()`` is an *empty reference* (an expert says there is no lesion);
            None is *no reference* (nobody said anything).
        label: Diagnosis in the words of the data set, or None.
        index: Slice or frame number in ``image`` when that is a volume or cine, counted from 0; else the place of the case
            in a file that several cases share, such as one list of contours for all pictures of a patient.
        problem: Why the case cannot be used, in one line, else empty. Such a case is listed, so that one odd name among a
            thousand is named and stops nothing; it counts as one whose files cannot be read.

    Raises:
        WrongDataError: The group is empty.
    """

    id: str
    group: str
    image: str
    masks: tuple[str, ...] | None
    label: str | None = None
    index: int | None = None
    problem: str = field(default="", init=False)

    def __post_init__(self) -> None:
        if not self.group:
            raise WrongDataError(f"case {self.id!r} has an empty group; name the patient, or repeat the case id")
        if not _is_usable(self.id):
            problem = (
                f"case id {self.id!r} ({_printable(self.image)}) has a character that file names should not have, or is too "
                "long; rename it with letters, digits, blank and ()._/- only"
            )
            stand_in = _stand_in(self.id)
            group = stand_in if self.group == self.id else _printable(self.group)
            for name, value in (("problem", problem), ("group", group), ("id", stand_in)):
                object.__setattr__(self, name, value)


def _is_usable(name: str) -> bool:
    """Return whether an id becomes a file name of its own: parts of a path that mean nothing would join two ids."""
    parts = name.split("/")
    named = all(part.strip(".") for part in parts) and all(len(part) <= _LONGEST for part in parts)
    return bool(_CASE_ID.fullmatch(name)) and named and ".." not in name


def _stand_in(name: str) -> str:
    """Return an id that is like ``name`` and that no other name has."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{_ODD.sub('_', name).strip('_')[:100] or 'case'} (odd name {digest})"


def _printable(text: str) -> str:
    """Return the text with escapes for what is no text: file names may hold any bytes."""
    return text.encode("utf-8", "backslashreplace").decode()


def ordered_cases(cases: Iterable[Case]) -> list[Case]:
    """Return the cases sorted by id, numbers inside an id in numeric order.

    Raises:
        WrongDataError: Two cases have one id.
    """
    listed = sorted(cases, key=lambda case: natural_key(case.id))
    for first, second in pairwise(listed):
        if first.id == second.id:
            raise WrongDataError(f"two cases have the id {first.id!r}: {first.image} and {second.image}; rename one")
    return listed


def natural_key(text: str) -> tuple[tuple[int, int | str], ...]:
    """Return a sort key under which ``X_2`` comes before ``X_10``; only equal texts have equal keys."""
    pieces = re.split(r"(\d+)", text)  # text and digits in turn, so that every second piece is a number
    parts: list[tuple[int, int | str]] = [(0, int(piece)) if at % 2 else (1, piece) for at, piece in enumerate(pieces)]
    # The text itself ends the key, below any further part: ``1`` and ``01`` differ, and their order is always the same.
    return (*(part for part in parts if part[1] != ""), (-1, text))
