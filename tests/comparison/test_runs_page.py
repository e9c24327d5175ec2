"""Two compared runs as they are read in a terminal and pasted into a page."""

from __future__ import annotations

from typing import Any

from monai_tumor.comparison.runs_page import (
    CHANGED_COLUMNS,
    MEASURE_COLUMNS,
    changed_rows,
    counts_lines,
    measure_rows,
    notes,
    runs_lines,
    runs_markdown,
)

RUN = {"part": "test", "threshold": 0.5, "smallest_area": 0.0, "tta": True}


def measured(p: float | None = 0.25, low: float | None = -0.01, groups: int = 31, **changes: Any) -> dict[str, Any]:
    difference = {"mean": 0.02, "low": low, "high": 0.05, "n": 40, "groups": groups, "undefined": 0}
    return {
        "cases": "lesion",
        "first": 0.8,
        "second": 0.82,
        "difference": {**difference, **changes},
        "permutation": {"p": p},
    }


def content(**measures: Any) -> dict[str, Any]:
    case = {"id": "x_1", "group": "x", "first": 0.9, "second": 0.25, "difference": -0.65}
    return {
        "first": {"folder": "a/evaluation/001-test", **RUN},
        "second": {"folder": "b", **dict.fromkeys(RUN)},
        "dataset": "busi",
        "cases": 49,
        "groups": 1,
        "seed": 0,
        "primary": "dice",
        "measures": measures,
        "missed": {"first_only": 2, "second_only": 1, "both": 3, "of": 40},
        "with_false_positive": {"first_only": 0, "second_only": 0, "both": 0, "of": 0},
        "changed": [case],
    }


def test_each_measure_is_a_row() -> None:
    rows = measure_rows(content(dice=measured(), hd95_px=measured(p=0.0001, mean=-3.21, low=None)))
    assert len(MEASURE_COLUMNS) == len(rows[0]) == 9
    assert rows[0][:6] == ["dice", "lesion", "0.800", "0.820", "+0.020 [-0.010, +0.050]", "0.250"]
    assert rows[1][2:] == ["0.8", "0.8", "-3.2", "<0.001", "40", "31", "0"]


def test_what_is_undefined_is_a_dash() -> None:
    row = measure_rows(content(dice={**measured(p=None, mean=None, n=0, groups=0), "first": None, "second": None}))[0]
    assert row[2:] == ["-", "-", "-", "-", "0", "0", "0"]


def test_cases_and_counts_are_told_where_there_are_any() -> None:
    assert changed_rows(content()) == [["x_1", "x", "0.900", "0.250", "-0.650"]] and len(CHANGED_COLUMNS) == 5
    assert list(counts_lines(content())) == ["missed, of 40 lesion cases: A only 2, B only 1, both 3"]


def test_a_run_is_its_folder_and_how_masks_were_made() -> None:
    assert list(runs_lines(content())) == [
        "A: a/evaluation/001-test (part test, threshold 0.5, smallest area 0.0, mirrored images)",
        "B: b",
    ]


def test_the_notes_say_what_a_p_value_is_worth() -> None:
    told = " ".join(notes(content(dice=measured(), iou=measured())))
    assert "primary measure is dice" in told and "not corrected for several: of 2 measures" in told
    assert "5 groups or fewer" not in told and "Distances are undefined" not in told
    few = " ".join(notes(content(dice=measured(groups=5, undefined=2))))
    assert "With 5 groups or fewer no p can be below 0.05" in few and "Distances are undefined" in few


def test_the_page_has_both_tables() -> None:
    page = runs_markdown(content(dice=measured()))
    assert page.startswith("# Two runs on busi: 49 cases, 1 group\n\n- A: a/evaluation")
    assert "| dice " in page and "| x_1 " in page and page.endswith("as well.\n")
