"""Pictures of one frame: where they contradict each other, and where they only repeat each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monai_tumor.audit.evidence import Evidence
from monai_tumor.audit.findings import Finding, Severity, pair_example
from monai_tumor.audit.relations import Relation

_NO_LABEL = "no label"
_KEPT_TOGETHER = (
    "Nothing, if you divide with: monai-tumor data split. A script of your own can use the clusters in its file."
)


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Yield contradictions first, then repetitions; identical pixels with different diagnoses lead."""
    pairs = evidence.relations
    yield from _of(
        [pair for pair in pairs if pair.labels_differ],
        "labels_contradict",
        "error",
        "One frame, two diagnoses",
        "At least one of the two is wrong: learning from both teaches nothing, and testing on either proves nothing.",
        "Ask the source which is right. Until then monai-tumor data split sets them aside (quarantine).",
    )
    yield from _of(
        sorted((pair for pair in pairs if pair.masks_differ), key=lambda pair: pair.mask_dice or 0.0),
        "masks_contradict",
        "error",
        "One frame, two masks that disagree",
        "The same pixels are lesion in one and not in the other, so no network can be right on both.",
        "Look which outline is right. Until then monai-tumor data split sets them aside (quarantine).",
    )
    yield from _of(
        [pair for pair in pairs if pair.identical and pair.across_groups],
        "identical_across_groups",
        "warning",
        "Identical pixels in different groups",
        "One picture counts as several patients; a split by file or by patient puts it on both sides.",
        _KEPT_TOGETHER,
    )
    yield from _of(
        [pair for pair in pairs if pair.identical and not pair.across_groups],
        "identical_in_group",
        "warning",
        "Identical pixels within a group",
        "The picture counts twice in training and in every figure.",
        "Remove one of the two if both say the same.",
    )
    near = [pair for pair in pairs if not pair.identical]
    across = sum(pair.labels_differ for pair in near)
    yield from _of(
        sorted(near, key=lambda pair: pair.labels_differ or pair.masks_differ),  # these stand above already
        "near_duplicates",
        "warning",
        "The same frame as another picture",
        f"Copies with another crop, scale or marks, {len(near) - across} within a label and {across} across labels: "
        "a split by file tests on what was learnt by heart.",
        _KEPT_TOGETHER,
    )


def _of(pairs: Sequence[Relation], kind: str, severity: Severity, title: str, why: str, step: str) -> Iterator[Finding]:
    if pairs:
        examples = tuple(pair_example(pair, _text(pair)) for pair in pairs)
        yield Finding(kind, severity, title, why, step, len(pairs), examples, "pairs")


def _text(pair: Relation) -> str:
    """Say what the pair is, and in what the two differ."""
    said = [pair.words]
    one, other = (case.label or _NO_LABEL for case in (pair.first, pair.second))
    if one != other:
        said.append(f"{one} / {other}")
    if (pair.first.masks is None) != (pair.second.masks is None):
        said.append("only one of them has a reference")
    return "; ".join(said)
