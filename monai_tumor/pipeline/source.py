"""A data set with its split: which items belong to which part."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from monai_tumor import registry
from monai_tumor.audit.division import divide
from monai_tumor.cases import Case
from monai_tumor.datasets import content_digest, open_dataset
from monai_tumor.errors import WrongCallError, WrongDataError, unknown_name
from monai_tumor.splits.split import FRACTIONS, PARTS, QUARANTINE, Split, check_split, read_split
from monai_tumor.wording import count_of

Loaded = tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]


def default_dataset(dataset_dir: str | None, name: str, phantom: str = "phantom") -> str:
    """Return the data set to read: ``name`` when a folder is given, else ``phantom``."""
    return phantom if dataset_dir is None else name


class CaseSource:
    """The cases of a data set and the parts they were put into. Nothing is read before it is asked for.

    Args:
        name: A registered data set.
        root: Its folder; None only for a data set without files (a phantom).
        split_file: A split or folds made before; None makes a split by group from ``seed`` and ``fractions``.
        fold: Which fold of ``split_file`` is the test part, when that holds folds.
        seed: Seed of a split made here.
        fractions: Share of the cases in each part of a split made here.
        undivided: Whether all cases are the test part of a split made here, as those of an external test are.

    Attributes:
        synthetic: Whether the data set reads no files: its cases are no patients.

    Raises:
        WrongCallError: Unknown data set, a real data set without its folder, or a folder for a synthetic one.
    """

    def __init__(
        self,
        name: str,
        root: str | None = None,
        split_file: str | None = None,
        fold: int | None = None,
        seed: int = 0,
        fractions: Mapping[str, float] = FRACTIONS,
        undivided: bool = False,
    ) -> None:
        self.dataset = open_dataset(name)
        self.name = name
        self.synthetic = not self.dataset.layout
        if root is None and not self.synthetic:
            raise WrongCallError(f"data set {name!r} needs its folder; give it as --dataset_dir DIR")
        if root is not None and self.synthetic:
            raise WrongCallError(
                f"data set {name!r} is synthesised and reads no folder, but {root} was given; name the data set that lies "
                "there (--dataset_name NAME; monai-tumor: --dataset)"
            )
        self.root = None if root is None else _folder(str(root))
        self.split_file, self.fold, self.seed = split_file, fold, seed
        self.fractions = {"test": 1.0} if undivided else dict(fractions)

    @cached_property
    def reader(self) -> str:
        """The data set with distribution and version: another one may read the same files in another way."""
        component = registry.find("datasets", self.name)
        return f"{component.distribution}-{component.version}:{component.name}"

    @cached_property
    def cases(self) -> list[Case]:
        """All cases of the data set, sorted by id."""
        found = list(self.dataset.cases(self.root))
        if self.synthetic:
            _say_once(
                f"NOTE: no dataset_dir given: this run uses {len(found)} synthetic phantoms, not patients. "
                "For real data give --dataset_dir DIR."
            )
        return found

    @cached_property
    def split(self) -> Split:
        """The split into parts: read from the file and checked against the cases, or made here by group."""
        if self.split_file is not None:
            split = read_split(self.split_file)
            self._check_fit(split)
            check_split(split, self.cases, self.digests())
            return _in_parts(split, self.fold)
        split = divide(self.dataset, self.cases, self.seed, self.fractions)
        if aside := split.ids(QUARANTINE):
            _say_once(
                f"NOTE: {count_of(len(aside), 'case contradicts', 'cases contradict')} another case that shows the same frame "
                "and take no part (quarantine in split.json); monai-tumor data check shows them."
            )
        return split

    def items(self, part: str) -> list[dict[str, Any]]:
        """Return the MONAI items of one part, unlabelled cases left out.

        Args:
            part: ``training``, ``validation`` or ``test``.

        Returns:
            Dictionaries with ``image`` (path), ``label`` (list of mask paths, empty for an empty reference) and ``case``
            (id), sorted by id.

        Raises:
            WrongCallError: Unknown part.
            WrongDataError: The part has no labelled case.
        """
        if part not in PARTS:
            raise unknown_name("part", part, PARTS)
        items = [item for item in self.items_of(self.split.ids(part)) if self.case(item["case"]).masks is not None]
        if not items:
            raise WrongDataError(f"the {part} part of data set {self.name!r} has no labelled case; check the split")
        return items

    def items_of(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return the MONAI items of cases, sorted by id."""
        chosen = set(ids)
        return [_item(case) for case in self.cases if case.id in chosen]

    def case(self, case_id: str) -> Case:
        """Return the case with that id."""
        return self._by_id[case_id]

    def load(self, case_id: str) -> Loaded:
        """Return image (R, C[, 3]) and reference (R, C) bool of one case, in the geometry of the file."""
        image, reference = self.dataset.load(self.case(case_id))
        return image, reference

    def digest(self, case_id: str) -> str:
        """Return the digest of everything that the case's pixels come from; prepared arrays are kept under it."""
        return content_digest(self.dataset, self.case(case_id))

    def _check_fit(self, split: Split) -> None:
        if split.dataset != self.name:
            raise WrongCallError(
                f"{self.split_file} divides data set {split.dataset!r}, not {self.name!r}; "
                f"give --dataset_name {split.dataset} (monai-tumor: --dataset), or another split"
            )
        if split.folds and self.fold is None:
            raise WrongCallError(f"{self.split_file} holds {split.folds} folds; give --fold 0 to {split.folds - 1}")

    def digests(self) -> dict[str, str]:
        """Return the digest of each case's files: a split knows nothing of what a subclass adds in ``load`` and ``digest``."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            files = pool.map(partial(content_digest, self.dataset), self.cases)
            return dict(zip(self._by_id, files, strict=True))

    @cached_property
    def _by_id(self) -> dict[str, Case]:
        return {case.id: case for case in self.cases}


@cache
def _say_once(text: str) -> None:
    if os.environ.get("RANK", "0") == "0":  # one of the processes that torchrun starts
        print(text, file=sys.stderr)


def _in_parts(split: Split, fold: int | None) -> Split:
    """Return the split with part names for every case, whatever the file held (folds are resolved)."""
    parts = (*PARTS, QUARANTINE)
    entries = {name: replace(split.cases[name], part=part) for part in parts for name in split.ids(part, fold)}
    return replace(split, cases=entries)


def _item(case: Case) -> dict[str, Any]:
    return {"image": case.image, "label": list(case.masks or ()), "case": case.id}


def _folder(root: str) -> Path:
    if "::" in root and not Path(root).exists():
        raise WrongDataError(
            f"dataset_dir {root!r}: MONAI rewrites '#' in a path as '::'; rename the folder without '#'"
        )
    return Path(root)
