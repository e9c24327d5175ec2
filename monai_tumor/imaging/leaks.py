"""Which texts in a picture give away the answer, or the patient. English, Spanish and Portuguese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_SLIPS = {"A": "[A4]", "I": "[I1L|!]", "L": "[L1I|]", "O": "[O0Q]", "S": "[S5$]", "B": "[B8]", "G": "[G6]"}
"""What a reader takes a letter for."""

_SYSTEMS = r"[TB]{I}[\s.\-_]{{0,2}}R{A}D", r"BETHE{S}DA"
_STEMS = (
    *("CARCINOM", "CANCER", "MALIGN", "BENIGN", "NEOPLAS", "METASTA", "TUMOR", "TUMOUR"),
    *("ADENOMA", "ADENOCARC", "PAPILLOM", "PAPILOM", "LIPOMA", "HAMARTOM", "SARCOM", "LYMPHOM", "LINFOM", "GLIOM"),
    *("GLIOBLASTOM", "MENINGIOM", "CYST", "CISTO", "QUISTE", "GOITRE", "GOITER", "BOCIO", "ABSCES"),
)
_WORDS = ("CA", "CDI", "CDIS", "IDC", "DCIS", "ILC", "LCIS")
_SHORT = (
    r"\bT\s?[1-6]\s?\(\s?[1-6][ABC]?\*?\s?\)",  # "T2(4A*)": two TI-RADS systems in brackets' short form
    r"\bTR[1-5]\b",  # ACR TI-RADS
    r"\bP?T[0-4][A-D]?\s?N[0-3X][A-D]?\s?M[01X]\b",  # a tumour's stage
)

_NUMBER = r"(?=[0-9OIL]*[0-9])[0-9OIL]{1,3}"
_AGES = (
    rf"(?<![\w.,]){_NUMBER}\s?(?:ANOS?|YEARS?|YRS?|Y/?O|YO)\b",  # tildes are gone: "ANOS" is both languages'
    rf"\b(?:AGE|IDADE|EDAD)\W{{0,2}}{_NUMBER}\b",
    r"\b0[0-9]{2}Y\b",  # DICOM
)
_DAY, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:(?:19|20)\d\d|\d\d)"
_MONTHS = "JAN|ENE|FEB|FEV|MAR|APR|ABR|MAY|MAI|JUN|JUL|AUG|AGO|SEP|SET|OCT|OUT|NOV|DEC|DEZ|DIC"
_DATES = (
    rf"(?<![\d.]){_DAY}([/.\-]){_DAY}\1{_YEAR}(?![\d.])",
    r"(?<!\d)(?:19|20)\d\d([/.\-])\d{1,2}\2\d{1,2}(?!\d)",
    r"(?<!\d)(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)",
    rf"(?<!\d){_DAY}[\s/.\-]?(?:{_MONTHS})[A-Z]*[\s/.\-]?{_YEAR}(?!\d)",
)


def label_leaks(texts: Iterable[str]) -> list[str]:
    """Return those of the texts that name a diagnosis or a category of one.

    TI-RADS and BI-RADS with or without category, their short forms, stages, and the names of common lesions, also where a
    reader took a letter for a digit. A place, a side or a finding such as "ADENOPATIA" is no diagnosis.
    """
    return [text for text in texts if _LEAK.search(_plain(text))]


def personal_data(texts: Iterable[str]) -> list[str]:
    """Return those of the texts that hold an age or a date. Names are not recognised."""
    return [text for text in texts if _PERSONAL.search(_plain(text))]


def _plain(text: str) -> str:
    """Return capitals without accents."""
    decomposed = unicodedata.normalize("NFKD", text.upper())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _forgiving(word: str) -> str:
    return "".join(_SLIPS.get(letter, letter) for letter in word)


_LEAK = re.compile(
    "|".join(
        [system.format(**_SLIPS) for system in _SYSTEMS]
        + [_forgiving(stem) for stem in _STEMS]
        + [rf"\b{word}\b" for word in _WORDS]  # too short to forgive a slip
        + list(_SHORT)
    )
)
_PERSONAL = re.compile("|".join((*_AGES, *_DATES)))
