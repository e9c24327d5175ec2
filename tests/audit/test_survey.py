"""What is seen of each case, and that a broken one stops nobody."""

from pathlib import Path

import pytest

from monai_tumor.audit.survey import take_survey
from monai_tumor.datasets import content_digest, open_dataset
from monai_tumor.errors import WrongDataError


def test_facts_are_those_of_the_pixels(doubled: Path) -> None:
    dataset = open_dataset("folder")
    cases = dataset.cases(doubled)
    facts = {entry.case.id: entry for entry in take_survey(dataset, cases).complete().facts}
    assert list(facts) == [case.id for case in cases]
    image, reference = dataset.load(facts["c5"].case)
    assert reference is not None
    assert facts["c5"].shape == image.shape and facts["c5"].levels == (image.min(), image.max())
    assert facts["c5"].lesion_px == reference.sum() and facts["c5"].lesion
    assert not facts["c5"].colour and facts["c5"].depth == 8
    assert facts["c5"].digest == content_digest(dataset, facts["c5"].case)


def test_unreadable_cases_are_noted_and_the_others_seen(doubled: Path) -> None:
    for name in ("c1", "c4"):
        (doubled / "images" / f"{name}.png").write_bytes(b"\x89PNG cut off")
    dataset = open_dataset("folder")
    survey = take_survey(dataset, dataset.cases(doubled))
    assert sorted(survey.unreadable) == ["c1", "c4"] and len(survey.facts) == 13
    with pytest.raises(WrongDataError, match=r"2 of 15 cases cannot be read: .*c1\.png.*c4\.png.*Mend or remove"):
        survey.complete()
