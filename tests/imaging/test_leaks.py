"""A diagnosis, an age or a date in a text is noticed, also with a reader's slips; sides and places are not."""

from __future__ import annotations

import pytest

from monai_tumor.imaging.leaks import label_leaks, personal_data

GIVE_AWAY = [
    "TIRADS 4C (4C)",
    "TI-RADS 5",
    "ti rads 3",
    "T1RADS 2",
    "TLRADS",
    "TIR4DS 4",
    "T2(4A*)",
    "TR4",
    "BI-RADS 4A",
    "B1RADS",
    "TIRADS 6 : CA PAPILAR",
    "RT CA",
    "Carcinoma ductal",
    "CARC1N0MA",
    "MALIGNO",
    "Benign",
    "FIBROADENOMA",
    "Quiste simple",
    "CISTO",
    "PAT : BOCIO",
    "bócio",
    "câncer",
    "pT2 N0 M0",
]
GIVE_NOTHING_AWAY = [
    "LEFT BREAST",
    "MAMA DIREITA",
    "LT 3-4",
    "LOBULO IZQUIERDO",
    "AXILLA",
    "SATELITE",
    "IMPLANTE",
    "ADENOPATIA",
    "CALIPER",
    "TIS",
    "TIB 0.2",
    "DR65",
    "12L6",
    "31fps",
    "LOGIQ",
    "UQINT",
    "Cine 12",
]


@pytest.mark.parametrize("text", GIVE_AWAY)
def test_a_diagnosis_is_noticed(text):
    assert label_leaks(["DER", text, "P100"]) == [text]


@pytest.mark.parametrize("text", GIVE_NOTHING_AWAY)
def test_a_side_or_a_setting_is_no_diagnosis(text):
    assert label_leaks([text]) == []


AGES = ["66 ANOS|", "28ANOS", "42 años", "3l anos", "61 years", "45 Y/O", "IDADE: 45", "EDAD 38", "066Y"]
DATES = ["12/03/2019", "2019-03-12", "24-MAY-02", "28 Mar 02", "5/25/2011", "20190312", "10.12.98"]


@pytest.mark.parametrize("text", [*AGES, *DATES])
def test_an_age_or_a_date_is_noticed(text):
    assert personal_data(["QSE", text]) == [text]


@pytest.mark.parametrize(
    "text",
    ["12.0", "9.0", "P100", "DR65", "31fps", "LT 3-4", "RT 12 C", "2:56:22 PM", "QSI 2 MAMA", "IMPLANTE", "1.2.3.4"],
)
def test_other_numbers_are_neither(text):
    assert personal_data([text]) == []
