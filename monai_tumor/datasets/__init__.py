"""Data sets: the phantom, any folder of images and masks, and what a data-set plug-in builds on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from monai_tumor import registry
from monai_tumor.cases import Case
from monai_tumor.datasets.base import PublishedFolds, Remark
from monai_tumor.errors import WrongDataError

_CHUNK = 1 << 20


class RegisteredDataset(Protocol):
    """What every data set offers; ``FileDataset`` and ``PhantomDataset`` do."""

    name: str
    modality: str
    organ: str
    task: str
    layout: str

    @property
    def labels(self) -> dict[str, str]:
        """Each diagnosis and what it means."""

    def cases(self, root: str | os.PathLike[str] | None) -> Sequence[Case]:
        """Return the cases of a folder sorted by id, without decoding pixels."""

    def load(self, case: Case) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Return image (R, C[, 3]) uint8 or uint16, and reference (R, C) bool or None."""

    def recognises(self, folder: Path) -> float:
        """Say from names alone how sure it is that a folder is one of this data set, from 0 to 1."""

    def remarks(self, root: str | os.PathLike[str]) -> Sequence[Remark]:
        """Return what users should know of the files and no case shows."""

    def published_folds(self, root: str | os.PathLike[str]) -> Sequence[PublishedFolds]:
        """Return the folds that the makers of the data set published."""

    def source_files(self, case: Case) -> tuple[str, ...]:
        """Return the files that decide what ``load`` gives; none where ``case.image`` alone does."""


def open_dataset(name: str) -> RegisteredDataset:
    """Return the data set that is registered under a name, ready to use.

    Raises:
        WrongCallError: Nobody registers the name.
        PluginError: It cannot be loaded.
    """
    loaded: Any = registry.load_named("datasets", name)
    dataset: RegisteredDataset = loaded() if isinstance(loaded, type) else loaded
    return dataset


def load_case(dataset: RegisteredDataset, case: Case) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return image and reference of a case that may be one that cannot be used.

    Raises:
        WrongDataError: The case has a ``problem``, or a file cannot be read.
    """
    if case.problem:
        raise WrongDataError(case.problem)
    return dataset.load(case)


def content_digest(dataset: RegisteredDataset, case: Case) -> str:
    """Return 32 hexadecimal digits that change whenever the pixels of a case may have changed.

    They depend on the bytes of its files and not on where these lie; for a synthetic case on its image name.

    Raises:
        WrongDataError: A file cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    files = dataset.source_files(case)
    for path in files:
        digest.update(_file_digest(path, *_state(path)))
    if not files:
        digest.update(f"{dataset.name}\0{case.image}".encode())
    # The slices of one volume share its files; no reference and an empty one have the same files.
    digest.update(f"\0{case.index}\0{'no reference' if case.masks is None else len(case.masks)}".encode())
    return digest.hexdigest()


def _state(path: str) -> tuple[int, int]:
    try:
        state = Path(path).stat()
    except OSError as error:
        raise WrongDataError(f"{path} cannot be read: {error.strerror}; list the data set anew") from error
    return state.st_size, state.st_mtime_ns


@lru_cache(maxsize=64)
def _file_digest(path: str, size: int, changed: int) -> bytes:
    """Digest one file; kept in memory because each slice of a volume asks for the same one."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise WrongDataError(f"{path} cannot be read: {error.strerror}; check its permissions") from error
    return digest.digest()
