"""Whether cases may be tested at all: none that a run has learnt from, also as another copy of the picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from monai_tumor.datasets.guess import GENERAL
from monai_tumor.duplicates.fingerprint import hash_distance
from monai_tumor.errors import WrongDataError
from monai_tumor.splits.split import Split, SplitEntry

# Without the pictures nothing can be proved, so only hashes that strangers do not share count: among 53 000 pairs of head
# slices of different patients, which are as alike as strangers get, the nearest pair differs in 11 of 256 bits.
_SEEN_BITS = 8
LEARNT = ("training", "validation")
"""The parts that a run has learnt or chosen from."""


def refuse_seen_cases(run_split: Split, split: Split, ids: Sequence[str], parts: Sequence[str] = LEARNT) -> None:
    """Refuse test cases that a run was trained or chosen on, also as another copy of the picture.

    Compared are the digests of files and of pixels, and groups and clusters where the run knows a picture of this data,
    under whatever name. A case that the run does not know is compared by its perceptual hash as well. Blank pictures show
    nobody, so only their group counts.

    Args:
        run_split: The split of the run.
        split: The split of the data that are tested on.
        ids: The cases of these that are tested.
        parts: The parts of the run that must not be met. A fold set has learnt from all of its cases.

    Raises:
        WrongDataError: Says how many there are and names the first, with the reason.
    """
    seen = {name: entry for name, entry in run_split.cases.items() if entry.part in parts or run_split.folds}
    tested = {name: split.cases[name] for name in ids}
    own = {entry.pixels: entry for entry in run_split.cases.values() if entry.pixels}
    # Two folders of anybody's images have nothing in common but that: "1" is another patient in each.
    same_name = run_split.dataset == split.dataset != GENERAL
    same_data = same_name or any(entry.pixels in own for entry in split.cases.values())
    owners = _owners(seen.values()) if same_data else set()
    seen_pixels, reasons = {entry.pixels for entry in seen.values()}, dict[str, str]()
    for name, entry in tested.items():
        known = [entry, own[entry.pixels]] if entry.pixels in own else [entry]
        if entry.pixels and entry.pixels in seen_pixels:
            reasons[name] = "the same pixels"
        elif owners & _owners(known):
            reasons[name] = "the same group"
    strangers = {name: entry.hash for name, entry in tested.items() if entry.pixels not in own and entry.hash}
    reasons |= dict.fromkeys(
        nearly_equal(strangers, [entry.hash for entry in seen.values()]), "nearly the same picture"
    )
    if reasons:
        name, reason = next(iter(reasons.items()))
        raise WrongDataError(
            f"{len(reasons)} of {len(tested)} cases were in {_words(parts, run_split)} of this run ({name!r} first: "
            f"{reason}), so this would be no test; evaluate on the run's own split, or leave these cases out"
        )


def _words(parts: Sequence[str], run_split: Split) -> str:
    return "the folds" if run_split.folds else f"the {', '.join(parts[:-1])} or {parts[-1]} part"


def _owners(entries: Iterable[SplitEntry]) -> set[str]:
    return {owner for entry in entries for owner in (entry.group, entry.cluster)}


def nearly_equal(hashes: Mapping[str, str], seen: Sequence[str]) -> list[str]:
    """Return the names whose hash is almost that of a picture that was seen."""
    known = _bits([text for text in seen if text])
    near = [bool((hash_distance(_bits([text]), known) <= _SEEN_BITS).any()) for text in hashes.values()]
    return [name for name, is_near in zip(hashes, near, strict=True) if is_near]


def _bits(hashes: Sequence[str]) -> npt.NDArray[np.uint64]:
    return np.frombuffer(bytes.fromhex("".join(hashes)), np.uint64).reshape(-1, 4)
