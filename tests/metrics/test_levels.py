"""The counts that a case is reduced to equal those of masks made one threshold at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from monai_tumor.errors import WrongDataError
from monai_tumor.metrics.levels import CHOSEN_LEVELS, SMALLEST_AREAS, THRESHOLDS, case_levels, lesion_cases
from monai_tumor.metrics.overlap import overlap

SHAPE = (23, 37)  # 0.01 of it are 8.5 pixels
DTYPES = (np.float16, np.float32, np.float64)


def masks(chance: np.ndarray, smallest: float, threshold: float) -> np.ndarray:
    """Threshold, then drop components one by one."""
    labels, count = ndimage.label(chance >= threshold, structure=np.ones((3, 3)))
    parts = [labels == label for label in range(1, count + 1)]
    return np.logical_or.reduce(
        [np.zeros(chance.shape, bool), *(p for p in parts if p.sum() >= smallest * chance.size)]
    )


def smooth(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    reference = ndimage.gaussian_filter(random.normal(size=SHAPE), 3) > 0.08
    noise = ndimage.gaussian_filter(random.normal(size=SHAPE), 1.2)
    return 1 / (1 + np.exp(-3 * (2 * reference - 1) - 9 * noise)), reference


def test_thresholds_are_a_twentieth_apart_and_exact_in_every_precision() -> None:
    assert pytest.approx(np.arange(0.05, 0.96, 0.05), abs=1 / 512) == THRESHOLDS
    assert THRESHOLDS[9] == 0.5 and (THRESHOLDS[0], THRESHOLDS[-1]) == (13 / 256, 243 / 256)
    assert all(float(dtype(one)) == one for dtype in DTYPES for one in THRESHOLDS)
    assert list(CHOSEN_LEVELS / 256) == list(THRESHOLDS)


@pytest.mark.parametrize("seed", range(4))
def test_counts_equal_those_of_masks_made_one_by_one(seed: int) -> None:
    chance, reference = smooth(seed)
    found = case_levels(chance, reference, "p1")
    for i, smallest in enumerate(SMALLEST_AREAS):
        for j, threshold in enumerate(THRESHOLDS):
            scored = overlap(masks(chance, smallest, threshold), reference)
            assert found.true_positive[i, j] == scored.true_positive
            assert found.false_positive[i, j] == scored.false_positive
            assert found.false_negative[i, j] == scored.false_negative
            assert found.dice[i, j] == pytest.approx(scored.dice)


@given(
    st.sampled_from(DTYPES).flatmap(
        lambda dtype: arrays(dtype, (5, 7), elements=st.floats(0, 1, width=np.dtype(dtype).itemsize * 8))
    ),
    arrays(np.bool_, (5, 7)),
)
@settings(max_examples=100, deadline=None)
def test_every_threshold_is_exact_in_every_precision(chance: np.ndarray, reference: np.ndarray) -> None:
    found = case_levels(chance, reference, "p1")
    for level in range(1, 256):
        mask = chance.astype(np.float64) >= level / 256
        assert found.lesion[level:].sum() == np.count_nonzero(mask & reference)
        assert found.ground[level:].sum() == np.count_nonzero(mask & ~reference)
    assert found.lesion.sum() == reference.sum() and found.has_lesion == reference.any()


def test_pixels_that_touch_at_a_corner_are_one_component() -> None:
    chance = np.zeros(SHAPE)
    for step in range(9):  # of 8.5 that are needed
        chance[step, step] = 0.7
    found = case_levels(chance, chance > 0, "p1")
    assert found.true_positive[-1].tolist() == [9] * 14 + [0] * 5
    chance[4, 4] = 0  # now two of four
    assert case_levels(chance, chance > 0, "p1").true_positive[-1].max() == 0


def test_a_lesion_free_case_has_no_dice() -> None:
    chance, reference = smooth(0)
    found = case_levels(chance, reference & False, "p1")
    assert np.isnan(found.dice).all() and found.false_positive[0, 9] == np.count_nonzero(chance >= 0.5)
    with pytest.raises(WrongDataError, match="none of 1 cases has a lesion"):
        lesion_cases([found])


@pytest.mark.parametrize(
    ("chance", "message"),
    [
        (np.zeros((3, 4)), r"shape \(3, 4\), its reference \(4, 3\)"),
        (np.full((4, 3), 1.5), "outside of 0 to 1"),
        (np.full((4, 3), np.nan), "outside of 0 to 1"),
    ],
)
def test_what_cannot_be_counted_is_refused(chance: np.ndarray, message: str) -> None:
    with pytest.raises(WrongDataError, match=message):
        case_levels(chance, np.zeros((4, 3), dtype=bool), "p1")
    with pytest.raises(TypeError, match="reference has dtype float64"):
        case_levels(chance, np.zeros((4, 3)), "p1")
