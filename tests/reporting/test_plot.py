"""Axes end at round numbers, and marks lie where their numbers say."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_tumor.reporting.plot import Plot, linear_axis, log_axis


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (0, 36, ["0", "10", "20", "30", "40"]),
        (0, 287.2, ["0", "100", "200", "300"]),
        (-0.3, 1.5, ["-0.5", "0", "0.5", "1", "1.5"]),
    ],
)
def test_ticks_are_round(low: float, high: float, ticks: list[str]) -> None:
    assert [words for _, words in linear_axis("", low, high).ticks] == ticks


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_an_axis_holds_its_values(low: float, length: float) -> None:
    axis = linear_axis("", low, low + length)
    step = axis.high - axis.low
    assert axis.low <= low + 1e-6 * step and low + length <= axis.high + 1e-6 * step and 2 <= len(axis.ticks) <= 8


def test_a_logarithmic_axis_has_ticks_at_1_2_5() -> None:
    axis = log_axis("", 0.007, 0.4, unit=0.01)
    assert [words for _, words in axis.ticks] == ["0.5", "1", "2", "5", "10", "20", "50"]
    assert axis.place(0.05) == pytest.approx(0.5)


def test_one_value_is_an_axis_too() -> None:
    assert linear_axis("", 0, 0).high > 0 and log_axis("", 0.02, 0.02, unit=0.01).high > 0.02


def test_an_undefined_point_leaves_a_gap() -> None:
    plot = Plot(linear_axis("x", 0, 1), linear_axis("y", 0, 1), "a line")
    plot.line([(0, 0), (0.5, math.nan), (1, 1), (1, 0)], "first")
    pens = re.findall(r'class="line first" d="([^"]+)"', plot.svg())[0]
    assert re.sub(r"[\d. ]", "", pens) == "MML" and "nan" not in pens


def test_a_dot_lies_between_its_ticks() -> None:
    plot = Plot(linear_axis("x", 0, 1), linear_axis("y", 0, 1), "a <dot>")
    plot.dots([(0, 0), (1, 1), (0.5, 0.5)], "dots")
    (x0, y0), (x1, y1), (x2, y2) = (map(float, at.split()) for at in re.findall(r"M([\d. ]+)h0", plot.svg()))
    assert x0 < x2 < x1 and y1 < y2 < y0 and x2 == pytest.approx((x0 + x1) / 2, abs=0.1)
    assert 'aria-label="a &lt;dot&gt;"' in plot.svg()
