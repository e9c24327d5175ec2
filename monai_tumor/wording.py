"""Words of messages that depend on numbers and names."""

from __future__ import annotations


def count_of(number: int, one: str, many: str) -> str:
    """Return ``1 file`` or ``2 files``."""
    return f"{number} {one if number == 1 else many}"


def figure_words(metric: str) -> str:
    """Return how the figure that chooses the best epoch is called: ``Dice`` for ``lesion_dice``, else its own words."""
    return "Dice" if metric == "lesion_dice" else metric.replace("_", " ")
