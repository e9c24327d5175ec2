"""Cases that show the same frame, and where what is said about them differs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from monai_tumor.audit.survey import CaseFacts, Survey
from monai_tumor.cases import Case
from monai_tumor.duplicates.clusters import join_groups
from monai_tumor.duplicates.same_frame import CERTAIN_AGREEMENT, SameFrame, carry_over
from monai_tumor.duplicates.search import Duplicate, Watch, find_duplicates, unwatched

LEAST_MASK_DICE = 0.8
"""Masks of one frame that agree less contradict each other; two experts on one lesion mostly reach more."""

_MASKS_KEPT = 4096  # packed, about 40 KB each


@dataclass(frozen=True, slots=True)
class Relation:
    """Two cases that show the same frame.

    Attributes:
        first: One case.
        second: The other, later in the order of the data set.
        same: How the first picture lies on the second.
        identical: Whether their pixels are equal.
        bits: How many of 256 bits their perceptual hashes differ in.
        mask_dice: Dice of the two references where both pictures show something; 1 where both are empty there, None where
            one of them has no reference.
    """

    first: Case
    second: Case
    same: SameFrame
    identical: bool
    bits: int
    mask_dice: float | None

    @property
    def certain(self) -> bool:
        """Whether it is one frame for sure, and not the next slice or moment."""
        return self.same.agreement >= CERTAIN_AGREEMENT

    @property
    def labels_differ(self) -> bool:
        """Whether it is one frame for sure and both have a diagnosis, and not the same one."""
        return (
            self.certain and None not in (self.first.label, self.second.label) and self.first.label != self.second.label
        )

    @property
    def masks_differ(self) -> bool:
        """Whether it is one frame for sure and both have a reference, and these do not agree."""
        return self.certain and self.mask_dice is not None and self.mask_dice < LEAST_MASK_DICE

    @property
    def across_groups(self) -> bool:
        """Whether the files call them two patients."""
        return self.first.group != self.second.group

    @property
    def words(self) -> str:
        """What the pair is, in a few words."""
        if self.identical:
            return "identical pixels"
        scale = max(self.same.scale, 1 / self.same.scale)
        what = [f"{scale:.2f} times the scale"] if scale > 1.02 else []
        what += [f"crop, {self.same.overlap:.0%} of the smaller one shared"] if self.same.overlap < 0.98 else []
        if not self.certain:
            what += ["or the next slice or moment"]
        return "the same frame: " + (", ".join(what) or "other marks or grey levels")


def find_relations(survey: Survey, watch: Watch = unwatched) -> list[Relation]:
    """Find the cases that show the same frame, identical ones across diagnoses first, then by agreement.

    Args:
        survey: The data set as it was seen.
        watch: Shows the progress.
    """
    facts, dataset = survey.facts, survey.dataset
    found = find_duplicates(
        [item.fingerprint for item in facts],
        lambda position: dataset.load(facts[position].case)[0],
        [item.case.group for item in facts],
        watch,
    )

    @lru_cache(_MASKS_KEPT)
    def reference(position: int) -> tuple[NDArray[np.uint8], tuple[int, ...]] | None:
        mask = dataset.load(facts[position].case)[1]
        return None if mask is None else (np.packbits(mask), mask.shape)

    def related(item: Duplicate) -> Relation:
        return _relation(item, facts, _unpacked(reference(item.first)), _unpacked(reference(item.second)))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        relations = list(watch(pool.map(related, found), "comparing masks", len(found)))
    return sorted(relations, key=lambda item: (not item.identical, not item.labels_differ))


def clusters_of(cases: Iterable[Case], relations: Iterable[Relation]) -> dict[str, str]:
    """Return for every group the cluster that a split must not divide: groups that share a frame are joined."""
    return join_groups(
        (case.group for case in cases), ((relation.first.group, relation.second.group) for relation in relations)
    )


def contradictions(relations: Iterable[Relation]) -> dict[str, str]:
    """Return the cases of which somebody must be wrong, and why, in one line each.

    A case contradicts another one when both show the same frame and have another diagnosis, or masks that do not agree.
    """
    reasons: dict[str, list[str]] = {}
    for relation in relations:
        for case, other in ((relation.first, relation.second), (relation.second, relation.first)):
            if relation.labels_differ:
                reasons.setdefault(case.id, []).append(f"{case.label} here, {other.label} in {other.id}")
            if relation.masks_differ:
                agree = f"mask agrees with that of {other.id} by a Dice of {relation.mask_dice:.2f} only"
                reasons.setdefault(case.id, []).append(agree)
    return {name: "; ".join(texts) for name, texts in reasons.items()}


def _relation(
    found: Duplicate,
    facts: tuple[CaseFacts, ...],
    first: NDArray[np.bool_] | None,
    second: NDArray[np.bool_] | None,
) -> Relation:
    dice = None if first is None or second is None else _dice_where_shared(found.same, first, second)
    one, other = facts[found.first].case, facts[found.second].case
    return Relation(one, other, found.same, found.identical, found.bits, dice)


def _unpacked(packed: tuple[NDArray[np.uint8], tuple[int, ...]] | None) -> NDArray[np.bool_] | None:
    if packed is None:
        return None
    bits, shape = packed
    return np.unpackbits(bits, count=int(np.prod(shape))).reshape(shape).astype(bool)


def _dice_where_shared(same: SameFrame, first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    shape = (second.shape[0], second.shape[1])
    moved = carry_over(first, same, shape)
    theirs = second & carry_over(np.ones_like(first), same, shape)
    total = int(moved.sum()) + int(theirs.sum())
    return 1.0 if total == 0 else 2 * int((moved & theirs).sum()) / total
