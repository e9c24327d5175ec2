"""Which cases are evaluated: a part of the run's split, a whole other data set, or a few local cases to calibrate on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from monai_tumor.errors import WrongCallError, WrongDataError, unknown_name
from monai_tumor.evaluation.folder import evaluations, identity_of
from monai_tumor.evaluation.seen import nearly_equal
from monai_tumor.inference.operating_point import AUTO, PER_FOLD, OperatingPoint, operating_point
from monai_tumor.pipeline import CaseSource
from monai_tumor.splits.split import PARTS, QUARANTINE, SplitEntry
from monai_tumor.wording import count_of

EXTERNAL, CALIBRATION, OUT_OF_FOLD = "external", "calibration", "out_of_fold"
ALL_PARTS = (*PARTS, OUT_OF_FOLD, EXTERNAL, CALIBRATION)


def split_for(part: str, split_file: str | None) -> str | None:
    """Return the split of a run for a part of it, and none for data from elsewhere; configurations call this."""
    return None if part in (EXTERNAL, CALIBRATION) else split_file


def point_for(
    part: str,
    bundle_root: str,
    threshold: float | str,
    smallest_area: float | None,
    tta: bool,
    prediction: str | None = None,
) -> OperatingPoint:
    """Return the operating point that a configuration asks for; configurations call this.

    Raises:
        WrongCallError: What was chosen on these very cases, or as ``operating_point``.
    """
    if isinstance(threshold, str) and part in ("validation", "training"):
        raise WrongCallError(
            f"threshold {threshold!r} is chosen on the validation part, so the {part} part takes a number"
        )
    if part == OUT_OF_FOLD and isinstance(threshold, str):
        if threshold != AUTO:
            raise WrongCallError(
                f"threshold {threshold!r}: out-of-fold cases take a number, or 'auto' for one of each fold"
            )
        if smallest_area is not None:
            raise WrongCallError(
                f"smallest_area {smallest_area}: with threshold 'auto' each fold chooses it; leave it out"
            )
        return PER_FOLD
    point = operating_point(bundle_root, threshold, smallest_area, tta, prediction)
    own = part in (
        "training",
        "validation",
        OUT_OF_FOLD,
    )  # what the temperature was fitted on shows nothing of its worth
    return replace(point, temperature=None, calibrated_on="") if own else point


def evaluated_ids(
    root: Path,
    source: CaseSource,
    part: str,
    local_cases: int | None,
    seed: int,
    labelled: Collection[str] | None = None,
) -> list[str]:
    """Return the ids of the labelled cases that are evaluated, in natural order.

    Args:
        root: The run.
        source: Data and split.
        part: One of ``ALL_PARTS``.
        local_cases: How many cases the part ``calibration`` has.
        seed: Seed of their choice.
        labelled: Ids of the cases that have what the evaluation compares with; None for those with a reference mask.

    Raises:
        WrongCallError: Unknown part, or a number of local cases that does not belong to it.
        WrongDataError: There is no such case, or too few.
    """
    if part not in ALL_PARTS:
        raise unknown_name("part", part, ALL_PARTS)
    if (part == CALIBRATION) != (local_cases is not None):
        raise WrongCallError(
            f"local_cases is {local_cases} for part {part!r}; it belongs to {CALIBRATION!r}, which needs it"
        )
    if part == OUT_OF_FOLD:
        return []  # every fold has evaluated its own
    if labelled is None:
        labelled = {case.id for case in source.cases if case.masks is not None}
    if part in PARTS:
        ids = [name for name in source.split.ids(part) if name in labelled]
        where = f"the {part} part of data set {source.name!r}"
    else:
        ids = [
            name
            for name in _outside(calibrated_on(root) if part == EXTERNAL else {}, source.split.cases)
            if name in labelled
        ]
        where = f"data set {source.name!r}"
    if not ids:
        raise WrongDataError(f"{where} has no labelled case that could be evaluated; check the data and the split")
    return ids if local_cases is None else _local(ids, local_cases, seed, where)


def pictures_of(source: CaseSource, ids: Sequence[str]) -> dict[str, list[str]]:
    """Return by what pictures are known again: ``pixels`` (digests) and perceptual ``hashes``, sorted, blank ones left out."""
    entries = [source.split.cases[name] for name in ids]
    return {
        "pixels": sorted({entry.pixels for entry in entries} - {""}),
        "hashes": sorted({entry.hash for entry in entries} - {""}),
    }


def known_pictures(entries: Mapping[str, SplitEntry], pictures: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the cases that show one of these pictures, or nearly: another copy of it."""
    pixels, hashes = set(pictures.get("pixels", ())), list(pictures.get("hashes", ()))
    same = [name for name, entry in entries.items() if entry.pixels and entry.pixels in pixels]
    others = {name: entry.hash for name, entry in entries.items() if entry.hash and entry.pixels not in pixels}
    return [*same, *(nearly_equal(others, hashes) if hashes else [])]


def calibrated_on(root: Path) -> dict[str, list[str]]:
    """Return all pictures that a run was calibrated on, as ``pictures_of`` does."""
    found = [identity_of(folder) for folder in evaluations(root, CALIBRATION)]
    return {kind: [one for identity in found for one in identity.get(kind, ())] for kind in ("pixels", "hashes")}


def _outside(used: Mapping[str, Sequence[str]], entries: Mapping[str, SplitEntry]) -> list[str]:
    """Return the cases that are neither in quarantine nor of a group with a picture that was used."""
    known = {entries[name].cluster for name in known_pictures(entries, used)}
    return [name for name, entry in entries.items() if entry.part != QUARANTINE and entry.cluster not in known]


def _local(ids: list[str], count: int, seed: int, where: str) -> list[str]:
    if not 1 <= count <= len(ids):
        found = count_of(len(ids), "labelled case", "labelled cases")
        raise WrongDataError(f"{count} local cases were asked for; {where} has {found}: give 1 to {len(ids)}")
    drawn = np.random.default_rng(seed).permutation(len(ids))[:count]
    return [ids[place] for place in sorted(drawn.tolist())]


def words_of(part: str, source: Any) -> str:
    """Return the part in words."""
    if part in (EXTERNAL, CALIBRATION):
        return f"{part} data set {source.name}"
    return (
        f"{part.replace('_', '-')} cases of {source.name}" if part == OUT_OF_FOLD else f"{part} part of {source.name}"
    )
