"""A list of dictionary transforms in which ours are applied together and any of MONAI's may stand between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from monai.transforms import Compose

from monai_tumor.pipeline.augment import DeferredTransform
from monai_tumor.pipeline.deferred import Item, apply_deferred


class TransformChain(Compose):
    """MONAI's ``Compose`` for our 2-D items: deferred changes are applied once, before a foreign transform or at the end.

    MONAI 1.6.1's own lazy mode fails on 2-D dictionaries of flip, rotation and zoom (matrix shapes 3x3 and 4x4), and its
    ``Compose`` costs more than our whole budget per image; seeding and nesting are still its own.

    Args:
        transforms: Dictionary transforms, ours or MONAI's, in the order in which they are applied.
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        super().__init__(transforms)

    def __call__(self, item: Item, **_: object) -> Item:
        """Return a new item; the arrays of ``item`` are not changed."""
        return run_transforms(self.transforms, dict(item))


def run_transforms(transforms: Sequence[Callable[[Any], Any]], item: Item) -> Item:
    """Apply ``transforms`` in order; an item that says ``"error"`` (an unreadable file) passes through untouched."""
    for transform in transforms:
        if "error" in item:
            return item
        if not isinstance(transform, DeferredTransform):  # it may write into the array, which must not be the cache's
            item = _writable(apply_deferred(item))
        item = transform(item)
    return apply_deferred(item)


def _writable(item: Item) -> Item:
    for key, value in item.items():
        if isinstance(value, np.ndarray) and not value.flags.writeable:
            item[key] = value.copy()
    return item
