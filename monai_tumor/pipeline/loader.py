"""Items to batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from monai.data import DataLoader
from torch.utils.data import default_collate

from monai_tumor.errors import WrongCallError
from monai_tumor.pipeline.deferred import Item, as_array


class CaseLoader(DataLoader):
    """MONAI's loader with our collation, by keyword only (its second positional argument is the number of workers).

    Args:
        dataset: Items with arrays, such as a ``PreparedDataset``.
        batch_size: Cases in a batch.
        shuffle: New order each epoch; a batch that is not full is then left out, as batch statistics of one or two cases
            are worth nothing, unless there are fewer cases than a batch holds.
        num_workers: Processes that augment; 0 does it in this one, which at under a millisecond an image is the fastest
            for small machines.
        sampler: For training on more than one device; replaces ``shuffle``.
    """

    def __init__(
        self, dataset: Any, *, batch_size: int, shuffle: bool = False, num_workers: int = 0, sampler: Any = None
    ) -> None:
        if batch_size < 1:
            raise WrongCallError(f"batch_size is {batch_size}, expected 1 or more")
        # A stream, which nobody shuffles, has no length.
        cases = len(dataset if sampler is None else sampler) if shuffle else 0
        super().__init__(
            dataset,
            num_workers=num_workers,
            batch_size=batch_size,
            shuffle=shuffle if sampler is None else None,
            sampler=sampler,
            drop_last=shuffle and cases >= batch_size,
            collate_fn=collate_cases,
        )

    def __iter__(self) -> Any:
        if self.num_workers and hasattr(self.dataset, "prepare"):
            self.dataset.prepare()  # once here, and shared, rather than once in every worker
        return super().__iter__()


def collate_cases(items: Sequence[Item]) -> dict[str, Any]:
    """Return one batch; ``image`` and ``label`` are stacked along a new first axis.

    Arrays (channels, rows, columns) whose memory is channels-last stay so in the batch. An entry that only some items
    have (``error``, or a ``label`` where some have no reference) becomes a list with None for the others.
    """
    keys = {key: None for item in items for key in item}
    return {key: _collate([item.get(key) for item in items]) for key in keys}


def _collate(values: list[Any]) -> Any:
    if any(value is None for value in values):
        return values
    if isinstance(values[0], np.ndarray | torch.Tensor) and values[0].ndim == 3:
        # A foreign transform may have made tensors of some items and left others alone.
        stacked = np.stack([as_array(value).transpose(1, 2, 0) for value in values])
        return torch.from_numpy(stacked).permute(0, 3, 1, 2)
    if isinstance(values[0], (str, list)):
        return values
    return default_collate(values)
