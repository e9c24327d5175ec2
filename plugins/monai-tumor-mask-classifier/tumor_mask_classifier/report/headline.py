"""The head of the report: the figures to remember, and what to know before them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from monai_tumor.metrics.diagnosis import REST
from monai_tumor.reporting.headline import tiles
from monai_tumor.reporting.markup import ends, number, percent, percent_of
from monai_tumor.wording import count_of
from tumor_mask_classifier.report.content import DiagnosisContent
from tumor_mask_classifier.source import REFERENCE

_MASKS_OF_EXPERTS = "The masks are an expert's, and no new image has such a mask: the figures are too good."


def diagnosis_headline(content: DiagnosisContent) -> str:
    """Return the figures to remember, each with what it is counted in."""
    return tiles(_tiles(content))


def diagnosis_warnings(content: DiagnosisContent) -> Iterator[str]:
    """Return what only a classifier's reader has to know before the figures."""
    synthetic = (content.record.get("data") or {}).get("synthetic")
    if content.metrics.get("mask_source") == REFERENCE and not synthetic:
        yield _MASKS_OF_EXPERTS


def against_words(positive: str, opponent: str) -> str:
    """Return for example ``malignant against the rest``."""
    return f"{positive} against {'the rest' if opponent == REST else opponent}"


def point_words(point: Mapping[str, Any]) -> str:
    """Return what a frozen operating point was chosen for, and on what."""
    threshold, chosen = point.get("threshold"), point.get("chosen_on")
    level = "" if threshold is None else f"threshold {number(threshold)}, "
    asked = f"chosen for a sensitivity of {percent(point['asked_sensitivity'])}"
    return f"{level}{asked}{f' on {chosen}' if chosen else ''}"


def _tiles(content: DiagnosisContent) -> Iterator[tuple[str, str, str]]:
    metrics, positive = content.metrics, content.positive
    opponent = _first_opponent(content)
    auroc, balanced, point = metrics["against"][opponent]["auroc"], metrics["balanced_accuracy"], metrics.get("point")
    yield f"AUROC, {against_words(positive, opponent)}", number(auroc["mean"]), _below(auroc)
    if point:
        words = f"at the frozen operating point ({point_words(point)})"
        yield (
            f"Sensitivity to {positive}",
            number(point["sensitivity"]["mean"]),
            f"{_below(point['sensitivity'])}; {words}",
        )
        there = f"{_below(point['specificity'])}; at the same operating point"
        yield "Specificity to all others", number(point["specificity"]["mean"]), there
    else:
        n = metrics["per_class"][positive]["n"]
        missed = percent_of(len(content.missed), n)
        yield f"{positive.capitalize()} cases called otherwise", str(len(content.missed)), missed
    over = f"{_below(balanced)}; over {', '.join(balanced['classes'])}"
    yield "Balanced accuracy", number(balanced["mean"]), over


def _first_opponent(content: DiagnosisContent) -> str:
    """Return ``benign`` where there is such a class: a lesion against a lesion is the question; else all others."""
    return "benign" if "benign" in content.opponents else content.opponents[-1]


def _below(mean: Mapping[str, Any]) -> str:
    counted = f"{count_of(mean['n'], 'case', 'cases')}, {count_of(mean['groups'], 'group', 'groups')}"
    return f"95\u00a0% interval {ends(mean)}; {counted}"
