"""What is written in a picture is repeated only as far as needed; the reader itself is tested elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monai_tumor.audit.findings import Finding
from monai_tumor.audit.rules import texts
from monai_tumor.imaging.text import TextFound


def found_in(clean, *lines: str) -> dict[str, Finding]:
    """Return the findings if ``lines`` were written in the first picture."""
    evidence = clean.check().evidence
    written = tuple(TextFound(line, 0.9, (10, 20, 8, 60)) for line in lines)
    looks = {**evidence.looks, "a0": replace(evidence.looks["a0"], texts=written)}
    return {one.kind: one for one in texts.findings(replace(evidence, looks=looks, texts_read=True))}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("TIRADS 4C (4C)", "reads 'TIRADS 4C (4C)'; its label is benign"),
        ("TIRADS 6 : CA PAPILAR", "reads 'TIRADS 6 : CA'; its label is benign"),
        ("DOE JANE BI-RADS 5 CLINIC", "reads 'BI-RADS 5'; its label is benign"),
    ],
)
def test_a_diagnosis_is_an_error_with_its_place(clean, line: str, told: str) -> None:
    leak = found_in(clean, "LEFT", line)["label_in_pixels"]
    assert leak.severity == "error"
    assert [(one.cases, one.text, one.boxes) for one in leak.examples] == [
        (("a0",), told, {"a0": ((10, 20, 8, 60),)}),
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [("66 ANOS", "an age: '66 ANOS'"), ("SILVA MARIA 66 ANOS", "an age: '66 ANOS'"), ("DOE 12/03/2010", "a date")],
)
def test_an_age_is_told_and_a_name_or_a_date_is_not(clean, line: str, told: str) -> None:
    personal = found_in(clean, line)["personal_data"]
    assert personal.severity == "warning" and [one.text for one in personal.examples] == [told]


def test_other_text_is_not_repeated_at_all(clean) -> None:
    assert found_in(clean, "LEFT BREAST", "JANE DOE") == {}
