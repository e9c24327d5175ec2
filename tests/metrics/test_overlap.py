"""Counts and scores against cases worked out by hand and an independent implementation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from monai_tumor.errors import WrongDataError
from monai_tumor.metrics.overlap import Overlap, overlap

MASKS = arrays(np.bool_, (5, 7))
LESION = np.zeros((4, 6), dtype=bool)
LESION[1:3, 1:5] = True  # 8 pixels
SHIFTED = np.roll(LESION, 1, axis=1)  # shares 6 of them
EMPTY = np.zeros((4, 6), dtype=bool)


def test_a_shifted_lesion_by_hand() -> None:
    scored = overlap(SHIFTED, LESION)
    assert scored == Overlap(true_positive=6, false_positive=2, false_negative=2, true_negative=14)
    assert (scored.dice, scored.iou, scored.precision, scored.recall) == (0.75, 0.6, 0.75, 0.75)
    assert (scored.false_positive_area, scored.is_missed) == (2, False)
    assert scored.pixel_accuracy == 20 / 24
    assert (scored.reference_share, scored.area_error) == (8 / 24, 0)


def test_prediction_and_reference_are_not_exchangeable() -> None:
    half = LESION.copy()
    half[2] = False
    assert (overlap(half, LESION).precision, overlap(half, LESION).recall) == (1.0, 0.5)
    assert (overlap(LESION, half).precision, overlap(LESION, half).recall) == (0.5, 1.0)


def test_an_empty_reference_has_no_dice_whatever_is_predicted() -> None:
    for prediction in (EMPTY, LESION):
        scored = overlap(prediction, EMPTY)
        assert all(math.isnan(score) for score in (scored.dice, scored.iou, scored.recall))
        assert not scored.has_reference_lesion and not scored.is_missed
    assert overlap(LESION, EMPTY).false_positive_area == 8
    assert overlap(LESION, EMPTY).precision == 0


def test_pixel_accuracy_is_defined_for_empty_masks_and_high_for_a_miss() -> None:
    assert (overlap(EMPTY, EMPTY).pixel_accuracy, overlap(LESION, EMPTY).pixel_accuracy) == (1, 16 / 24)
    assert Overlap(0, 0, 8, 992).pixel_accuracy == 0.992
    assert math.isnan(Overlap(0, 0, 0, 0).pixel_accuracy)


def test_a_missed_lesion_scores_zero_and_its_precision_is_undefined() -> None:
    scored = overlap(EMPTY, LESION)
    assert (scored.dice, scored.iou, scored.recall, scored.is_missed) == (0, 0, 0, True)
    assert math.isnan(scored.precision)


@given(MASKS, MASKS)
@settings(max_examples=200, deadline=None)
def test_scores_equal_those_of_pixel_sets(prediction: np.ndarray, reference: np.ndarray) -> None:
    found, true = set(np.flatnonzero(prediction).tolist()), set(np.flatnonzero(reference).tolist())
    scored = overlap(prediction, reference)
    assert scored.true_positive + scored.false_positive + scored.false_negative + scored.true_negative == 35
    if true:
        assert scored.dice == pytest.approx(2 * len(found & true) / (len(found) + len(true)))
        assert scored.iou == pytest.approx(len(found & true) / len(found | true))
        assert scored.recall == pytest.approx(len(found & true) / len(true))
    if found:
        assert scored.precision == pytest.approx(len(found & true) / len(found))


def test_scores_equal_those_of_monai() -> None:
    metrics = pytest.importorskip("monai.metrics")
    import torch

    random = np.random.default_rng(0)
    prediction, reference = random.random((2, 6, 1, 9, 13)) < 0.4
    ours = [overlap(p, r) for p, r in zip(prediction, reference, strict=True)]
    pair = (torch.from_numpy(prediction).float(), torch.from_numpy(reference).float())
    assert metrics.compute_dice(*pair).flatten().numpy() == pytest.approx([o.dice for o in ours], rel=1e-5)
    assert metrics.compute_iou(*pair).flatten().numpy() == pytest.approx([o.iou for o in ours], rel=1e-5)


def test_a_probability_is_refused() -> None:
    with pytest.raises(TypeError, match="prediction has dtype float64, expected bool; apply a threshold first"):
        overlap(LESION * 0.3, LESION)


def test_a_transposed_mask_is_refused() -> None:
    with pytest.raises(WrongDataError, match=r"prediction has shape \(6, 4\), its reference \(4, 6\)"):
        overlap(LESION.T, LESION)
