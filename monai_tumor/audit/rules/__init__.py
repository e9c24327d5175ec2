"""The rules of a check, one module for what belongs together; each yields findings from the evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from monai_tumor.audit.evidence import Evidence
from monai_tumor.audit.findings import Finding
from monai_tumor.audit.rules import duplicates, files, groups, lesions, marks, pictures, references, texts

RULES: tuple[Callable[[Evidence], Iterable[Finding]], ...] = (
    files.findings,
    duplicates.findings,
    references.findings,
    texts.findings,
    marks.findings,
    groups.findings,
    lesions.findings,
    pictures.findings,
)
"""In the order in which findings of one severity are told."""
