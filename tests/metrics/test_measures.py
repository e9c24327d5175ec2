"""The table of measures: what it names can be had of every case."""

from __future__ import annotations

import math

import numpy as np

from monai_tumor.metrics.boundary import boundary
from monai_tumor.metrics.measures import ALL_CASE_MEASURES, COUNTS, LESION_MEASURES, ScoredCase
from monai_tumor.metrics.overlap import overlap

MEASURES = LESION_MEASURES + ALL_CASE_MEASURES
LESION = np.zeros((4, 6), dtype=bool)
LESION[1:3, 1:5] = True


def figures(prediction: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    case = ScoredCase("a", "p1", overlap(prediction, reference), boundary(prediction, reference))
    return {measure.name: measure.of(case) for measure in MEASURES}


def test_a_shifted_lesion_by_hand() -> None:
    # Each direction: 6 of 8 edge pixels are shared, 2 lie one column away.
    assert figures(np.roll(LESION, 1, axis=1), LESION) == {
        **{"dice": 0.75, "iou": 0.6, "precision": 0.75, "recall": 0.75},
        **{"hd95_px": 1, "assd_px": 0.25, "pixel_accuracy": 20 / 24},
    }


def test_every_name_and_label_is_there_once() -> None:
    names = [*COUNTS, *(measure.name for measure in MEASURES)]
    assert len({*names}) == len(names) and len({measure.label for measure in MEASURES}) == len(MEASURES)


def test_figures_stay_within_their_limits() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        found = figures(*(random.random((2, 9, 13)) < 0.3))
        assert all(0 <= found[measure.name] <= measure.largest for measure in MEASURES)


def test_a_case_without_measured_boundaries_has_undefined_distances() -> None:
    case = ScoredCase("a", "p1", overlap(LESION, LESION))
    assert [one.name for one in MEASURES if math.isnan(one.of(case))] == ["hd95_px", "assd_px"]
