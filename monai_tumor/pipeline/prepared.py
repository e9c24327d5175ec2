"""The training data set: prepared arrays from the cache, then the random transforms."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from monai.transforms import Compose
from torch.utils.data import Dataset as TorchDataset
from tqdm import tqdm

from monai_tumor.audit.survey import raise_unreadable
from monai_tumor.errors import ToolkitError
from monai_tumor.pipeline.cache import PreparedStore, Row, cache_root
from monai_tumor.pipeline.chain import run_transforms
from monai_tumor.pipeline.deferred import Item
from monai_tumor.pipeline.prepare_case import PrepareCase

_NO_REFERENCE = 255


class PreparedDataset(TorchDataset[Item]):
    """Items with arrays. When the first transform is a ``PrepareCase`` its result is kept in the cache.

    Nothing is read before the first item is asked for. With any other first transform (a list of plain MONAI transforms)
    everything is run for every item: slower, and it works.

    Args:
        data: MONAI items; see ``CaseSource.items`` and ``PrepareCase``.
        transform: The whole chain, the preparation first.
        cache_dir: Folder of the cache; None for the default.
    """

    def __init__(self, data: Sequence[Item], transform: Compose, cache_dir: str | None = None) -> None:
        self.data, self.transform, self.cache_dir = list(data), transform, cache_dir
        self._prepared: list[Item] | None = None

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Item:
        if not self._is_cached:
            return self.transform(dict(self.data[index]))  # type: ignore[no-any-return]
        return run_transforms(self.transform.transforms[1:], dict(self.prepare()[index]))

    def prepare(self) -> list[Item]:
        """Fill the cache where needed and return the prepared items; the loader calls this before it starts workers."""
        if self._prepared is None:
            self._prepared = self._read_prepared(self.transform.transforms[0]) if self._is_cached else list(self.data)
        return self._prepared

    @property
    def _is_cached(self) -> bool:
        steps = self.transform.transforms
        return bool(steps) and isinstance(steps[0], PrepareCase)

    def _read_prepared(self, preparation: PrepareCase) -> list[Item]:
        digests = _in_threads([partial(item_digest, item, preparation) for item in self.data], "reading")
        store = PreparedStore(cache_root(self.cache_dir), preparation.settings)
        calls = {digest: partial(_row, preparation, item) for digest, item in zip(digests, self.data, strict=True)}
        rows = store.rows(calls, lambda todo: _in_threads(todo, "preparing"))
        return [_item(item, rows[digest]) for item, digest in zip(self.data, digests, strict=True)]


def item_digest(item: Item, preparation: PrepareCase) -> str:
    """Return what names the item's pixels in the cache: a digest of its files, and who reads them in which version."""
    if preparation.source is not None and "case" in item:
        return f"{preparation.source.reader}:{preparation.source.digest(item['case'])}"
    label = item.get("label")
    state = hashlib.blake2b(b"none" if label is None else b"masks", digest_size=16)
    for path in [item["image"], *([label] if isinstance(label, str) else label or [])]:
        state.update(hashlib.blake2b(Path(path).read_bytes()).digest() if Path(path).is_file() else str(path).encode())
    return state.hexdigest()


def _row(preparation: PrepareCase, item: Item) -> Row:
    prepared = preparation(item)
    image = prepared["image"].transpose(1, 2, 0)
    mask = prepared["label"][0] if "label" in prepared else np.full(image.shape[:2], _NO_REFERENCE, dtype=np.uint8)
    return {"image": image, "mask": mask, "source_shape": prepared["source_shape"]}


def _item(item: Item, row: Row) -> Item:
    rest = {key: value for key, value in item.items() if key not in ("image", "label")}
    ready = {**rest, "image": row["image"].transpose(2, 0, 1), "source_shape": np.array(row["source_shape"])}
    if row["mask"].flat[0] != _NO_REFERENCE:
        ready["label"] = row["mask"][None]
    return ready


def _in_threads(calls: Sequence[Callable[[], Any]], what: str) -> list[Any]:
    """Run the calls (decoding releases the interpreter lock) and raise one error for all unreadable files."""

    def attempt(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except ToolkitError as error:
            return error

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(tqdm(pool.map(attempt, calls), total=len(calls), desc=what, unit="case", delay=2, leave=False))
    raise_unreadable([result for result in results if isinstance(result, ToolkitError)], len(calls))
    return results
