"""What is written beside the pixels of a result, in the codes of SNOMED CT and NCIt: the finding, its site, its maker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ClinicalCode:
    """One term of a coding scheme.

    Attributes:
        value: The code.
        scheme: ``"SCT"`` (SNOMED CT), ``"NCIt"``, ``"DCM"`` or ``"UCUM"``.
        meaning: Its words.
    """

    value: str
    scheme: str
    meaning: str

    def coded(self) -> Any:
        """Return it as pydicom has it."""
        from pydicom.sr.coding import Code

        return Code(self.value, self.scheme, self.meaning)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one label of a mask means.

    Attributes:
        label: What viewers show, at most 64 characters.
        what: The morphological abnormality.
        site: The organ; no side, which no model of ours knows.
    """

    label: str
    what: ClinicalCode
    site: ClinicalCode


@dataclass(frozen=True, slots=True)
class Algorithm:
    """Which model made a result.

    Attributes:
        name: The bundle's name.
        version: The bundle's version.
        weights_sha256: Hash of the weights file, 64 hexadecimal digits.
    """

    name: str
    version: str
    weights_sha256: str


CATEGORY = ClinicalCode("49755003", "SCT", "Morphologically Abnormal Structure")
_BREAST = ClinicalCode("76752008", "SCT", "Breast")
_BRAIN = ClinicalCode("12738006", "SCT", "Brain")
_THYROID = ClinicalCode("69748006", "SCT", "Thyroid")

FINDINGS = {
    "breast lesion": Finding("Breast lesion", ClinicalCode("52988006", "SCT", "Lesion"), _BREAST),
    "thyroid nodule": Finding("Thyroid nodule", ClinicalCode("27925004", "SCT", "Nodule"), _THYROID),
    "brain tumour": Finding("Brain tumour", ClinicalCode("108369006", "SCT", "Neoplasm"), _BRAIN),
    "enhancing tumour": Finding("Enhancing tumour", ClinicalCode("C113842", "NCIt", "Enhancing Lesion"), _BRAIN),
    "non-enhancing tumour": Finding(
        "Non-enhancing tumour", ClinicalCode("C81175", "NCIt", "Non-Enhancing Lesion"), _BRAIN
    ),
    "oedema": Finding("Oedema", ClinicalCode("79654002", "SCT", "Edema"), _BRAIN),
    "necrosis": Finding("Necrosis", ClinicalCode("6574001", "SCT", "Necrosis"), _BRAIN),
}
"""The findings of the bundles that come with this package; meanings are spelt as the schemes spell them."""
