"""The size of a lesion: cases worked out by hand, and SciPy's distances of all pixels."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import label
from scipy.spatial.distance import pdist

from monai_tumor.errors import WrongCallError
from monai_tumor.metrics.lesion_size import measure_lesion


def test_a_rectangle_in_pixels_and_in_millimetres():
    mask = np.zeros((20, 30), bool)
    mask[2:5, 10:14] = True  # 3 x 4 pixels: the diagonal from corner to corner is 5
    found = measure_lesion(mask)
    assert (found.lesions, found.area, found.longest_diameter, found.unit) == (1, 12.0, 5.0, "px")
    # The other two corners lie 3 x 4 / 5 to either side of the diagonal.
    assert found.short_axis == pytest.approx(4.8)
    found = measure_lesion(mask, (0.5, 2.0))
    assert (found.area, found.unit) == (12.0, "mm")
    assert found.longest_diameter == pytest.approx((1.5**2 + 8**2) ** 0.5)


def test_the_diameter_is_that_of_the_largest_lesion_and_the_area_of_all():
    mask = np.zeros((20, 40), bool)
    mask[0, :12] = True  # 12 pixels, longer
    mask[10:14, 30:34] = True  # 16 pixels, larger
    found = measure_lesion(mask)
    assert (found.lesions, found.area) == (2, 28.0)
    assert found.longest_diameter == pytest.approx(4 * 2**0.5)


def test_an_empty_mask_has_no_size():
    assert measure_lesion(np.zeros((7, 5), bool)).plain() == {
        "lesions": 0,
        "area": 0.0,
        "longest_diameter": 0.0,
        "short_axis": 0.0,
        "unit": "px",
    }


@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 17))))
def test_as_scipy_measures_it(mask):
    labels, count = label(mask, np.ones((3, 3)))
    found = measure_lesion(mask, (0.3, 0.7))
    assert found.lesions == count and found.area == pytest.approx(mask.sum() * 0.21)
    sizes = np.bincount(labels[labels > 0], minlength=1)
    of_largest = [_diameter(labels == k) for k in range(1, count + 1) if sizes[k] == sizes.max()]  # several may tie
    assert any(found.longest_diameter == pytest.approx(one) for one in of_largest or [0.0])


def _corners(lesion):
    corners = [(r + i, c + j) for r, c in zip(*np.nonzero(lesion), strict=True) for i in (0, 1) for j in (0, 1)]
    return np.array(corners) * (0.3, 0.7)


def _diameter(lesion):
    return pdist(_corners(lesion)).max()


@given(arrays(bool, st.tuples(st.integers(1, 5), st.integers(1, 7))).filter(np.any))
def test_the_short_axis_as_a_turned_picture_shows_it(mask):
    labels, count = label(mask, np.ones((3, 3)))
    sizes = np.bincount(labels[labels > 0])
    expected = [_turned(_corners(labels == k)) for k in range(1, count + 1) if sizes[k] == sizes.max()]
    found = measure_lesion(mask, (0.3, 0.7))
    assert any(found.short_axis == pytest.approx(one) for one in expected)
    assert 0 < found.short_axis <= found.longest_diameter


def _turned(corners):
    """Turn the picture until the longest diameter lies level, and measure how high the lesion then is."""
    pairs = list(itertools.combinations(np.unique(corners, axis=0).tolist(), 2))
    longest = max(math.dist(a, b) for a, b in pairs)
    heights = []
    for a, b in pairs:
        if math.dist(a, b) > longest - 1e-9:
            angle = math.atan2(b[0] - a[0], b[1] - a[1])
            level = [math.cos(angle) * row - math.sin(angle) * column for row, column in corners]
            heights.append(max(level) - min(level))
    return max(heights)


def test_the_axes_of_an_ellipse():
    rows, columns = np.mgrid[:200, :300]
    along, across = (columns - 140) * 0.8 + (rows - 90) * 0.6, (rows - 90) * 0.8 - (columns - 140) * 0.6
    found = measure_lesion((along / 80) ** 2 + (across / 30) ** 2 <= 1)
    assert found.longest_diameter == pytest.approx(160, abs=1.5)  # a pixel's diagonal: corners overshoot
    assert found.short_axis == pytest.approx(60, abs=1.5)


@pytest.mark.parametrize("spacing", [(0.0, 1.0), (1.0, -2.0), (float("nan"), 1.0), (1.0, float("inf"))])
def test_a_spacing_that_cannot_be_is_refused(spacing):
    with pytest.raises(WrongCallError, match="expected two numbers of millimetres above 0"):
        measure_lesion(np.ones((2, 3), bool), spacing)
