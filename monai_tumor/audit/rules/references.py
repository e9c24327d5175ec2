"""The references: missing, empty where they should not be, or stored so that a plain script reads them wrongly."""

from __future__ import annotations

from collections.abc import Iterator

from monai_tumor.audit.evidence import Evidence
from monai_tumor.audit.findings import Example, Finding
from monai_tumor.audit.survey import CaseFacts
from monai_tumor.wording import count_of

_WORDS = ("lesion", "tumor", "tumour")
NO_LESION_LABELS = frozenset(
    ["normal", "healthy", "negative", "none", "bi-rads_1", "ti-rads_1"]
    + [f"no{joint}{word}" for word in _WORDS for joint in ("", "_")]
)
"""Labels, in lower case and with ``_`` for blanks, that say that there is no lesion."""

_NEARLY_ALL = 0.9


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Yield what labels and references say against each other, then what is missing or easily misread."""
    yield from _empty_with_lesion_label(evidence)
    yield from _lesion_with_normal_label(evidence)
    yield from _missing(evidence)
    yield from _covering(evidence)
    yield from _opaque_alpha(evidence)


def _empty_with_lesion_label(evidence: Evidence) -> Iterator[Finding]:
    """A label may be the patient's, and other slices of the patient show the lesion: only whole groups count."""
    with_lesion = {facts.case.group for facts in evidence.facts if facts.lesion}
    found = [
        facts
        for facts in evidence.facts
        if facts.lesion is False
        and facts.case.label is not None
        and not _says_none(facts.case.label)
        and facts.case.group not in with_lesion
    ]
    if found:
        examples = tuple(Example((facts.case.id,), f"{facts.case.label}, and the mask is empty") for facts in found)
        yield Finding(
            "lesion_without_mask",
            "error",
            "A lesion by its label, and an empty mask",
            "Training learns that this lesion is background, and a network that finds it is counted as wrong.",
            "Draw or restore the mask; if nobody outlined it, say so: no mask file, or '-' in cases.csv.",
            len(found),
            examples,
        )


def _lesion_with_normal_label(evidence: Evidence) -> Iterator[Finding]:
    found = [facts for facts in evidence.facts if facts.lesion and _says_none(facts.case.label)]
    if found:
        examples = tuple(
            Example(
                (facts.case.id,),
                f"{facts.case.label}, and {count_of(facts.lesion_px or 0, 'pixel is', 'pixels are')} outlined",
            )
            for facts in found
        )
        yield Finding(
            "normal_with_lesion",
            "error",
            "Normal by its label, and a lesion in the mask",
            "Label and mask cannot both be right.",
            "Look at the picture and correct the label or the mask.",
            len(found),
            examples,
        )


def _missing(evidence: Evidence) -> Iterator[Finding]:
    said: dict[str, list[str]] = {}
    for remark in evidence.remarks:
        if remark.case is not None:
            said.setdefault(remark.case, []).append(remark.text)
    found = [case for case in evidence.cases if case.masks is None]
    if found:
        examples = tuple(Example((case.id,), "; ".join(said.get(case.id, ["no mask"]))) for case in found)
        yield Finding(
            "no_reference",
            "warning",
            "No reference",
            "Nobody said what is in these pictures; a script that reads them as empty teaches that lesions are background.",
            "Nothing: they are left out of training and figures. Outline them to use them.",
            len(found),
            examples,
        )


def _covering(evidence: Evidence) -> Iterator[Finding]:
    found = sorted((facts for facts in evidence.facts if lesion_share(facts) >= _NEARLY_ALL), key=lesion_share)
    if found:
        examples = tuple(
            Example((facts.case.id,), f"{lesion_share(facts):.0%} of the picture is lesion") for facts in found[::-1]
        )
        yield Finding(
            "mask_covers_picture",
            "warning",
            "Masks that cover (nearly) the whole picture",
            "Mostly an inverted mask, or an alpha channel that was read as one.",
            "Look at them; if they are inverted, write them again with the lesion white.",
            len(found),
            examples,
        )


def _opaque_alpha(evidence: Evidence) -> Iterator[Finding]:
    found = [
        (facts.case.id, [f"{mask.name} is {mask.mode}" for mask in look.masks if mask.opaque])
        for facts, look in evidence.seen
    ]
    examples = tuple(Example((name,), ", ".join(files)) for name, files in found if files)
    if examples:
        yield Finding(
            "mask_alpha",
            "warning",
            "Mask files with a full alpha channel",
            "A script that takes the last channel marks the whole picture as lesion.",
            "Nothing: colour is read and alpha is not. In a script of your own, convert to grey first.",
            len(examples),
            examples,
        )


def lesion_share(facts: CaseFacts) -> float:
    """Return which share of the picture is lesion, 0..1; 0 without a reference."""
    return (facts.lesion_px or 0) / (facts.shape[0] * facts.shape[1])


def _says_none(label: str | None) -> bool:
    return label is not None and label.strip().lower().replace(" ", "_") in NO_LESION_LABELS
