"""Prepared arrays on disk: decoded and resized once, memory-mapped by every later epoch, worker and run.

A store is a folder for one set of prepare settings and holds *segments*. A segment is two arrays (images and masks)
and the list of the content digests of its rows; it is written under another name and renamed, so it is whole or absent,
and processes that fill the store at the same time need no lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.prepare import PrepareSettings

LIMIT_BYTES = 20 * 2**30
ROOT_VARIABLE = "MONAI_TUMOR_CACHE"
_FORMAT = "1"
_SEGMENT_CASES = 1024  # bounds the memory that filling takes, and what a kill can lose
_ARRAYS = ("image", "mask", "source_shape")
_STALE_SECONDS = 24 * 3600
Row = dict[str, npt.NDArray[Any]]


def cache_root(given: str | None = None) -> Path:
    """Return the cache folder: ``given``, else ``$MONAI_TUMOR_CACHE``, else the user's cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given or os.environ.get(ROOT_VARIABLE) or Path(home) / "monai-tumor")


class PreparedStore:
    """All prepared cases of one set of settings.

    Args:
        root: The cache folder.
        settings: What the arrays are prepared with; another set of settings is another store.
    """

    def __init__(self, root: Path, settings: PrepareSettings) -> None:
        key = hashlib.blake2b(f"{_FORMAT}|{settings.key()}".encode(), digest_size=8).hexdigest()
        self.folder, self.settings = root / key, settings
        self._rows: dict[str, Row] = {}

    def rows(self, wanted: Mapping[str, Callable[[], Row]], fill: Callable[..., Sequence[Row]]) -> dict[str, Row]:
        """Return the arrays for every digest, making what no segment has.

        Args:
            wanted: For each content digest a call that makes its row: ``image`` (rows, columns, channels) uint8, ``mask``
                (rows, columns) uint8 with 255 everywhere for "no reference", ``source_shape`` (2,).
            fill: Runs a list of such calls and returns their rows in order (in threads, with progress).

        Returns:
            Digest to row; image and mask are read-only views of memory-mapped files.
        """
        self._open_segments()
        missing = [digest for digest in wanted if digest not in self._rows]
        if missing:
            self._check_space(len(missing))
            for start in range(0, len(missing), _SEGMENT_CASES):
                chunk = missing[start : start + _SEGMENT_CASES]
                self._write_segment(chunk, fill([wanted[digest] for digest in chunk]))
        found = {digest: self._rows[digest] for digest in wanted}
        limit_size(self.folder.parent)
        return found

    def _open_segments(self) -> None:
        for folder in sorted(self.folder.glob("segment-*")):
            try:
                digests = json.loads((folder / "digests.json").read_text())
                if all(digest in self._rows for digest in digests):
                    continue
                arrays = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS]
            except (OSError, ValueError, EOFError):
                continue  # another process is cleaning up, or the disk lost it: the cases are simply prepared again
            self._add(digests, arrays)
            with contextlib.suppress(OSError):  # a cache of somebody else's is read all the same
                os.utime(folder)

    def _add(self, digests: Sequence[str], arrays: Sequence[npt.NDArray[Any]]) -> None:
        """Take up rows; a file that is deleted later stays readable while it is mapped."""
        images, masks, shapes = (np.asarray(array) for array in arrays)
        for row, digest in enumerate(digests):
            self._rows[digest] = {"image": images[row], "mask": masks[row], "source_shape": shapes[row]}

    def _write_segment(self, digests: Sequence[str], rows: Sequence[Row]) -> None:
        temporary = self.folder / f".tmp-{uuid.uuid4().hex}"
        temporary.mkdir(parents=True)
        try:
            for name in _ARRAYS:
                np.save(temporary / f"{name}.npy", np.stack([row[name] for row in rows]))
            (temporary / "digests.json").write_text(json.dumps(list(digests)))
            self._add(digests, [np.load(temporary / f"{name}.npy", mmap_mode="r") for name in _ARRAYS])
            temporary.rename(self.folder / f"segment-{uuid.uuid4().hex}")
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise WrongDataError(f"cache {self.folder} cannot be written: {error.strerror}; {_ELSEWHERE}") from error

    def _check_space(self, count: int) -> None:
        needed = count * self.settings.rows * self.settings.columns * (self.settings.channels + 1)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise WrongDataError(f"cache {self.folder} cannot be made: {error.strerror}; {_ELSEWHERE}") from error
        if needed > free:
            raise WrongDataError(
                f"the cache of {count} cases needs {needed / 2**30:.1f} GiB in {self.folder}, {free / 2**30:.1f} GiB are "
                f"free; {_ELSEWHERE}"
            )


_ELSEWHERE = "make room, run 'monai-tumor data cache --clear', or give another folder as --cache_dir DIR"


def cache_size(root: Path) -> int:
    """Return the bytes that all stores under ``root`` take."""
    return sum(_folder_size(folder) for folder in root.glob("*/segment-*"))


def clear_cache(root: Path) -> int:
    """Delete every store under ``root`` and return how many bytes that freed. Other files there are left alone."""
    freed = cache_size(root)
    for folder in [*root.glob("*/segment-*"), *root.glob("*/.tmp-*")]:
        shutil.rmtree(folder, ignore_errors=True)
    return freed


def limit_size(root: Path, limit: int = LIMIT_BYTES) -> None:
    """Delete the segments used longest ago until the cache is within ``limit`` bytes, and what killed writers left.

    A process that has mapped a segment goes on reading it after it was deleted.
    """
    for folder in root.glob("*/.tmp-*"):
        if time.time() - _last_used(folder) > _STALE_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
    excess = cache_size(root) - limit
    for folder in sorted(root.glob("*/segment-*"), key=_last_used) if excess > 0 else []:
        if excess > 0:
            excess -= _folder_size(folder)
            shutil.rmtree(folder, ignore_errors=True)


def _folder_size(folder: Path) -> int:
    try:
        return sum(path.stat().st_size for path in folder.iterdir())
    except OSError:  # somebody else is deleting it
        return 0


def _last_used(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return time.time()
