"""The report of the evaluation of a classifier, put into its folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_tumor.imaging.write import write_text
from monai_tumor.reporting.read import read_json
from monai_tumor.reporting.write import REPORT
from tumor_mask_classifier.cases_table import DiagnosedCases
from tumor_mask_classifier.report.content import DiagnosisContent, Picture, called_cases
from tumor_mask_classifier.report.page import build_diagnosis_report

if TYPE_CHECKING:
    from tumor_mask_classifier.figures import Decisions


def write_diagnosis_report(
    folder: Path,
    metrics: Mapping[str, Any],
    cases: DiagnosedCases,
    decisions: Decisions | None = None,
    picture: Picture | None = None,
) -> Path:
    """Write ``report.html`` of an evaluation, and return its path; an earlier one is replaced.

    Args:
        folder: The evaluation, ``RUN/evaluation/NAME``; ``run.json`` of the run is read.
        metrics: What its ``metrics.json`` holds.
        cases: Every case.
        decisions: What was decided about them; None without an operating point.
        picture: As of ``DiagnosisContent``; None for a page without pictures.

    Raises:
        WrongDataError: The figures are not those of these cases, or ``run.json`` is damaged.
    """
    record = read_json(folder.parent.parent / "run.json")
    content = DiagnosisContent(metrics, called_cases(metrics, cases, decisions), record, picture)
    path = folder / REPORT
    write_text(path, build_diagnosis_report(content), overwrite=True)
    return path
