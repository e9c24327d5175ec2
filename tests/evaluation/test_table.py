"""The table of cases, and the summary in words."""

from __future__ import annotations

import numpy as np

from monai_tumor.evaluation.table import cases_table, summary_lines
from monai_tumor.metrics.measures import score_case
from monai_tumor.metrics.summary import summarise_cases
from tests.evaluation.conftest import case_of


def test_the_table_has_one_row_a_case_and_blanks_where_a_score_has_no_meaning():
    lesion = np.eye(4, 5, dtype=bool)
    empty = case_of("x_1", lesion & False, lesion & False, "x")
    text = cases_table([empty, case_of("x_2", lesion, lesion, "x", label="benign")])
    assert text.splitlines() == [
        "case,group,label,true_positive,false_positive,false_negative,true_negative,reference_share,"
        "lesions_reference,lesions_found,lesions_missed,lesions_false,dice,iou,precision,recall,hd95_px,assd_px,"
        "nsd_2px,area_error,lesion_recall,false_lesions,pixel_accuracy,uncertainty",
        "x_1,x,,0,0,0,20,0.0,0,0,0,0,,,,,,,,,,0.0,1.0,",
        "x_2,x,benign,4,0,0,16,0.2,1,1,0,0,1.0,1.0,1.0,1.0,0.0,0.0,1.0,0.0,1.0,0.0,1.0,",
    ]


def test_words_say_n_and_keep_lesion_free_cases_apart():
    lesion = np.eye(4, dtype=bool)
    pairs = {"a": (lesion, lesion), "b": (lesion, lesion & False)}
    rows = [score_case(name, name, *pair) for name, pair in pairs.items()]
    lines = summary_lines(summarise_cases(rows))
    assert lines[0] == "lesion cases: 1, missed: 0"
    assert lines[1].startswith("dice: 1.000 (no interval below 10 groups, n = 1 case")
    words = [line.split(":")[0] for line in lines]
    assert words[1:7] == ["dice", "iou", "precision", "recall", "hd95 in pixels", "assd in pixels"]
    assert words[7:9] == ["nsd within 2 pixels", "relative area error"]
    assert "lesion-free cases: 1, with false positive: 1" in lines
    assert lines[-4:-2] == ["lesions: 1, found: 1, missed: 0, false: 1", "all cases: 2"]
    assert lines[-1].startswith("pixel accuracy: 0.875 (")


def test_words_end_with_the_subgroups():
    small, large = np.zeros((2, 20, 30), dtype=bool)
    small[2, 3] = large[3:14, 5:20] = True
    pairs = {"benign": (small & False, small), "malignant": (large, large), "normal": (small, small & False)}
    lines = summary_lines(summarise_cases([score_case(name, name, *pair, label=name) for name, pair in pairs.items()]))
    assert [line.split(" (")[0] for line in lines[-5:]] == [
        "label benign: missed 1 of 1, dice: 0.000",
        "label malignant: missed 0 of 1, dice: 1.000",
        "label normal: false positive in 1 of 1 lesion-free cases",
        "lesion size small: missed 1 of 1, dice: 0.000",
        "lesion size large: missed 0 of 1, dice: 1.000",
    ]
