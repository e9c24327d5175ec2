"""What is written in pictures: diagnoses, ages and dates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from monai_tumor.audit.evidence import Evidence
from monai_tumor.audit.findings import Example, Finding
from monai_tumor.imaging.leaks import label_leaks, personal_data
from monai_tumor.imaging.text import TextFound

_PIECE = re.compile(r"\d+|[^\W\d_]+|.")
_LONGEST_CATEGORY = 2  # letters: "4C", "CA"
_AGE_DIGITS = 3


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Yield diagnoses, then ages and dates; of names and other words nothing is repeated."""
    if not evidence.texts_read:
        yield from _not_read(evidence)
        return
    leaks = tuple(_examples(evidence, label_leaks, _category, _against_label))
    if leaks:
        yield Finding(
            "label_in_pixels",
            "error",
            "The diagnosis is written in the picture",
            "A classifier can read the answer; its figures then say nothing about tissue.",
            "Crop or cover the text, or leave these pictures out of every classification.",
            len(leaks),
            leaks,
        )
    personal = tuple(_examples(evidence, personal_data, _age_or_date, lambda _: ""))
    if personal:
        yield Finding(
            "personal_data",
            "warning",
            "Ages or dates in the picture, suspected",
            "They may help to tell who a patient is, and an age helps to guess a diagnosis. Names are not looked for.",
            "Look at each; cover what is there before you pass the pictures on.",
            len(personal),
            personal,
        )


def _not_read(evidence: Evidence) -> Iterator[Finding]:
    suspects = sum(any(mark.kind == "text" for mark in look.marks) for look in evidence.looks.values())
    if suspects:
        yield Finding(
            "text_not_read",
            "note",
            "Burned-in text was not read",
            "Whether a diagnosis or an age is written in a picture is not known.",
            "Check again with the reader: pip install 'monai-tumor[ocr]', and no --no-reading.",
            suspects,
            (),
        )


def _examples(
    evidence: Evidence,
    choose: Callable[[list[str]], list[str]],
    shorten: Callable[[str], str],
    add: Callable[[str | None], str],
) -> Iterator[Example]:
    """Yield an example for each picture in which some text is chosen."""
    for facts, look in evidence.seen:
        found: list[TextFound] = [line for line in look.texts if choose([line.text])]
        if found:
            name = facts.case.id
            said = ", ".join(dict.fromkeys(shorten(line.text) for line in found))
            boxes = {name: tuple(line.box for line in found)}
            yield Example((name,), said + add(facts.case.label), max(line.score for line in found), boxes)


def _against_label(label: str | None) -> str:
    return f"; its label is {label}" if label else "; it has no label"


def _category(text: str) -> str:
    """Return the words that name a diagnosis and the short ones and digits after them, without the rest of the line."""
    pieces = _PIECE.findall(text)
    start, end = _shortest(pieces, label_leaks)
    while end < len(pieces) and (len(pieces[end]) <= _LONGEST_CATEGORY or pieces[end].isdigit()):
        end += 1
    return f"reads {''.join(pieces[start:end]).strip(' :;,.-')!r}"


def _age_or_date(text: str) -> str:
    """Return the age, or that there is a date, without the rest of the line, which may be a name."""
    pieces = _PIECE.findall(text)
    start, end = _shortest(pieces, personal_data)
    found = "".join(pieces[start:end])
    digits = sum(character.isdigit() for character in found)
    return f"an age: {found!r}" if digits <= _AGE_DIGITS else "a date"


def _shortest(pieces: list[str], choose: Callable[[list[str]], list[str]]) -> tuple[int, int]:
    """Return where the fewest pieces in a row stand that are chosen by themselves."""
    for size in range(1, len(pieces) + 1):
        for start in range(len(pieces) - size + 1):
            if choose(["".join(pieces[start : start + size])]):
                return start, start + size
    return 0, len(pieces)
