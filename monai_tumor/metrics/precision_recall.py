"""Precision and recall over all thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.metrics.levels import LEVELS, CaseLevels, Counts, from_level_on, lesion_cases
from monai_tumor.metrics.plain import PlainResult

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PrecisionRecall(PlainResult):
    """Precision and recall at each threshold, without a smallest area.

    Attributes:
        thresholds: 1/256, 2/256, ... 255/256.
        pooled_precision: Of the pixels of all cases together, lesion-free cases among them; NaN where nothing is predicted.
        pooled_recall: The same.
        mean_precision: Mean over the lesion cases where something is predicted.
        mean_recall: Mean over the lesion cases.
        with_prediction: Lesion cases where something is predicted, at each threshold.
        n: Lesion cases.
        lesion_free: Cases with an empty reference.
    """

    thresholds: tuple[float, ...]
    pooled_precision: tuple[float, ...]
    pooled_recall: tuple[float, ...]
    mean_precision: tuple[float, ...]
    mean_recall: tuple[float, ...]
    with_prediction: tuple[int, ...]
    n: int
    lesion_free: int


def precision_recall(cases: Sequence[CaseLevels]) -> PrecisionRecall:
    """Return precision and recall over all thresholds, of all pixels together and as means over lesion cases.

    Raises:
        WrongDataError: No case has a lesion.
    """
    lesion_free = len(cases) - len(lesion_cases(cases))
    lesion, true = _above([case.lesion for case in cases])
    predicted = true + _above([case.ground for case in cases])[1]
    chosen = lesion > 0
    precision, recall = _share(true, predicted)[chosen], true[chosen] / lesion[chosen, None]
    defined = np.count_nonzero(predicted[chosen], axis=0)
    return PrecisionRecall(
        thresholds=tuple((np.arange(1, LEVELS) / LEVELS).tolist()),
        pooled_precision=tuple(_share(true.sum(axis=0), predicted.sum(axis=0)).tolist()),
        pooled_recall=tuple((true.sum(axis=0) / lesion.sum()).tolist()),
        mean_precision=tuple(_share(np.nansum(precision, axis=0), defined).tolist()),
        mean_recall=tuple(recall.mean(axis=0).tolist()),
        with_prediction=tuple(defined.tolist()),
        n=len(recall),
        lesion_free=lesion_free,
    )


def _above(histograms: Sequence[Counts]) -> tuple[Counts, Counts]:
    """Return all pixels, (cases,), and those from each threshold on, (cases, 255)."""
    counts = np.stack([from_level_on(one) for one in histograms])
    return counts[:, 0], counts[:, 1:]


def _share(part: NDArray[Any], whole: NDArray[Any]) -> _Floats:
    shares: _Floats = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)
    return shares
