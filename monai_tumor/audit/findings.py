"""What a check says: findings with examples, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from monai_tumor.audit.relations import Relation

Severity = Literal["error", "warning", "note"]
Box = tuple[int, int, int, int]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""An error would make results wrong; a warning is seen to by this program and not by a plain script; a note describes."""


@dataclass(frozen=True, slots=True)
class Example:
    """One place where something was found.

    Attributes:
        cases: The ids of the cases it is about; none where it is about the whole set.
        text: What was found there.
        score: How sure it is, 0..1, where it is only suspected.
        boxes: Case id to the boxes around it, each (row, column, rows, columns) in pixels.
        measures: Name to figure or word, such as the agreement of a pair.
    """

    cases: tuple[str, ...]
    text: str
    score: float | None = None
    boxes: Mapping[str, tuple[Box, ...]] = field(default_factory=dict)
    measures: Mapping[str, Any] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        boxes = {case: [list(box) for box in found] for case, found in self.boxes.items()}
        return {
            "cases": list(self.cases),
            "text": self.text,
            "score": self.score,
            "boxes": boxes,
            "measures": dict(self.measures),
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that those who use the data should know.

    Attributes:
        kind: Its name for programs; the same in every version.
        severity: One of ``SEVERITIES``.
        title: What it is, in a few words.
        why: Why it matters, in a sentence or two.
        step: What to do about it.
        count: How often it was found.
        examples: Where; all of them, the worst ones first.
        unit: What is counted, in the plural.
    """

    kind: str
    severity: Severity
    title: str
    why: str
    step: str
    count: int
    examples: tuple[Example, ...]
    unit: str = "images"

    def content(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        values = {name: getattr(self, name) for name in ("kind", "severity", "title", "why", "step", "count", "unit")}
        return {**values, "examples": [example.content() for example in self.examples]}


def by_severity(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings, errors first; those of one severity stay in their order."""
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def pair_example(relation: Relation, text: str) -> Example:
    """Return the example of two cases that show one frame, with its figures."""
    dice = relation.mask_dice
    measures = {
        "identical": relation.identical,
        "agreement": round(relation.same.agreement, 3),
        "scale": round(relation.same.scale, 3),
        "overlap": round(relation.same.overlap, 3),
        "mask_dice": None if dice is None else round(dice, 3),
        "labels": [relation.first.label, relation.second.label],
        "groups": [relation.first.group, relation.second.group],
    }
    return Example((relation.first.id, relation.second.id), text, measures=measures)
