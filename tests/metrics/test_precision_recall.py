"""Precision and recall over thresholds by hand and against scikit-learn."""

from __future__ import annotations

import json

import numpy as np
import pytest

from monai_tumor.metrics.levels import CaseLevels, case_levels
from monai_tumor.metrics.overlap import overlap
from monai_tumor.metrics.precision_recall import precision_recall

Picture = tuple[np.ndarray, np.ndarray]


def picture(seed: int, lesion: float = 0.2) -> Picture:
    random = np.random.default_rng(seed)
    reference = random.random((13, 17 + seed)) < lesion
    return random.beta(1 + 2 * reference, 3 - reference), reference


def counted(pictures: list[Picture]) -> list[CaseLevels]:
    return [case_levels(*one, f"p{place}") for place, one in enumerate(pictures)]


def test_two_cases_by_hand() -> None:
    one = np.array([[0.9, 0.7, 0.2]]), np.array([[True, False, True]])
    other = np.array([[0.6, 0.1]]), np.array([[True, False]])
    found = precision_recall(counted([one, other]))
    at = {round(256 * threshold): place for place, threshold in enumerate(found.thresholds)}
    assert (found.pooled_precision[at[128]], found.pooled_recall[at[128]]) == (
        pytest.approx(2 / 3),
        pytest.approx(2 / 3),
    )
    assert (found.mean_precision[at[128]], found.mean_recall[at[128]]) == (0.75, 0.75)
    # From 0.8 on nothing is predicted in the second case: its recall is 0, its precision undefined.
    assert (found.mean_precision[at[205]], found.mean_recall[at[205]]) == (1, 0.25)
    assert (found.with_prediction[at[205]], found.with_prediction[at[128]], found.n) == (1, 2, 2)
    assert np.isnan(found.pooled_precision[-1]) and found.pooled_recall[-1] == 0


def test_the_pooled_curve_equals_that_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    pictures = [picture(0), picture(1), picture(2, lesion=0)]
    found = precision_recall(counted(pictures))
    chance, reference = (np.concatenate([one[k].ravel() for one in pictures]) for k in (0, 1))
    precision, recall, steps = metrics.precision_recall_curve(reference, chance)
    for threshold, *values in zip(found.thresholds, found.pooled_precision, found.pooled_recall, strict=True):
        place = np.searchsorted(steps, threshold)
        if place < len(steps):
            assert values == pytest.approx([precision[place], recall[place]])
    assert found.lesion_free == 1


def test_means_equal_those_of_masks_made_one_by_one() -> None:
    pictures = [picture(0), picture(1), picture(2, lesion=0)]
    found = precision_recall(counted(pictures))
    for place, threshold in enumerate(found.thresholds):
        scored = [overlap(chance >= threshold, reference) for chance, reference in pictures[:2]]
        precisions = [one.precision for one in scored if one.precision == one.precision]
        assert found.with_prediction[place] == len(precisions)
        assert found.mean_recall[place] == pytest.approx(np.mean([one.recall for one in scored]))
        if precisions:
            assert found.mean_precision[place] == pytest.approx(np.mean(precisions))


def test_recall_only_falls() -> None:
    found = precision_recall(counted([picture(seed) for seed in range(4)]))
    for recall in (found.pooled_recall, found.mean_recall):
        assert list(recall) == sorted(recall, reverse=True)


def test_the_curve_is_json() -> None:
    plain = json.loads(json.dumps(precision_recall(counted([picture(0)])).plain(), allow_nan=False))
    assert len(plain["thresholds"]) == len(plain["mean_precision"]) == 255
