"""What may leave a header."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from monai_tumor.clinical.privacy import burned_in_possible, shown_elements, shown_modality


def test_only_listed_elements_leave() -> None:
    dataset = Dataset()
    dataset.PatientName, dataset.Manufacturer, dataset.Rows, dataset.Modality = "Plantagenet", "Rare", 6, "MR"
    dataset.PixelSpacing = [0.5, 0.75]
    assert shown_elements(dataset) == {"Rows": "6", "Modality": "MR", "PixelSpacing": ["0.5", "0.75"]}


@pytest.mark.parametrize("keyword", ["Modality", "PhotometricInterpretation", "BurnedInAnnotation"])
def test_a_name_in_the_wrong_place_stays_behind(keyword: str) -> None:
    dataset = Dataset()
    setattr(dataset, keyword, "PLANTAGENET")
    assert shown_elements(dataset) == {} and shown_modality(dataset) == ""


@pytest.mark.parametrize(("value", "possible"), [(None, True), ("YES", True), ("", True), ("NO", False)])
def test_burned_in_unless_the_header_says_no(value: str | None, possible: bool) -> None:
    dataset = Dataset()
    if value is not None:
        dataset.BurnedInAnnotation = value
    assert burned_in_possible(dataset) is possible
