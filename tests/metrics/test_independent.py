"""Every figure of a case equals that of an independent implementation; where definitions differ, the test says how."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage  # type: ignore[import-untyped]

from monai_tumor.metrics.boundary import boundary
from monai_tumor.metrics.measures import score_case
from monai_tumor.metrics.overlap import overlap

Pair = tuple[np.ndarray, np.ndarray]
PAIRS = st.tuples(st.integers(1, 9), st.integers(1, 12)).flatmap(
    lambda shape: st.tuples(arrays(np.bool_, shape), arrays(np.bool_, shape))
)
SPACINGS = st.sampled_from([(1.0, 1.0), (0.3, 1.0), (2.5, 0.7)])
EMPTY = np.zeros((5, 8), dtype=bool)
FULL = ~EMPTY
PIXEL, CORNER, BORDER = EMPTY.copy(), EMPTY.copy(), EMPTY.copy()
PIXEL[2, 3] = CORNER[0, 7] = BORDER[:2, :3] = True
EDGE_CASES = [(one, other) for one in (EMPTY, PIXEL, CORNER, BORDER, FULL) for other in (EMPTY, PIXEL, BORDER, FULL)]


def with_edge_cases(test):
    """Run a test of a pair on empty, one-pixel, bordering and full masks too."""
    for pair in EDGE_CASES:
        test = example(pair=pair, spacing=(2.5, 0.7))(test)
    return settings(max_examples=80, deadline=None)(given(pair=PAIRS, spacing=SPACINGS)(test))


@with_edge_cases
def test_counts_and_scores_equal_those_of_scikit_learn(pair: Pair, spacing) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    found, true = (mask.ravel() for mask in pair)
    ours = overlap(*pair)
    table = metrics.confusion_matrix(true, found, labels=[False, True])
    expected = [[ours.true_negative, ours.false_positive], [ours.false_negative, ours.true_positive]]
    assert table.tolist() == expected
    assert ours.pixel_accuracy == pytest.approx(metrics.accuracy_score(true, found), abs=1e-6)
    if found.any():
        assert ours.precision == pytest.approx(metrics.precision_score(true, found), abs=1e-6)
    if true.any():  # with an empty reference ours are undefined, those of scikit-learn 0
        theirs = [score(true, found) for score in (metrics.f1_score, metrics.jaccard_score, metrics.recall_score)]
        assert [ours.dice, ours.iou, ours.recall] == pytest.approx(theirs, abs=1e-6)


@with_edge_cases
def test_areas_equal_sums_of_pixels(pair: Pair, spacing) -> None:
    found, true = (int(mask.sum()) for mask in pair)
    ours = overlap(*pair)
    assert ours.reference_share == pytest.approx(true / pair[1].size, abs=1e-6)
    expected = (found - true) / true if true else np.nan
    assert ours.area_error == pytest.approx(expected, abs=1e-6, nan_ok=True)


def distances_by_transform(one: np.ndarray, other: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    """Distances from the edge of ``one`` to that of ``other``, by SciPy's erosion and distance transform."""
    edges = [mask & ~ndimage.binary_erosion(mask) for mask in (one, other)]
    return ndimage.distance_transform_edt(~edges[1], sampling=spacing)[edges[0]]


@with_edge_cases
def test_distances_equal_those_of_a_distance_transform(pair: Pair, spacing) -> None:
    ours = boundary(*pair, spacing)
    if not (pair[0].any() and pair[1].any()):
        assert np.isnan([ours.hd95, ours.assd, ours.nsd(2)]).all()
        return
    to_reference, to_prediction = distances_by_transform(*pair, spacing), distances_by_transform(*pair[::-1], spacing)
    both = np.concatenate([to_reference, to_prediction])
    assert ours.hd95 == pytest.approx(max(np.percentile(part, 95) for part in (to_reference, to_prediction)), abs=1e-6)
    assert ours.assd == pytest.approx(both.mean(), abs=1e-6)
    assert ours.nsd(2) == pytest.approx((both <= 2 + 1e-6).mean(), abs=1e-6)


@with_edge_cases
def test_distances_equal_those_of_monai_and_nsd_of_a_miss_too(pair: Pair, spacing) -> None:
    metrics = pytest.importorskip("monai.metrics")
    import torch

    tensors = [torch.from_numpy(mask)[None, None].float() for mask in pair]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MONAI says that a mask is empty
        nsd = metrics.compute_surface_dice(*tensors, class_thresholds=[2.0], include_background=True).item()
        hd95 = metrics.compute_hausdorff_distance(
            *tensors, percentile=95, include_background=True, spacing=list(spacing)
        ).item()
    if pair[1].any():  # a mark where there is no lesion has NSD 0 in MONAI; ours is undefined and counted elsewhere
        assert score_case("a", "p1", *pair).nsd == pytest.approx(nsd, abs=1e-6)
    if pair[0].any() and pair[1].any():
        assert boundary(*pair, spacing).hd95 == pytest.approx(hd95, rel=1e-6, abs=1e-6)
