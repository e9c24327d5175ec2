"""By what cases are told apart, so that a mean over all does not hide a class, a size or a scanner that fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from monai_tumor.metrics.measures import ScoredCase

# Fixed, so that the same name means the same in every data set.
SIZES = {"small": "below 2 % of the image", "medium": "2 to 10 %", "large": "above 10 %"}
NOT_STATED = "not stated"


def lesion_size(case: ScoredCase) -> str | None:
    """Return the name in ``SIZES`` for the area of all lesions of the reference together; None without a lesion."""
    if not case.overlap.has_reference_lesion:
        return None
    share = case.overlap.reference_share
    return "small" if share < 0.02 else "medium" if share <= 0.1 else "large"


def _stated(value: str | None) -> str:
    return NOT_STATED if value is None else value


# A case for which None comes back is in no subgroup of that grouping.
GROUPINGS: Mapping[str, Callable[[ScoredCase], str | None]] = {
    "label": lambda case: _stated(case.label),
    "lesion_size": lesion_size,
    "scanner": lambda case: _stated(case.scanner),
    "dataset": lambda case: _stated(case.dataset),
}


def subgroups(rows: Sequence[ScoredCase]) -> dict[str, dict[str, list[ScoredCase]]]:
    """Return name of the grouping to value to its cases; a grouping with fewer than two values is left out."""
    found = {name: _divided(rows, value) for name, value in GROUPINGS.items()}
    return {name: parts for name, parts in found.items() if len(parts) > 1}


def _divided(rows: Sequence[ScoredCase], value: Callable[[ScoredCase], str | None]) -> dict[str, list[ScoredCase]]:
    values = [value(row) for row in rows]
    names = sorted({name for name in values if name is not None}, key=_place)
    return {name: [row for row, its in zip(rows, values, strict=True) if its == name] for name in names}


def _place(name: str) -> tuple[int, str]:
    """Sizes from small to large, all else by name, what is not stated last."""
    return list(SIZES).index(name) if name in SIZES else len(SIZES) + (name == NOT_STATED), name
