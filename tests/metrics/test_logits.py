"""Logits counted on a grid: what is kept, what is lost, and what adds up."""

from __future__ import annotations

import numpy as np
import pytest

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.metrics.logits import LOGIT_STEP, LogitCounts, case_logits, pixel_logits

LOGITS = np.array([[-2.0, 0.0, 0.004, 1.5], [1.5, 90.0, -np.inf, 1.5]])
LESION = np.array([[False, True, False, True], [True, True, False, False]])


def table(counts: LogitCounts) -> dict[float, tuple[int, int]]:
    rows = zip(counts.logits.tolist(), counts.positive.tolist(), counts.negative.tolist(), strict=True)
    return {logit: (positive, negative) for logit, positive, negative in rows if positive or negative}


def test_pixels_are_counted_at_the_nearest_place_of_the_grid() -> None:
    assert table(pixel_logits(LOGITS, LESION)) == {-64: (0, 1), -2: (0, 1), 0: (1, 1), 1.5: (2, 1), 64: (1, 0)}


def test_a_logit_moves_by_half_a_step_at_most() -> None:
    logits = np.random.default_rng(0).normal(0, 9, 500)
    moved = [table(pixel_logits(np.array([z]), np.array([True]))).popitem()[0] - z for z in logits]
    assert max(map(abs, moved)) <= LOGIT_STEP / 2


def test_two_pictures_of_different_size_add_up_to_one() -> None:
    logits, lesion = np.concatenate([LOGITS.ravel(), LOGITS[0]]), np.concatenate([LESION.ravel(), LESION[0]])
    both = pixel_logits(LOGITS, LESION) + pixel_logits(LOGITS[0], LESION[0])
    assert table(both) == table(pixel_logits(logits, lesion))
    assert both.both.sum() == 12


def test_cases_are_counted_as_they_are() -> None:
    counts = case_logits([0.1234567, -3, 0.1234567], np.array([True, False, False]))
    assert table(counts) == {-3: (0, 1), 0.1234567: (1, 1)}


def test_counts_of_different_logits_do_not_add_up() -> None:
    with pytest.raises(WrongCallError, match="do not add up; give all cases in one call"):
        case_logits([1.0], np.array([True])) + case_logits([2.0], np.array([True]))


@pytest.mark.parametrize(
    ("logits", "message"),
    [(LOGITS.T, r"logits have shape \(4, 2\), their reference \(2, 4\)"), (LOGITS * np.nan, "a logit is NaN")],
)
def test_what_cannot_be_counted_is_refused(logits: np.ndarray, message: str) -> None:
    with pytest.raises(WrongDataError, match=message):
        pixel_logits(logits, LESION)


def test_an_infinite_logit_of_a_case_and_a_reference_of_numbers_are_refused() -> None:
    with pytest.raises(WrongDataError, match="before the sigmoid"):
        case_logits(LOGITS, LESION)
    with pytest.raises(TypeError, match="reference has dtype int64, expected bool"):
        pixel_logits(LOGITS, LESION.astype(np.int64))
