"""No test on what a run has seen, in whatever copy."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_tumor.audit.division import divide
from monai_tumor.datasets import open_dataset
from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.errors import WrongDataError
from monai_tumor.evaluation.seen import refuse_seen_cases
from monai_tumor.imaging.write import write_mask, write_picture
from monai_tumor.pipeline import CaseSource
from monai_tumor.splits.split import Split, write_split

PHANTOM = PhantomDataset(count=12, style="us", size=(120, 150))


@pytest.fixture
def trained(tmp_path: Path) -> tuple[Path, Split]:
    """Write a folder, divide it, and return both."""
    PHANTOM.write(tmp_path / "own", "folder_suffix")
    dataset = open_dataset("folder")
    return tmp_path / "own", divide(dataset, dataset.cases(tmp_path / "own"))


def external(folder: Path, pictures: dict[str, np.ndarray]) -> CaseSource:
    """Return a source in which ``pictures`` are the test part, beside two others to train and validate on."""
    others = PhantomDataset(count=4, seed=9, style="us", size=(120, 150))
    for name, image in pictures.items():
        write_picture(folder / f"{name}.png", image)
        write_mask(folder / f"{name}_mask.png", np.zeros(image.shape[:2], bool))
    for case, name in zip(others.cases(), ("z-training", "z-validation"), strict=False):
        write_picture(folder / f"{name}.png", others.load(case)[0])
        write_mask(folder / f"{name}_mask.png", np.zeros(others.load(case)[0].shape, bool))
    dataset = open_dataset("folder")
    split = divide(dataset, dataset.cases(folder))
    parts = {name: name.removeprefix("z-") if name.startswith("z-") else "test" for name in split.cases}
    placed = {name: replace(entry, part=parts[name]) for name, entry in split.cases.items()}
    write_split(folder.parent / "external.json", replace(split, cases=placed))
    return CaseSource("folder", str(folder), split_file=str(folder.parent / "external.json"))


def training_picture(split: Split, folder: Path) -> np.ndarray:
    name = split.ids("training")[0]
    return np.array(Image.open(folder / f"{name}.png"))


def refusal(split: Split, source: CaseSource) -> str:
    """Return why the test part of the source would be no test; empty where it may be tested."""
    try:
        refuse_seen_cases(split, source.split, source.split.ids("test"))
    except WrongDataError as error:
        return str(error)
    return ""


def test_the_own_test_part_may_be_tested(trained: tuple[Path, Split], tmp_path: Path) -> None:
    folder, split = trained
    write_split(tmp_path / "split.json", split)
    source = CaseSource("folder", str(folder), split_file=str(tmp_path / "split.json"))
    assert len(source.split.ids("test")) == 1 and refusal(split, source) == ""


def test_another_division_of_the_same_data_is_refused(trained: tuple[Path, Split]) -> None:
    folder, split = trained
    sources = (CaseSource("folder", str(folder), seed=seed) for seed in range(1, 9))
    other = next(source for source in sources if source.split.ids("test") != split.ids("test"))
    with pytest.raises(WrongDataError, match=r"1 of 1 cases .* the same pixels\), so this would be no test"):
        refuse_seen_cases(split, other.split, other.split.ids("test"))


def test_pictures_that_were_never_seen_may_be_tested(trained: tuple[Path, Split], tmp_path: Path) -> None:
    fresh = PhantomDataset(count=3, seed=5, style="us", size=(120, 150))
    source = external(tmp_path / "new", {case.id: fresh.load(case)[0] for case in fresh.cases()})
    assert len(source.split.ids("test")) == 3 and refusal(trained[1], source) == ""


@pytest.mark.parametrize(
    ("copy", "reason"),
    [
        (lambda image: np.stack([image] * 3, axis=-1), "the same pixels"),
        (lambda image: (image * 0.9).astype(np.uint8), "nearly the same picture"),
    ],
)
def test_another_copy_of_a_training_picture_is_refused(trained, tmp_path, copy, reason) -> None:
    folder, split = trained
    source = external(tmp_path / "new", {"copy": copy(training_picture(split, folder))})
    with pytest.raises(WrongDataError, match=rf"1 of 1 cases .*'copy' first: {reason}"):
        refuse_seen_cases(split, source.split, source.split.ids("test"))


def test_blank_pictures_show_nobody(tmp_path: Path) -> None:
    for number in range(12):
        write_picture(tmp_path / "set" / f"b{number}.png", np.zeros((60, 80), np.uint8))
        write_mask(tmp_path / "set" / f"b{number}_mask.png", np.zeros((60, 80), bool))
    source = CaseSource("folder", str(tmp_path / "set"))
    assert len({entry.digest for entry in source.split.cases.values()}) == 1  # all were trained on
    assert source.split.ids("test") and refusal(source.split, source) == ""


def test_a_patient_stays_the_same_under_another_data_set_name(trained: tuple[Path, Split]) -> None:
    folder, split = trained
    learnt, tested = split.ids("training")[0], split.ids("test")[0]
    patient = {name: replace(split.cases[name], group="p1", cluster="p1") for name in (learnt, tested)}
    run = {**split.cases, learnt: patient[learnt], tested: replace(patient[tested], part="training")}
    unknown = replace(patient[tested], pixels="another slice", hash="")
    now = {name: entry for name, entry in split.cases.items() if name != learnt} | {tested: unknown}
    source = CaseSource("folder", str(folder))
    source.split = replace(split, cases=now)
    with pytest.raises(WrongDataError, match="the same group"):
        refuse_seen_cases(replace(split, dataset="another", cases=run), source.split, [tested])


def test_the_same_names_in_two_folders_of_anybody_are_two_patients(trained: tuple[Path, Split], tmp_path: Path) -> None:
    fresh = PhantomDataset(count=12, seed=5, style="us", size=(120, 150))
    fresh.write(tmp_path / "clinic", "folder_suffix")
    other = CaseSource("folder", str(tmp_path / "clinic"), undivided=True).split
    assert set(other.cases) & set(trained[1].ids("training"))
    refuse_seen_cases(trained[1], other, list(other.cases))
    with pytest.raises(WrongDataError, match="the same group"):
        refuse_seen_cases(replace(trained[1], dataset="busi"), replace(other, dataset="busi"), list(other.cases))


def test_a_fold_set_has_learnt_from_all_of_its_cases(trained: tuple[Path, Split]) -> None:
    folder, split = trained
    dataset = open_dataset("folder")
    folds = divide(dataset, dataset.cases(folder), folds=3)
    with pytest.raises(WrongDataError, match="12 of 12 cases were in the folds of this run"):
        refuse_seen_cases(folds, split, list(split.cases))
