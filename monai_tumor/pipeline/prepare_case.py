"""From an item's files to network input, and from a probability map back to the geometry of the file."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from monai.transforms import Transform

from monai_tumor.datasets.base import load_files
from monai_tumor.errors import ToolkitError
from monai_tumor.imaging.prepare import PrepareSettings, prepare_image, prepare_mask, restore_probability
from monai_tumor.pipeline.deferred import Item
from monai_tumor.pipeline.source import CaseSource


class PrepareCase(Transform):
    """Decode the files of an item and prepare them: the deterministic part that a ``PreparedDataset`` caches.

    Args:
        settings: Rows, columns, channels and fit of the prepared arrays.
        source: Where items with a ``case`` come from; items without one are read as plain image and mask files.
        skip_errors: Mark an unreadable file with ``error`` and go on with a black image, instead of raising.
    """

    def __init__(self, settings: PrepareSettings, source: CaseSource | None = None, skip_errors: bool = False) -> None:
        self.settings, self.source, self.skip_errors = settings, source, skip_errors

    def __call__(self, item: Item) -> Item:
        """Return the item with arrays instead of paths.

        ``image`` becomes (channels, rows, columns) uint8, ``label`` (1, rows, columns) uint8 of 0 and 1 where there is a
        reference, ``source_shape`` (2,) int64 the rows and columns of the file, and ``path`` what ``image`` was.
        """
        try:
            image, reference = self._load(item)
        except ToolkitError as error:
            if not self.skip_errors:
                raise
            return self._unreadable(item, str(error))
        prepared = {**item, "path": item["image"], "source_shape": np.array(image.shape[:2])}
        prepared["image"] = prepare_image(image, self.settings).transpose(2, 0, 1)
        prepared.pop("label", None)
        if reference is not None:
            prepared["label"] = prepare_mask(reference, self.settings)[None]
        return prepared

    def _load(self, item: Item) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
        if self.source is not None and "case" in item:
            return self.source.load(item["case"])
        masks = item.get("label")
        return load_files(item["image"], [masks] if isinstance(masks, str) else masks)

    def _unreadable(self, item: Item, reason: str) -> Item:
        black = np.zeros((self.settings.channels, self.settings.rows, self.settings.columns), dtype=np.uint8)
        return {**item, "path": item["image"], "image": black, "source_shape": np.array([1, 1]), "error": reason}


class RestoreGeometry(Transform):
    """Put the probability maps of an item back into the rows and columns of its file (padding cut, size restored).

    Args:
        settings: What the image was prepared with.
        key: Which entry is restored.
    """

    def __init__(self, settings: PrepareSettings, key: str = "pred") -> None:
        self.settings, self.key = settings, key

    def __call__(self, item: Item) -> Item:
        """Return the item with ``key`` as (maps, source rows, source columns) float32, interpolated linearly."""
        shape = tuple(int(size) for size in item["source_shape"])
        maps = np.asarray(item[self.key].detach().float().cpu())
        restored = [restore_probability(one, (shape[0], shape[1]), self.settings) for one in maps]
        return {**item, self.key: np.stack(restored)}
