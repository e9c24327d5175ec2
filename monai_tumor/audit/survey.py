"""Every case looked at once: what a split, a check and a later evaluation need to know of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.cases import Case
from monai_tumor.datasets import RegisteredDataset, content_digest, load_case
from monai_tumor.duplicates.fingerprint import Fingerprint, fingerprint
from monai_tumor.duplicates.search import Watch, unwatched
from monai_tumor.errors import ToolkitError, WrongDataError
from monai_tumor.wording import count_of


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What was seen of one case.

    Attributes:
        case: The case.
        digest: Digest of its files, from ``content_digest``.
        fingerprint: What recognises its picture again.
        shape: Rows and columns in pixels.
        colour: Whether the picture has three channels that differ.
        depth: Bits a channel, 8 or 16.
        levels: Smallest and largest grey or colour value.
        lesion_px: Pixels of the reference; None without a reference.
        at_edge: Whether the reference touches the edge of the picture.
    """

    case: Case
    digest: str
    fingerprint: Fingerprint
    shape: tuple[int, int]
    colour: bool
    depth: int
    levels: tuple[int, int]
    lesion_px: int | None
    at_edge: bool

    @property
    def lesion(self) -> bool | None:
        """Whether the reference has a lesion; None without a reference."""
        return None if self.lesion_px is None else self.lesion_px > 0


@dataclass(frozen=True)
class Survey:
    """A data set as it was seen.

    Attributes:
        dataset: The data set, which loads pictures again where they are needed.
        facts: The cases that could be read, in the order of the data set.
        unreadable: Case id to the one line that says why it cannot be read.
    """

    dataset: RegisteredDataset
    facts: tuple[CaseFacts, ...]
    unreadable: dict[str, str]

    def complete(self) -> Survey:
        """Return itself.

        Raises:
            WrongDataError: There are unreadable cases; the first three are named, with the count.
        """
        raise_unreadable(list(self.unreadable.values()), len(self.facts) + len(self.unreadable))
        return self


def take_survey(
    dataset: RegisteredDataset,
    cases: Sequence[Case],
    also: Callable[[Case, NDArray[Any], NDArray[np.bool_] | None], None] | None = None,
    watch: Watch = unwatched,
) -> Survey:
    """Read every case once, several at a time; a case that cannot be read is noted, and the others go on.

    Args:
        dataset: The data set.
        cases: Its cases.
        also: Is given each case with its picture and reference while they are in memory; called from several threads.
        watch: Shows the progress.
    """

    def look(case: Case) -> CaseFacts | ToolkitError:
        try:
            image, reference = load_case(dataset, case)
            if also is not None:
                also(case, image, reference)
            return _facts(dataset, case, image, reference)
        except ToolkitError as error:
            return error

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # decoding releases the interpreter lock
        seen = list(watch(pool.map(look, cases), "reading", len(cases)))
    facts = tuple(entry for entry in seen if isinstance(entry, CaseFacts))
    broken = {case.id: str(entry) for case, entry in zip(cases, seen, strict=True) if isinstance(entry, ToolkitError)}
    return Survey(dataset, facts, broken)


def _facts(
    dataset: RegisteredDataset, case: Case, image: NDArray[Any], reference: NDArray[np.bool_] | None
) -> CaseFacts:
    return CaseFacts(
        case=case,
        digest=content_digest(dataset, case),
        fingerprint=fingerprint(image),
        shape=(image.shape[0], image.shape[1]),
        colour=image.ndim == 3 and bool((image.min(axis=2) != image.max(axis=2)).any()),
        depth=image.dtype.itemsize * 8,
        levels=(int(image.min()), int(image.max())),
        lesion_px=None if reference is None else int(np.count_nonzero(reference)),
        at_edge=reference is not None and _at_edge(reference),
    )


def _at_edge(reference: NDArray[Any]) -> bool:
    return bool(reference[[0, -1]].any() or reference[:, [0, -1]].any())


def raise_unreadable(errors: Sequence[object], total: int) -> None:
    """Raise one error that names the first unreadable files, if there are any.

    Raises:
        WrongDataError: ``errors`` is not empty.
    """
    if errors:
        named = "; ".join(str(error) for error in errors[:3])
        more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
        raise WrongDataError(
            f"{len(errors)} of {count_of(total, 'case', 'cases')} cannot be read: {named}{more}. Mend or remove these files"
        )
