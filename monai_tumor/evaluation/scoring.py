"""One prediction against one reference."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from monai_tumor.evaluation.evaluated_case import EvaluatedCase
from monai_tumor.inference.operating_point import OperatingPoint
from monai_tumor.metrics.levels import case_levels
from monai_tumor.metrics.logits import pixel_logits
from monai_tumor.metrics.measures import score_case
from monai_tumor.metrics.uncertainty import case_uncertainty

# Probabilities of 1 in float32 have no logit. This is one of 16, far beyond what a calibration can tell apart.
_SUREST = 1e-7

Maps = NDArray[np.floating[Any]]


def evaluate_case(
    case_id: str, group: str, maps: Maps, reference: NDArray[np.bool_], point: OperatingPoint, **about: str | None
) -> tuple[EvaluatedCase, NDArray[np.bool_]]:
    """Measure everything of one case.

    Args:
        case_id: Case id.
        group: Its group.
        maps: Probabilities (maps, rows, columns) of one or several networks or views, in the size of the image.
        reference: bool (rows, columns).
        point: How their mean becomes a mask.
        **about: ``label``, ``scanner`` and ``dataset`` of a ``ScoredCase``.

    Returns:
        The case, and its mask, bool (rows, columns).

    Raises:
        WrongDataError: The shapes differ, or a value lies outside of 0..1.
    """
    mean = mean_map(maps)
    mask = point.mask(mean)
    scored = score_case(case_id, group, mask, reference, **about)
    sure = np.clip(mean.astype(np.float64), _SUREST, 1 - _SUREST)
    unsure = case_uncertainty(maps, point.threshold) if len(maps) > 1 else None
    return EvaluatedCase(
        scored, case_levels(mean, reference, group), pixel_logits(logit(sure), reference), unsure
    ), mask


def mean_map(maps: Maps) -> Maps:
    """Return the mean probability, (rows, columns), of (maps, rows, columns)."""
    return np.asarray(maps.mean(axis=0))
