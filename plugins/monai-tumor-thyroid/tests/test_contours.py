"""What is read from the JSON of a mark, and which pixels its contours enclose."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tumor_thyroid.contours import MAX_DRAWINGS, MAX_POINTS, fill, joined, read_mark

SHAPE = (20, 30)
SQUARE = [(4, 2), (9, 2), (9, 6), (4, 6)]  # x, y: columns 4 to 9, rows 2 to 6


def svg(*contours: list[tuple[float, float]], kind: str = "freehand") -> str:
    points = [[{"x": x, "y": y} for x, y in contour] for contour in contours]
    return json.dumps([{"points": one, "annotation": {}, "regionType": kind} for one in points])


def filled(*contours: list[tuple[float, float]]) -> NDArray[np.bool_]:
    return fill(read_mark(svg(*contours)).contours, SHAPE)


def inside(contour: list[tuple[float, float]]) -> NDArray[np.bool_]:
    """Count how often a ray to the right crosses the contour: an implementation of another kind."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    odd = np.zeros(SHAPE, bool)
    for (x0, y0), (x1, y1) in zip(contour, contour[1:] + contour[:1], strict=True):
        if y0 != y1:
            odd ^= ((y0 > rows) != (y1 > rows)) & (columns < x0 + (rows - y0) * (x1 - x0) / (y1 - y0))
    return odd


def distance(contour: list[tuple[float, float]]) -> NDArray[np.float64]:
    """Return how far every pixel is from the line."""
    pixels = np.stack(np.mgrid[: SHAPE[0], : SHAPE[1]][::-1], axis=-1)
    nearest = np.full(SHAPE, np.inf)
    for start, end in zip(contour, contour[1:] + contour[:1], strict=True):
        way = np.subtract(end, start)
        along = np.clip((pixels - start) @ way / max(way @ way, 1), 0, 1)
        nearest = np.minimum(nearest, np.linalg.norm(pixels - start - along[..., None] * way, axis=-1))
    return nearest


def test_x_is_the_column_and_the_line_belongs_to_the_lesion() -> None:
    expected = np.zeros(SHAPE, bool)
    expected[2:7, 4:10] = True
    assert np.array_equal(filled(SQUARE), expected)


def test_a_contour_repeated_does_not_cancel_itself() -> None:
    assert np.array_equal(filled(SQUARE, SQUARE), filled(SQUARE))
    assert np.array_equal(filled(SQUARE, SQUARE, SQUARE), filled(SQUARE))


def test_a_contour_within_another_makes_no_hole() -> None:
    assert np.array_equal(filled(SQUARE, [(6, 3), (7, 3), (7, 5), (6, 5)]), filled(SQUARE))


def test_a_contour_drawn_round_twice_is_not_hollow() -> None:
    assert np.array_equal(filled(SQUARE * 2), filled(SQUARE))


def test_overlapping_contours_are_joined_and_a_gap_between_others_stays() -> None:
    right = [(x + 3, y + 2) for x, y in SQUARE]
    assert np.array_equal(filled(SQUARE, right), filled(SQUARE) | filled(right))
    bars = [[(1, 1), (15, 1), (15, 2), (1, 2)], [(1, 8), (15, 8), (15, 9), (1, 9)]]
    walls = [[(1, 1), (2, 1), (2, 9), (1, 9)], [(14, 1), (15, 1), (15, 9), (14, 9)]]
    assert not filled(*bars, *walls)[3:8, 3:14].any()


def test_what_lies_outside_is_cut_away_and_not_moved_to_the_edge() -> None:
    assert filled([(-4, 15), (3, 15), (3, 40), (-4, 40)]).sum() == 5 * 4
    assert not filled([(2, 25), (9, 25), (9, 30)]).any()
    assert not filled([(-90_000, -90_000), (-80_000, -90_000), (-80_000, -80_000)]).any()


@given(st.lists(st.tuples(st.integers(-9, 40), st.integers(-9, 30)), min_size=3, max_size=3))
def test_a_triangle_is_what_a_crossing_ray_says_except_near_its_line(corners: list[tuple[int, int]]) -> None:
    away = distance(corners) > 1
    assert np.array_equal(filled(corners)[away], inside(corners)[away])


def test_two_points_and_arrows_enclose_nothing() -> None:
    mark = read_mark(svg(SQUARE, [(1, 1), (8, 9)]))
    assert len(mark.contours) == 1 and mark.skipped == 1 and mark.problem == ""
    assert read_mark(svg(SQUARE, kind="arrow")).problem == "has no contour that encloses anything"
    assert read_mark(svg([(1, 1), (8, 9)])).skipped == 1


@pytest.mark.parametrize(
    "line",
    [
        [(5, 5)] * 4,
        [(1, 1), (8, 9), (1, 1), (8, 9)],
        [(1, 1), (3, 3), (5, 5), (9, 9)],
        [(2, 7), (20, 7), (11, 7)],
        [(0.1, 0.3), (0.2, 0.6), (0.3, 0.9)],  # not exactly in line as floating-point numbers
        [(90_000.1, 90_000.3), (90_000.2, 90_000.6), (90_000.3, 90_000.9)],
    ],
)
def test_points_in_one_line_enclose_nothing(line: list[tuple[float, float]]) -> None:
    mark = read_mark(svg(SQUARE, line))
    assert len(mark.contours) == 1 and mark.skipped == 1
    assert read_mark(svg(line)).problem == "has no contour that encloses anything"


def test_a_contour_of_a_single_pixel_may_be_meant() -> None:
    assert len(read_mark(svg([(4, 4), (4.6, 4), (4, 4.6)])).contours) == 1


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_an_empty_mark_says_nothing(text: str) -> None:
    assert read_mark(text).problem == "is empty"


def test_an_empty_list_is_no_reference() -> None:
    assert read_mark("[]").problem == "has no contour that encloses anything"


@pytest.mark.parametrize("kept", [1, 30, 60, 100])
def test_what_is_cut_off_is_not_repaired(kept: int) -> None:
    mark = read_mark(svg(SQUARE, SQUARE)[:kept])
    assert mark.contours == () and mark.problem == f"is cut off or damaged: its {kept} characters are no whole JSON"


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "7",
        '{"points": []}',
        '["points"]',
        '[{"points": "abc"}]',
        '[{"points": [{"x": 1}]}]',
        '[{"points": [{"x": null, "y": 2}]}]',
        '[{"points": [{"x": NaN, "y": 2}]}]',
        '[{"points": [{"x": 1e999, "y": 2}]}]',
        '[{"points": [{"x": 1, "y": -200000}]}]',
        '[{"points": [{"x": 1' + "0" * 400 + ', "y": 2}]}]',
    ],
)
def test_other_json_is_damaged(text: str) -> None:
    assert read_mark(text).problem == "is damaged: it is no list of drawings with points x, y"


def test_deep_or_endless_json_is_damaged() -> None:
    assert read_mark("[" * 400_000).problem.startswith("is cut off or damaged")
    assert "more than 100 drawings" in read_mark(svg(*[SQUARE] * (MAX_DRAWINGS + 1))).problem
    assert "10,000 points" in read_mark(svg([(1, 1)] * (MAX_POINTS + 1))).problem


def test_half_of_what_was_drawn_is_no_reference() -> None:
    assert joined(read_mark(svg(SQUARE)), read_mark(svg(SQUARE)[:40])).problem.startswith("is cut off")
    assert len(joined(read_mark(svg(SQUARE)), read_mark(svg(SQUARE))).contours) == 2
