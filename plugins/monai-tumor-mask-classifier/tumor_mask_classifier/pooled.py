"""The tests of all folds together: figures of each way, and what a mask brings, case by case."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.metrics.diagnosis import summarise_diagnosis
from monai_tumor.metrics.diagnosis_auroc import compare_auroc
from monai_tumor.metrics.diagnosis_classes import class_log_odds, class_probabilities, fit_class_temperature
from monai_tumor.metrics.diagnosis_points import choose_sensitivity_point, compare_at_specificity
from monai_tumor.metrics.summary import mean_interval

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PooledWay:
    """All cases of one way, each tested once by the classifier of its fold.

    Attributes:
        cases: Ids, sorted.
        groups: Group of each case.
        folds: int (cases,), the fold that tested it.
        targets: int (cases,), index of its class.
        logits: float64 (cases, classes), as the classifiers gave them.
        scaled: float64 (cases, classes), each fold's divided by the temperature that fits the other folds.
    """

    cases: tuple[str, ...]
    groups: tuple[str, ...]
    folds: Whole
    targets: Whole
    logits: Floats
    scaled: Floats


def read_way(tests: Mapping[int, Path], classes: Sequence[str]) -> PooledWay:
    """Read the tables of all folds.

    Args:
        tests: Fold to the folder of its test.
        classes: The labels in the order of the logits.
    """
    rows = [(row["case"], fold, row) for fold, test in tests.items() for row in _rows(test / "cases.csv")]
    rows.sort(key=lambda row: row[0])
    folds = np.array([fold for _, fold, _ in rows], np.int64)
    targets = np.array([int(row["target"]) for _, _, row in rows], np.int64)
    logits = np.array([[float(row[f"logit_{name}"]) for name in classes] for _, _, row in rows], np.float64)
    groups = tuple(row["group"] for _, _, row in rows)
    return PooledWay(
        tuple(name for name, _, _ in rows), groups, folds, targets, logits, _scaled(logits, targets, folds)
    )


def way_figures(way: PooledWay, classes: Sequence[str], positive: str, sensitivity: float, seed: int) -> dict[str, Any]:
    """Return the figures of one way as JSON-able values.

    Returns:
        What ``summarise_diagnosis`` returns of the calibrated logits, and ``point``: sensitivity and specificity of
        ``positive`` where each fold's threshold was chosen on the other folds for a stated sensitivity.
    """
    figures = summarise_diagnosis(way.scaled, way.targets, way.groups, classes, seed, positive=positive)
    return {**figures, "point": _point(way, list(classes).index(positive), sensitivity, seed)}


def difference(
    first: PooledWay, second: PooledWay, classes: Sequence[str], pair: tuple[str, str], seed: int
) -> dict[str, Any]:
    """Return what the second way brings beside the first: AUROC and sensitivity at 90 % specificity, paired.

    Args:
        first: A way.
        second: Another one on the same cases.
        classes: The labels.
        pair: Negative and positive class; cases of other classes are left out.
        seed: Seed of intervals and tests.
    """
    negative, positive = (list(classes).index(name) for name in pair)
    chosen = np.isin(first.targets, (negative, positive))
    one, two = (class_log_odds(way.scaled)[chosen, positive] for way in (first, second))
    truth = first.targets[chosen] == positive
    groups = [group for group, kept in zip(first.groups, chosen.tolist(), strict=True) if kept]
    return {
        "auroc": compare_auroc(one, two, truth, groups, seed=seed).plain(),
        "sensitivity_at_specificity": compare_at_specificity(one, two, truth, groups, seed=seed).plain(),
    }


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _scaled(logits: Floats, targets: Whole, folds: Whole) -> Floats:
    scaled = logits.copy()
    for fold in np.unique(folds):
        others = folds != fold
        fitted = fit_class_temperature(logits[others], targets[others])
        scaled[~others] /= 1.0 if np.isnan(fitted.value) else fitted.value
    return scaled


def _point(way: PooledWay, positive: int, sensitivity: float, seed: int) -> dict[str, Any]:
    """Return sensitivity and specificity at thresholds that each fold's cases had no say in."""
    chance, truth = class_probabilities(way.scaled)[:, positive], way.targets == positive
    called = np.zeros(len(truth), bool)
    for fold in np.unique(way.folds):
        others = way.folds != fold
        groups = [group for group, kept in zip(way.groups, others.tolist(), strict=True) if kept]
        point = choose_sensitivity_point(chance[others], truth[others], groups, sensitivity)
        called[~others] = chance[~others] >= point.threshold
    of = {
        name: mean_interval(
            right[part].astype(np.float64), [way.groups[k] for k in np.flatnonzero(part)], seed, limits=(0.0, 1.0)
        ).plain()
        for name, right, part in (("sensitivity", called, truth), ("specificity", ~called, ~truth))
    }
    return {"asked_sensitivity": sensitivity, **of}
