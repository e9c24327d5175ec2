"""The plain table of all cases, from the worst to the best."""

from __future__ import annotations

from monai_tumor.evaluation.evaluated_case import EvaluatedCase
from monai_tumor.metrics.measures import ScoredCase
from monai_tumor.reporting.content import ReportContent
from monai_tumor.reporting.markup import Cells, folded, number, percent, table
from monai_tumor.reporting.names import lesion_measure, title
from monai_tumor.wording import count_of

_MEASURES = tuple(map(lesion_measure, ("dice", "iou", "precision", "recall", "hd95_px")))
_AREA = "False-positive area (px)"


def all_cases_table(content: ReportContent) -> str:
    """Return every case with its figures, in a fold."""
    unsure = any(case.uncertainty is not None for case in content.cases)
    head = ["Case", "Group", "Label", "Lesion % of image", *(title(one.name) for one in _MEASURES)]
    head += ["Area error", "Lesions found", "Lesions missed", "False lesions", _AREA] + ["Uncertainty"] * unsure
    parts = (
        ("Lesion cases, by Dice", content.lesion_cases),
        ("Lesion-free cases, by false-positive area", content.lesion_free_cases),
    )
    groups = [(heading, [_row(case, unsure) for case in cases]) for heading, cases in parts if cases]
    words = f"All {count_of(len(content.cases), 'case', 'cases')} from the worst to the best"
    return folded(words, table("All cases", head, groups))


def _row(case: EvaluatedCase, unsure: bool) -> Cells:
    scored = case.scored
    share = f"{100 * scored.overlap.reference_share:.2f}" if scored.overlap.has_reference_lesion else "none"
    return (
        *(case.id, scored.group, scored.label or "not stated", share),
        *(number(float(one.of(scored))) for one in _MEASURES),
        percent(scored.overlap.area_error, "+"),
        *_lesions(scored),
        number(scored.overlap.false_positive_area),
        *([number(case.unsure)] if unsure else []),
    )


def _lesions(scored: ScoredCase) -> Cells:
    counts = scored.lesions
    return [number(None)] * 3 if counts is None else [str(counts.found), str(counts.missed), str(counts.false)]
