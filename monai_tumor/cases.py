"""A case: one 2-D image, or one slice or frame of a volume, with its reference."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from monai_tumor.errors import WrongDataError

_CASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ()._/-]*")


@dataclass(frozen=True, slots=True)
class Case:
    """One 2-D image and what an expert said about it.

    Attributes:
        id: Unique in its data set; becomes part of file names, so letters, digits, blank and ``()._/-`` only.
        group: What a split must not divide: the patient where known, else a cluster of near duplicates.
        image: Path of the image file (for a synthetic case any name that its data set understands).
        masks: Mask files, joined by OR. ``()`` is an *empty reference* (an expert says there is no lesion);
            None is *no reference* (nobody said anything).
        label: Diagnosis in the words of the data set, or None.
        index: Slice or frame number in ``image`` when that is a volume or cine, counted from 0; else the place of the case
            in a file that several cases share, such as one list of contours for all pictures of a patient.
    """

    id: str
    group: str
    image: str
    masks: tuple[str, ...] | None
    label: str | None = None
    index: int | None = None

    def __post_init__(self) -> None:
        if not _CASE_ID.fullmatch(self.id) or ".." in self.id:
            raise WrongDataError(
                f"case id {self.id!r} ({self.image}) has a character that file names should not have; "
                "rename it with letters, digits, blank and ()._/- only"
            )
        if not self.group:
            raise WrongDataError(f"case {self.id!r} has an empty group; name the patient, or repeat the case id")


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
