"""The table of cases, and the summary in words."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from monai_tumor.evaluation.evaluated_case import EvaluatedCase
from monai_tumor.metrics.measures import (
    ALL_CASE_MEASURES,
    COUNTS,
    FURTHER_LESION_MEASURES,
    LESION_COUNTS,
    LESION_MEASURES,
    MEASURES,
    Measure,
)

_LESION_WORDS = {"lesions": "reference", "found": "found", "missed": "missed", "false": "false"}


def cases_table(cases: Sequence[EvaluatedCase]) -> str:
    """Return one CSV row a case: id, group, label, counts of pixels and lesions, figures (empty where undefined)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    lesions = (f"lesions_{name}" for name in LESION_COUNTS)
    figures = (one.name for one in MEASURES)
    writer.writerow(["case", "group", "label", *COUNTS, "reference_share", *lesions, *figures, "uncertainty"])
    for case in cases:
        row = case.scored
        values = [
            *(getattr(row.overlap, name) for name in COUNTS),
            row.overlap.reference_share,
            *(getattr(row.lesions, name, math.nan) for name in LESION_COUNTS),
            *(one.of(row) for one in MEASURES),
            case.unsure,
        ]
        writer.writerow([row.id, row.group, row.label or "", *("" if value != value else value for value in values)])
    return text.getvalue()


def summary_lines(summary: Mapping[str, Any]) -> list[str]:
    """Return the summary in words, one figure a line, each with n and interval; then two lines a subgroup at most."""
    lesion, free, lesions = summary["lesion_cases"], summary["lesion_free_cases"], summary["lesions"]
    lines = [f"lesion cases: {lesion['n']}, missed: {lesion['missed']}"]
    if lesion["n"]:
        lines += _lines(LESION_MEASURES + FURTHER_LESION_MEASURES, lesion)
    lines.append(f"lesion-free cases: {free['n']}, with false positive: {free['with_false_positive']}")
    if free["n"]:
        lines.append(f"specificity: {free['specificity']['text']}")
        lines.append(f"false-positive area in pixels: {free['false_positive_area_px']['text']}")
    lines.append(", ".join(f"{name}: {lesions[key]}" for name, key in _LESION_WORDS.items()))
    lines += [f"all cases: {summary['cases']}", *_lines(ALL_CASE_MEASURES, summary["all_cases"])]
    return lines + [line for name, parts in summary["subgroups"].items() for line in _subgroup_lines(name, parts)]


def _lines(measures: Sequence[Measure], means: Mapping[str, Any]) -> list[str]:
    return [f"{one.label}: {means[one.name]['text']}" for one in measures]


def _subgroup_lines(name: str, parts: Mapping[str, Any]) -> Iterator[str]:
    for value, summary in parts.items():
        title, lesion, free = f"{name.replace('_', ' ')} {value}", summary["lesion_cases"], summary["lesion_free_cases"]
        if lesion["n"]:
            yield f"{title}: missed {lesion['missed']} of {lesion['n']}, dice: {lesion['dice']['text']}"
        if free["n"]:
            yield f"{title}: false positive in {free['with_false_positive']} of {free['n']} lesion-free cases"
