"""From the tested folds of each method to its figures, and to paired differences from the first method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from monai_tumor.comparison.results import CaseFigures, FoldResult
from monai_tumor.metrics.measures import LESION_MEASURES
from monai_tumor.metrics.summary import Interval, mean_interval

Folds = Mapping[int, FoldResult]


def method_figures(folds: Folds, seed: int = 0) -> dict[str, Any]:
    """Return the figures of one method over all cases of its tested folds, JSON-able.

    Args:
        folds: Fold to its results, at least one.
        seed: Seed of the intervals.

    Returns:
        ``folds``; ``lesion_cases``, ``missed`` of them; ``lesion_free_cases``, ``with_false_positive`` of them; means of
        ``LESION_MEASURES`` over lesion cases (what ``Interval.plain`` returns); ``parameters``; over folds the median of
        ``minutes``, ``epochs`` and ``cpu_share`` (None where no fold tells) and the largest ``peak_memory_mib``.
    """
    cases = pooled(folds)
    lesion = [case for case in cases.values() if case.has_lesion]
    free = [case for case in cases.values() if not case.has_lesion]
    records = [fold.record for fold in folds.values()]
    groups = [case.group for case in lesion]
    return {
        "folds": sorted(folds),
        "lesion_cases": len(lesion),
        "missed": sum(case.is_missed for case in lesion),
        "lesion_free_cases": len(free),
        "with_false_positive": sum(case.false_positive > 0 for case in free),
        **{
            one.name: mean_interval(
                [case.values[one.name] for case in lesion], groups, seed, limits=(0.0, one.largest)
            ).plain()
            for one in LESION_MEASURES
        },
        "parameters": records[0]["settings"].get("parameters"),
        "minutes": median(fold.minutes for fold in folds.values()),
        "epochs": median(len(record["history"]) for record in records),
        "peak_memory_mib": _over([record.get("peak_memory_mib") for record in records], max),
        "cpu_share": _over([fold.cpu_share for fold in folds.values()], median),
    }


def pooled(folds: Folds) -> dict[str, CaseFigures]:
    """Return the cases of all folds together; each case is tested in one fold."""
    return {name: case for fold in sorted(folds) for name, case in folds[fold].cases.items()}


def paired_difference(first: Folds, other: Folds, measure: str = "dice", seed: int = 0) -> dict[str, Any]:
    """Return the mean of ``other`` minus ``first`` over the lesion cases that both were tested on, JSON-able.

    The difference is taken case by case: what makes a case hard for both does not widen the interval.

    Args:
        first: The method that the other one is compared with.
        other: The other one.
        measure: Name of one of ``LESION_MEASURES`` whose largest value is 1.
        seed: Seed of the interval.
    """
    mine, its = pooled(first), pooled(other)
    common = [name for name in mine if name in its and mine[name].has_lesion]
    values = [its[name].values[measure] - mine[name].values[measure] for name in common]
    found = mean_interval(values, [mine[name].group for name in common], seed, limits=(-1.0, 1.0))
    return _not_a_share(found, values).plain()


def _not_a_share(found: Interval, values: Sequence[float]) -> Interval:
    """No case differs: taken for a share, as values of 0 and 1 are, zero would have an upper end but no lower one."""
    return found if any(values) else replace(found, low=None, high=None)


def _over(values: Sequence[float | None], choose: Callable[[list[float]], float]) -> float | None:
    known = [value for value in values if value is not None]
    return choose(known) if known else None
