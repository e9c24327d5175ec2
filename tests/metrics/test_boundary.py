"""Distances between boundaries by hand, against brute force, and against MONAI."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from monai_tumor.errors import WrongDataError
from monai_tumor.metrics.boundary import Boundary, boundary

MASKS = arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 12)))
PAIRS = MASKS.flatmap(lambda mask: st.tuples(st.just(mask), arrays(np.bool_, mask.shape)))
SPACINGS = st.tuples(st.sampled_from([0.3, 1.0, 2.5]), st.sampled_from([0.3, 0.7, 1.0]))
FULL = np.ones((5, 7), dtype=bool)


def mask_of(*rows: str) -> np.ndarray:
    return np.array([[letter == "#" for letter in row] for row in rows])


LESION = mask_of(
    ".......",
    ".###...",
    ".###...",
    ".###...",
    ".......",
)
LONGER = mask_of(
    ".......",
    ".#####.",
    ".#####.",
    ".#####.",
    ".......",
)


def edge_places(mask: np.ndarray) -> list[tuple[int, int]]:
    """Mask pixels with a neighbour outside of the mask, one by one."""
    padded = np.pad(mask, 1)
    around = [(0, 1), (2, 1), (1, 0), (1, 2)]
    return [(r, c) for r, c in np.argwhere(mask).tolist() if not all(padded[r + dr, c + dc] for dr, dc in around)]


def brute_force(one: np.ndarray, other: np.ndarray, spacing: tuple[float, float]) -> list[float]:
    rows, columns = spacing
    return [
        min(math.hypot(rows * (r - row), columns * (c - column)) for row, column in edge_places(other))
        for r, c in edge_places(one)
    ]


def test_a_lesion_that_is_marked_too_long_by_hand() -> None:
    measured = boundary(LONGER, LESION)
    # 12 edge pixels of the prediction: row 1 and row 3 hold 0 0 0 1 2 each, row 2 holds 0 and 2.
    assert sorted(measured.to_reference) == [0] * 7 + [1, 1, 2, 2, 2]
    # 8 edge pixels of the reference: all shared but the right one of row 2.
    assert sorted(measured.to_prediction) == [0] * 7 + [1]
    assert measured.hd95 == 2  # the other direction: 0.65
    assert measured.assd == pytest.approx((8 + 1) / 20)
    assert [measured.nsd(tolerance) for tolerance in (0, 1, 2)] == [14 / 20, 17 / 20, 1]


def test_the_percentile_lies_between_two_distances() -> None:
    nearest = boundary(LESION, LONGER)
    assert np.percentile(nearest.to_reference, 95) == pytest.approx(0.65)  # place 6.65 of 0 to 7
    assert nearest.hd95 == 2


def test_rows_and_columns_have_spacings_of_their_own() -> None:
    lower = np.roll(LESION, 1, axis=0)
    assert boundary(lower, LESION, (2.5, 0.3)).nsd(2.4) < 1 == boundary(lower, LESION, (2.5, 0.3)).nsd(2.5)
    wide = boundary(LONGER, LESION, (2.5, 0.3))
    assert wide.to_reference.max() == pytest.approx(0.6)  # two columns
    assert boundary(LONGER.T, LESION.T, (0.3, 2.5)).assd == pytest.approx(wide.assd)


def test_a_distance_equal_to_the_tolerance_is_within_it() -> None:
    measured = boundary(mask_of("#...."), mask_of("...#."), (0.1, 0.1))
    assert measured.to_reference[0] > 0.3  # by the last binary digit
    assert measured.nsd(0.3) == 1


def test_the_border_of_the_image_is_an_edge() -> None:
    inner = boundary(FULL, FULL)
    assert (len(inner.to_reference), inner.hd95, inner.assd, inner.nsd(0)) == (20, 0, 0, 1)
    corner = np.zeros((5, 7), dtype=bool)
    corner[:2, :3] = True
    assert len(boundary(corner, FULL).to_reference) == 6
    assert boundary(corner, FULL).to_reference.tolist() == [0, 0, 0, 0, 1, 1]


def test_the_place_in_the_image_does_not_matter() -> None:
    far = [np.pad(mask, ((300, 20), (5, 411))) for mask in (LONGER, LESION)]
    assert boundary(*far).to_reference.tolist() == boundary(LONGER, LESION).to_reference.tolist()


@pytest.mark.parametrize(
    ("prediction", "reference"), [(FULL & False, FULL), (FULL, FULL & False), (FULL & False, FULL & False)]
)
def test_a_distance_to_nothing_is_undefined(prediction: np.ndarray, reference: np.ndarray) -> None:
    measured = boundary(prediction, reference)
    assert all(math.isnan(score) for score in (measured.hd95, measured.assd, measured.nsd(1)))
    assert math.isnan(Boundary().hd95)


@given(PAIRS, SPACINGS)
@settings(max_examples=100, deadline=None)
def test_distances_equal_those_of_brute_force(pair: tuple[np.ndarray, np.ndarray], spacing) -> None:
    assume(pair[0].any() and pair[1].any())
    measured = boundary(*pair, spacing)
    assert measured.to_reference == pytest.approx(brute_force(*pair, spacing), abs=1e-12)
    assert measured.to_prediction == pytest.approx(brute_force(*pair[::-1], spacing), abs=1e-12)


@given(PAIRS, SPACINGS)
@settings(max_examples=50, deadline=None)
def test_prediction_and_reference_are_exchangeable(pair: tuple[np.ndarray, np.ndarray], spacing) -> None:
    one, other = boundary(*pair, spacing), boundary(*pair[::-1], spacing)
    assert one.hd95 == pytest.approx(other.hd95, nan_ok=True)
    assert one.assd == pytest.approx(other.assd, nan_ok=True)
    assert one.nsd(1) == pytest.approx(other.nsd(1), nan_ok=True)


@given(PAIRS, SPACINGS, st.sampled_from([0, 0.7, 1.0, 2.1]))
@settings(max_examples=150, deadline=None)
def test_scores_equal_those_of_monai(pair: tuple[np.ndarray, np.ndarray], spacing, tolerance: float) -> None:
    metrics = pytest.importorskip("monai.metrics")
    import torch

    assume(pair[0].any() and pair[1].any())
    tensors = [torch.from_numpy(mask)[None, None].float() for mask in pair]
    same = {"include_background": True, "spacing": list(spacing)}
    measured = boundary(*pair, spacing)
    hd95 = metrics.compute_hausdorff_distance(*tensors, percentile=95, **same).item()
    assd = metrics.compute_average_surface_distance(*tensors, symmetric=True, **same).item()
    assert measured.hd95 == pytest.approx(hd95, rel=1e-6, abs=1e-6)
    assert measured.assd == pytest.approx(assd, rel=1e-6, abs=1e-6)
    assert measured.nsd(tolerance) == pytest.approx(
        metrics.compute_surface_dice(*tensors, class_thresholds=[tolerance], **same).item(), abs=1e-6
    )


@pytest.mark.parametrize(
    ("prediction", "reference", "spacing", "message"),
    [
        (LESION, LESION.T, (1, 1), r"prediction has shape \(5, 7\), its reference \(7, 5\)"),
        (LESION[None], LESION[None], (1, 1), r"shape \(1, 5, 7\), expected \(rows, columns\)"),
        (LESION, LESION, (0, 1), r"spacing is \(0, 1\), expected two lengths greater than 0"),
        (LESION, LESION, (math.nan, 1), "expected two lengths"),
        (LESION, LESION, (1,), "expected two lengths"),
    ],
)
def test_what_cannot_be_measured_is_refused(prediction, reference, spacing, message: str) -> None:
    with pytest.raises(WrongDataError, match=message):
        boundary(prediction, reference, spacing)


def test_a_probability_is_refused() -> None:
    with pytest.raises(TypeError, match="apply a threshold first"):
        boundary(LESION * 0.3, LESION)
