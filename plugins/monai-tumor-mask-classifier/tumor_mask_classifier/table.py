"""The comparison in words: one row a way, then what each brings beside the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from monai_tumor.comparison.table import interval_cell, markdown_table

_HEAD = (
    "way",
    "AUROC malignant / benign",
    "AUROC malignant / rest",
    "sensitivity at 90 % specificity",
    "balanced accuracy",
    "sensitivity, frozen",
    "specificity, frozen",
    "specificity to benign, frozen",
    "referred",
    "wrong among the answered",
)


def table_of(found: Mapping[str, Any]) -> str:
    """Return title, table, differences and notes as Markdown.

    Args:
        found: What ``diagnosis-figures.json`` holds.
    """
    rows = [_HEAD, *(_row(way, figures) for way, figures in found["ways"].items())]
    parts = [f"# Diagnosis: {found['cases']} cases, each tested once", markdown_table(rows)]
    return "\n\n".join([*parts, "\n".join([*_differences(found), *_notes(found)])])


def _row(way: str, figures: Mapping[str, Any]) -> tuple[str, ...]:
    benign, rest = figures["against"]["benign"], figures["against"]["rest"]
    found = (
        benign["auroc"],
        rest["auroc"],
        benign["sensitivity_at_specificity"],
        figures["balanced_accuracy"],
        figures["point"]["sensitivity"],
        figures["point"]["specificity"],
        figures["point"]["specificity_to"]["benign"],
        figures["answers"]["referred"],
        figures["answers"]["error"],
    )
    return (way, *(interval_cell(one) for one in found))


def _differences(found: Mapping[str, Any]) -> Iterator[str]:
    for way, one in found["differences"].items():
        auroc, at = one["auroc"]["difference"], one["sensitivity_at_specificity"]
        yield (
            f"- {way} minus {found['first']}, malignant against benign: AUROC {interval_cell(auroc, '+.3f')} "
            f"(p = {one['auroc']['permutation']['p']:.3f}), sensitivity at 90 % specificity {interval_cell(at, '+.3f')}"
        )


def _notes(found: Mapping[str, Any]) -> Iterator[str]:
    asked = next(iter(found["ways"].values()))["point"]["asked_sensitivity"]
    yield "- In brackets the 95 % interval, by group of near duplicates; none below 10 groups."
    yield (
        f"- Frozen: each fold's threshold and temperature were chosen on the other folds, for a sensitivity of {asked:g} to "
        "malignant cases; specificity is over all others."
    )
    alpha = next(iter(found["ways"].values()))["alpha"]
    yield (
        "- Referred: several classes stay possible, or none. Each class may be missing in "
        f"{100 * alpha:g} % of its groups (conformal sets, chosen on the other folds)."
    )
    yield "- A reference mask is an expert's: nobody has one for a new image, and an empty one gives normal images away."
