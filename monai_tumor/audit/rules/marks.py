"""What was burned into pictures: captions, callipers, colour."""

from __future__ import annotations

from collections.abc import Iterator

from monai_tumor.audit.evidence import Evidence
from monai_tumor.audit.findings import Example, Finding
from monai_tumor.imaging.marks import Kind
from monai_tumor.wording import count_of

_TEXTS: dict[Kind, tuple[str, str, str, str, str]] = {
    "calliper": (
        "callipers",
        "Callipers, suspected",
        "They are mostly drawn on the lesion and give its place away; pictures from a clinic have none.",
        "Look at a few. Report figures with and without these pictures, or cover the crosses.",
        "cross",
    ),
    "text": (
        "burned_in_text",
        "Burned-in text, suspected",
        "Captions may name side, place or finding, and people; a classifier can read them instead of the tissue.",
        "Look at a few. Crop the margin with the captions, or cover them, before you train a classifier.",
        "row of letters",
    ),
    "colour": (
        "colour_marks",
        "Colour on grey pictures, suspected",
        "Coloured marks and Doppler boxes are on some lesions and not on others: a shortcut for a classifier.",
        "Look at them; leave Doppler pictures out if your question is about grey ones.",
        "coloured patch",
    ),
}
_MANY = {"cross": "crosses", "row of letters": "rows of letters", "coloured patch": "coloured patches"}


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding a kind of mark, an example a picture, the surest first."""
    for kind, (name, title, why, step, one) in _TEXTS.items():
        examples = [_example(evidence, case, kind, one) for case in evidence.looks]
        found = sorted(filter(None, examples), key=lambda example: -(example.score or 0))
        if found:
            yield Finding(name, "warning", title, why, step, len(found), tuple(found))


def _example(evidence: Evidence, case: str, kind: Kind, one: str) -> Example | None:
    look = evidence.looks[case]
    found = [(mark, at) for mark, at in zip(look.marks, look.at_lesion, strict=True) if mark.kind == kind]
    if not found:
        return None
    at_lesion = sum(at for _, at in found)
    text = count_of(len(found), one, _MANY[one]) + (f", {at_lesion} at the lesion" if at_lesion else "")
    boxes = tuple(mark.box for mark, _ in found)
    return Example((case,), text, max(mark.score for mark, _ in found), {case: boxes}, {"at_lesion": at_lesion})
