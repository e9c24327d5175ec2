"""How the lesions are: how many, how large, where, and in how many files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from monai_tumor.audit.closer_look import CloserLook
from monai_tumor.audit.evidence import Evidence
from monai_tumor.audit.findings import Example, Finding
from monai_tumor.audit.rules.references import lesion_share
from monai_tumor.audit.survey import CaseFacts
from monai_tumor.wording import count_of

_EXTREMES = 5


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Yield notes on the references that have a lesion, and on how many have none."""
    with_lesion = [(facts, look) for facts, look in evidence.seen if facts.lesion]
    yield from _empty(evidence)
    if with_lesion:
        yield _areas([facts for facts, _ in with_lesion])
    yield from _note(
        "several_lesions",
        "References with several lesions",
        "Overlap alone does not tell whether each of them was found.",
        "Ask for detection figures as well.",
        [
            Example((facts.case.id,), f"{look.lesions} separate lesions")
            for facts, look in sorted(with_lesion, key=lambda pair: -pair[1].lesions)
            if look.lesions > 1
        ],
    )
    yield from _note(
        "several_masks",
        "Several mask files for one picture",
        "A script that reads one of them loses the lesions in the others.",
        "Nothing: they are joined.",
        [Example((facts.case.id,), _mask_files(look)) for facts, look in evidence.seen if len(look.masks) > 1],
    )
    yield from _note(
        "at_edge",
        "References that touch the edge of the picture",
        "The lesion goes on outside, so its area and outline are not known.",
        "Do not measure sizes on these.",
        [Example((facts.case.id,), "the lesion is cut off by the edge") for facts, _ in with_lesion if facts.at_edge],
    )


def _empty(evidence: Evidence) -> Iterator[Finding]:
    said = [facts for facts in evidence.facts if facts.lesion is not None]
    empty = [facts for facts in said if not facts.lesion]
    if empty:
        text = f"{len(empty)} of {len(said)} references are empty: an expert says that there is no lesion"
        yield Finding(
            "empty_references",
            "note",
            "Empty references",
            "A mean Dice depends on what an empty reference counts; scripts differ.",
            "Nothing: pictures with and without a lesion are reported apart.",
            len(empty),
            (Example((), text, measures={"empty": len(empty), "with_reference": len(said)}),),
        )


def _areas(facts: Sequence[CaseFacts]) -> Finding:
    ordered = sorted(facts, key=lesion_share)
    shares = list(map(lesion_share, ordered))
    middle = f"lesions take {shares[0]:.2%} to {shares[-1]:.0%} of the picture, the middle one {median(shares):.1%}"
    extremes = ordered if len(ordered) <= 2 * _EXTREMES else ordered[:_EXTREMES] + ordered[-_EXTREMES:]
    examples = (
        Example((one.case.id,), f"{count_of(one.lesion_px or 0, 'pixel', 'pixels')}, {lesion_share(one):.2%}")
        for one in extremes
    )
    return Finding(
        "areas",
        "note",
        "Lesion areas, smallest and largest",
        "Overlap of a small lesion drops with every pixel of its outline.",
        "Look whether the smallest are slips of the pen, and the largest whole-picture masks.",
        len(ordered),
        (Example((), middle), *examples),
    )


def _mask_files(look: CloserLook) -> str:
    areas = [mask.lesion_px for mask in look.masks]
    said = f"{len(look.masks)} files"
    if None not in areas:
        said += f" of {', '.join(map(str, areas))} pixels"
    return said + (f"; {count_of(look.shared_px, 'pixel is', 'pixels are')} in more than one" if look.shared_px else "")


def _note(kind: str, title: str, why: str, step: str, examples: Sequence[Example]) -> Iterator[Finding]:
    if examples:
        yield Finding(kind, "note", title, why, step, len(examples), tuple(examples))
