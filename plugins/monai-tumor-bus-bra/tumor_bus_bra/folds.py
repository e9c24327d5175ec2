"""The folds that the makers of BUS-BRA published, so that results can be compared with theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from monai_tumor.cases import Case
from monai_tumor.datasets.base import PublishedFolds, Remark
from monai_tumor.datasets.files import first_names
from monai_tumor.errors import WrongDataError
from monai_tumor.wording import count_of
from tumor_bus_bra.table import read_table

FOLD_FILES: Mapping[str, int] = {"5-fold-cv.csv": 5, "10-fold-cv.csv": 10}
"""File name to its number of folds."""

PUBLISHED_SHA256: Mapping[str, str] = {
    "5-fold-cv.csv": "8bed2d2efdf6ea370ab82a3cbda4c213f498274a68b434828ceeb636ce43a68d",
}
"""Digests of the files as published (1875 rows, folds of 376, 385, 366, 365 and 383 images), where known."""

_COLUMN = "kFold"


def read_folds(folder: Path, cases: Sequence[Case]) -> list[PublishedFolds]:
    """Read the fold files that are there; rows of images that are not there are left out.

    Raises:
        WrongDataError: A file is damaged, has no row for a case, or has a fold that cannot be.
    """
    return [PublishedFolds(path.name, _digest(path), _fold_of(path, count, cases)) for path, count in _files_in(folder)]


def remarks_on_folds(folder: Path) -> list[Remark]:
    """Return a remark for every fold file that is not the published one."""
    digests = {path.name: _digest(path) for path, _ in _files_in(folder)}
    return [
        Remark(
            f"{name} is not the file that was published (sha256 {digests[name][:12]}..., published {published[:12]}...); "
            "results on its folds compare with published ones only if the rows of the images here are unchanged"
        )
        for name, published in PUBLISHED_SHA256.items()
        if digests.get(name, published) != published
    ]


def _files_in(folder: Path) -> Iterator[tuple[Path, int]]:
    return ((folder / name, count) for name, count in FOLD_FILES.items() if (folder / name).is_file())


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise WrongDataError(f"{path} cannot be read: {error.strerror}; check its permissions") from None


def _fold_of(path: Path, count: int, cases: Sequence[Case]) -> dict[str, int]:
    table = read_table(path, (_COLUMN,))
    missing = [Path(case.image) for case in cases if case.id not in table]
    if missing:
        found = f"{path} has no row for {len(missing)} of {count_of(len(cases), 'image', 'images')}"
        raise WrongDataError(f"{found}: {first_names(missing, path.parent)}; copy the published file again")
    return {case.id: _fold(path, case.id, table[case.id][_COLUMN], count) for case in cases}


def _fold(path: Path, name: str, text: str, count: int) -> int:
    """Return the fold counted from 0; the file counts from 1."""
    if not text.isdecimal() or not 1 <= int(text) <= count:
        raise WrongDataError(
            f"{path} puts {name} into fold {text!r}, expected 1 to {count}; copy the published file again"
        )
    return int(text) - 1
