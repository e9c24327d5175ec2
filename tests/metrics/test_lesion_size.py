"""The size of a lesion: cases worked out by hand, and SciPy's distances of all pixels."""

from __future__ import annotations

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
    assert measure_lesion(mask).plain() == {"lesions": 1, "area": 12.0, "longest_diameter": 5.0, "unit": "px"}
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


def _diameter(lesion):
    corners = [(r + i, c + j) for r, c in zip(*np.nonzero(lesion), strict=True) for i in (0, 1) for j in (0, 1)]
    return pdist(np.array(corners) * (0.3, 0.7)).max()


@pytest.mark.parametrize("spacing", [(0.0, 1.0), (1.0, -2.0), (float("nan"), 1.0), (1.0, float("inf"))])
def test_a_spacing_that_cannot_be_is_refused(spacing):
    with pytest.raises(WrongCallError, match="expected two numbers of millimetres above 0"):
        measure_lesion(np.ones((2, 3), bool), spacing)
