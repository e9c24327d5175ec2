"""Which parts of a DICOM header may leave: a list of what is allowed, never of what is forbidden."""

from __future__ import annotations

import re
from typing import Any

_SLICES = frozenset(("CT", "MR", "NM", "OCT", "PT"))
_PICTURES = frozenset(
    ("BI", "CR", "DG", "DX", "ES", "GM", "IO", "IVUS", "MG", "OP", "OT", "PX", "RF", "SC", "US", "XA", "XC")
)
_PHOTOMETRIC = frozenset(
    ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
)
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_NUMBERS = (
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
    "PixelSpacing",
    "SpacingBetweenSlices",
    "SliceThickness",
)
_LONGEST_NUMBER = 16
_CODES = {
    "Modality": _SLICES | _PICTURES,
    "PhotometricInterpretation": _PHOTOMETRIC,
    "BurnedInAnnotation": frozenset(("YES", "NO")),
    "LossyImageCompression": frozenset(("00", "01")),
}

SHOWN = (*_CODES, *_NUMBERS)
"""Elements that say how the pixels are made and nothing about who, when or where. The manufacturer is not among them:
with a rare model it narrows the hospital."""


def shown_elements(dataset: Any) -> dict[str, str | list[str]]:
    """Return the allowed elements of a data set as text.

    An allowed element can be misused too: a value that is neither a known code nor a number stays behind.
    """
    found: dict[str, str | list[str]] = {}
    for keyword in SHOWN:
        texts = _texts(dataset, keyword)
        if texts and all(_may_leave(keyword, text) for text in texts):
            found[keyword] = texts[0] if len(texts) == 1 else texts
    return found


def shown_modality(dataset: Any) -> str:
    """Return the modality where it is a known code, else nothing."""
    modality = shown_elements(dataset).get("Modality", "")
    return modality if isinstance(modality, str) else ""


def burned_in_possible(dataset: Any) -> bool:
    """Say whether names may stand in the pixels: always, unless the header says NO."""
    return _texts(dataset, "BurnedInAnnotation") != ["NO"]


def _may_leave(keyword: str, text: str) -> bool:
    if keyword in _CODES:
        return text in _CODES[keyword]
    return len(text) <= _LONGEST_NUMBER and bool(_NUMBER.fullmatch(text))


def _texts(dataset: Any, keyword: str) -> list[str]:
    try:
        value = dataset.get(keyword)
    except Exception:  # a damaged element makes pydicom raise many kinds, and is then not shown
        return []
    if value is None or value == "":
        return []
    several = not isinstance(value, str) and hasattr(value, "__iter__")
    return [str(part) for part in (value if several else [value])]
