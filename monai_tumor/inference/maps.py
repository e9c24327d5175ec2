"""From several probability maps of one image to one."""

from __future__ import annotations

from typing import Any

from monai.transforms import Transform


class MeanOfMaps(Transform):
    """Take the mean of an item's probability maps: those of the networks of a fold set, or of mirrored images.

    Stands behind the sigmoid and before the threshold: the mean of logits or of masks would be another figure.

    Args:
        key: The entry, (maps, rows, columns) of probabilities.
    """

    def __init__(self, key: str = "pred") -> None:
        self.key = key

    def __call__(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return the item with ``key`` as (1, rows, columns), a tensor as before; one map stays as it is."""
        return {**item, self.key: item[self.key].mean(dim=0, keepdim=True)}
