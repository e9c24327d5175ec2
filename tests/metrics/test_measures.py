"""The table of measures: what it names can be had of every case."""

from __future__ import annotations

import math

import numpy as np

from monai_tumor.metrics.measures import COUNTS, MEASURES, ScoredCase, score_case
from monai_tumor.metrics.overlap import overlap

LESION = np.zeros((4, 6), dtype=bool)
LESION[1:3, 1:5] = True


def figures(prediction: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    case = score_case("a", "p1", prediction, reference)
    return {measure.name: measure.of(case) for measure in MEASURES}


def test_a_shifted_lesion_by_hand() -> None:
    # Each direction: 6 of 8 edge pixels are shared, 2 lie one column away.
    assert figures(np.roll(LESION, 1, axis=1), LESION) == {
        **{"dice": 0.75, "iou": 0.6, "precision": 0.75, "recall": 0.75},
        **{"hd95_px": 1, "assd_px": 0.25, "pixel_accuracy": 20 / 24},
        **{"nsd_2px": 1, "area_error": 0, "lesion_recall": 1, "false_lesions": 0},
    }


def test_a_lesion_without_any_prediction_has_nsd_0_and_area_error_minus_1() -> None:
    found = figures(LESION & False, LESION)
    assert (found["nsd_2px"], found["area_error"], found["lesion_recall"]) == (0, -1, 0)
    assert math.isnan(found["hd95_px"])


def test_what_is_marked_too_large_has_a_positive_area_error() -> None:
    assert figures(LESION | True, LESION)["area_error"] == (24 - 8) / 8


def test_an_empty_reference_leaves_all_but_three_undefined() -> None:
    found = figures(LESION, LESION & False)
    assert [name for name, value in found.items() if not math.isnan(value)] == [
        "precision",
        "false_lesions",
        "pixel_accuracy",
    ]


def test_every_name_and_label_is_there_once() -> None:
    names = [*COUNTS, *(measure.name for measure in MEASURES)]
    assert len({*names}) == len(names) and len({measure.label for measure in MEASURES}) == len(MEASURES)


def test_figures_stay_within_their_limits() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        found = figures(*(random.random((2, 9, 13)) < 0.3))
        assert all(measure.smallest <= found[measure.name] <= measure.largest for measure in MEASURES)


def test_what_was_not_measured_is_undefined() -> None:
    case = ScoredCase("a", "p1", overlap(LESION, LESION))
    undefined = ["hd95_px", "assd_px", "nsd_2px", "lesion_recall", "false_lesions"]
    assert [one.name for one in MEASURES if math.isnan(one.of(case))] == undefined
