"""Any layout to the raw layout of nnU-Net v2, read back as nnU-Net reads it."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from monai_tumor.cases import Case
from monai_tumor.datasets import content_digest
from monai_tumor.datasets.folder import FolderDataset
from monai_tumor.datasets.nnunet import convert_to_nnunet
from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.imaging.write import write_mask, write_picture
from monai_tumor.splits.split import QUARANTINE, Split, SplitEntry

PHANTOM = PhantomDataset(count=9, size=(64, 80))
GREY = np.arange(35, dtype=np.uint8).reshape(5, 7)
COLOUR = np.stack([GREY, GREY[::-1], GREY], axis=-1)


def nnunet_reads(root: Path, part: str = "Tr") -> dict[str, tuple[np.ndarray, np.ndarray | None]]:
    """Read as its NaturalImage2DIO does, and check what its verify_dataset_integrity checks.

    Returns each name with its channels (C, R, K) and its label (R, K), None where there is none.
    """
    about = json.loads((root / "dataset.json").read_text())
    assert about["file_ending"] == ".png" and about["labels"] == {"background": 0, "tumour": 1}
    names = {path.name.removesuffix(".png")[:-5] for path in (root / f"images{part}").iterdir()}
    assert part == "Ts" or len(names) == about["numTraining"]
    found = {}
    for name in names:
        files = [np.asarray(Image.open(path)) for path in sorted((root / f"images{part}").glob(f"{name}_????.png"))]
        image = np.concatenate([pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1) for pixels in files])
        assert len(image) == len(about["channel_names"])
        path = root / f"labels{part}" / f"{name}.png"
        label = np.asarray(Image.open(path)) if part == "Tr" or path.exists() else None
        if label is not None:
            assert label.dtype == np.uint8 and set(np.unique(label)) <= {0, 1} and label.shape == image.shape[1:]
        found[name] = (image, label)
    return found


def split_of(dataset: Any, cases: Sequence[Case], parts: Mapping[str, str | int], name: str = "phantom") -> Split:
    entries = {
        case.id: SplitEntry(
            group=case.group,
            cluster=case.group,
            part=parts[case.id],
            label=case.label,
            lesion=None,
            digest=content_digest(dataset, case),
            pixels="",
            hash="",
        )
        for case in cases
        if case.id in parts
    }
    dropped = {case.id: "contradicts" for case in cases if case.id not in parts}
    return Split(name, 0, "by hand", "", entries, dropped)


def ids(*numbers: int) -> list[str]:
    return [f"phantom-{number:04d}" for number in numbers]


def folds_in(root: Path) -> Any:
    return json.loads((root / "splits_final.json").read_text())


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """One labelled grey image, and what a test adds."""
    write_picture(tmp_path / "scans" / "a (1).png", GREY)
    write_mask(tmp_path / "scans" / "a (1)_mask.png", GREY > 30)
    return tmp_path / "scans"


def converted(scans: Path, **keywords: Any) -> Path:
    return convert_to_nnunet(FolderDataset(), FolderDataset().cases(scans), scans.parent / "out", **keywords).folder


def test_labelled_cases_are_for_training_without_a_split(tmp_path: Path) -> None:
    done = convert_to_nnunet(PHANTOM, PHANTOM.cases(), tmp_path / "out")
    assert done.folder == tmp_path / "out" / "Dataset500_phantom" and not (done.folder / "splits_final.json").exists()
    assert (done.training, done.test, done.unlabelled, done.left_out, done.folds) == (9, 0, 0, 0, 0)
    found = nnunet_reads(done.folder)
    for case in PHANTOM.cases():
        image, reference = PHANTOM.load(case)
        label = found[case.id][1]
        assert np.array_equal(found[case.id][0], image[None])
        assert label is not None and np.array_equal(label, reference)  # an empty reference is a label of zeros
    assert json.loads((done.folder / "dataset.json").read_text())["channel_names"] == {"0": "grey"}


def test_a_folder_called_as_nnunet_calls_them_becomes_the_data_set(tmp_path: Path) -> None:
    done = convert_to_nnunet(PHANTOM, PHANTOM.cases(), tmp_path / "nnUNet_raw" / "Dataset123_Mine")
    assert done.folder == tmp_path / "nnUNet_raw" / "Dataset123_Mine" and len(nnunet_reads(done.folder)) == 9
    assert json.loads((done.folder / "dataset.json").read_text())["name"] == "Dataset123_Mine"


def test_one_colour_image_gives_all_three_channels(scans: Path) -> None:
    write_picture(scans / "b.png", COLOUR)
    write_mask(scans / "b_mask.png", GREY > 3)
    found = nnunet_reads(converted(scans))
    assert np.array_equal(found["a_1"][0], [GREY] * 3)
    assert np.array_equal(found["b"][0], COLOUR.transpose(2, 0, 1))


def test_three_equal_channels_are_no_colour(scans: Path) -> None:
    write_picture(scans / "b.png", np.stack([GREY] * 3, axis=-1))
    write_mask(scans / "b_mask.png", GREY > 3)
    assert np.array_equal(nnunet_reads(converted(scans))["b"][0], [GREY])


@pytest.mark.parametrize("with_colour", [True, False])
def test_16_bits_stay_16_bits(scans: Path, with_colour: bool) -> None:
    deep = GREY.astype(np.uint16) * 1800
    write_picture(scans / "b.png", deep)
    write_mask(scans / "b_mask.png", GREY > 3)
    if with_colour:
        write_picture(scans / "c.png", COLOUR)
        write_mask(scans / "c_mask.png", GREY > 3)
    image = nnunet_reads(converted(scans))["b"][0]
    assert image.dtype == np.uint16 and np.array_equal(image, [deep] * (3 if with_colour else 1))


def test_cases_without_reference_are_for_test(scans: Path) -> None:
    write_picture(scans / "b.png", GREY)
    root = converted(scans)
    assert set(nnunet_reads(root)) == {"a_1"} and nnunet_reads(root, "Ts")["b"][1] is None


def test_the_table_names_every_case_and_folder_reads_the_result(scans: Path) -> None:
    write_picture(scans / "b.png", GREY)
    root = converted(scans)
    with (root / "cases.csv").open(newline="") as file:
        rows = [(row["name"], row["part"], row["id"], row["group"]) for row in csv.DictReader(file)]
    assert rows == [("a_1", "Tr", "a (1)", "a (1)"), ("b", "Ts", "b", "b")]
    labelled, unlabelled = FolderDataset().cases(root)
    assert np.array_equal(FolderDataset().load(labelled)[1], GREY > 30) and unlabelled.masks is None  # type: ignore[arg-type]


def test_names_are_safe_and_differ(tmp_path: Path) -> None:
    wanted = ["benign/x (1)", "benign_x_1", "benign/X 1", "a.b", "c-1"]
    cases = [Case(name, name, case.image, ()) for name, case in zip(wanted, PHANTOM.cases(), strict=False)]
    plain = [Case(case.id, case.group, case.image, ("x",)) for case in cases]
    found = nnunet_reads(convert_to_nnunet(PHANTOM, plain, tmp_path / "out").folder)
    assert set(found) == {"benign_X_1-2", "benign_x_1", "benign_x_1-3", "a_b", "c-1"}


def test_parts_of_a_split_go_where_nnunet_expects_them(tmp_path: Path) -> None:
    parts = dict.fromkeys(ids(0, 1, 2), "training") | dict.fromkeys(ids(3, 4), "validation") | {ids(5)[0]: "test"}
    parts |= dict.fromkeys(ids(6), QUARANTINE)  # 7 and 8 were dropped
    done = convert_to_nnunet(PHANTOM, PHANTOM.cases(), tmp_path / "out", split_of(PHANTOM, PHANTOM.cases(), parts))
    assert (done.training, done.test, done.left_out, done.folds) == (5, 1, 3, 1)
    assert sorted(nnunet_reads(done.folder)) == ids(0, 1, 2, 3, 4)
    assert nnunet_reads(done.folder, "Ts")[ids(5)[0]][1] is not None
    assert folds_in(done.folder) == [{"train": ids(0, 1, 2), "val": ids(3, 4)}]


def test_of_our_folds_each_is_validated_once(tmp_path: Path) -> None:
    parts = {case_id: number % 3 for number, case_id in enumerate(ids(*range(9)))}
    done = convert_to_nnunet(PHANTOM, PHANTOM.cases(), tmp_path / "out", split_of(PHANTOM, PHANTOM.cases(), parts))
    assert (done.training, done.test, done.folds) == (9, 0, 3)
    assert folds_in(done.folder)[1] == {"train": ids(0, 2, 3, 5, 6, 8), "val": ids(1, 4, 7)}


def test_a_split_of_other_data_is_refused(tmp_path: Path) -> None:
    parts = dict.fromkeys(ids(*range(8)), "training") | {ids(8)[0]: "validation"}
    split = split_of(PHANTOM, PHANTOM.cases(), parts)
    with pytest.raises(WrongCallError, match="divides data set 'phantom', not 'folder'; give --dataset phantom"):
        convert_to_nnunet(FolderDataset(), PHANTOM.cases(), tmp_path / "out", split)
    with pytest.raises(WrongDataError, match="cases 9 changed"):
        other = PhantomDataset(count=9, size=(64, 80), seed=1)
        convert_to_nnunet(other, other.cases(), tmp_path / "out", split)
    assert not (tmp_path / "out").exists()


def test_a_split_that_validates_nothing_is_refused(tmp_path: Path) -> None:
    split = split_of(PHANTOM, PHANTOM.cases(), dict.fromkeys(ids(*range(9)), "training"))
    with pytest.raises(WrongDataError, match="no labelled case to train or to validate with"):
        convert_to_nnunet(PHANTOM, PHANTOM.cases(), tmp_path / "out", split)


def test_a_set_without_labels_is_refused(scans: Path) -> None:
    unlabelled = [Case("b", "b", str(scans / "a (1).png"), None)]
    with pytest.raises(WrongDataError, match="data set 'folder' has no labelled case to train on"):
        convert_to_nnunet(FolderDataset(), unlabelled, scans.parent / "out")


def test_a_damaged_file_is_named_and_the_others_go_on(scans: Path) -> None:
    write_mask(scans / "b_mask.png", GREY > 3)
    (scans / "b.png").write_bytes(b"not an image")
    done = convert_to_nnunet(FolderDataset(), FolderDataset().cases(scans), scans.parent / "out")
    assert list(done.failed) == ["b"] and set(nnunet_reads(done.folder)) == {"a_1"} and done.written == 1


def test_a_conversion_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    class FadingDataset(PhantomDataset):
        seen = 0

        def load(self, case: Case) -> Any:
            FadingDataset.seen += 1
            if FadingDataset.seen > 12:  # all nine were looked at, the first were written
                raise KeyboardInterrupt
            return super().load(case)

    with pytest.raises(KeyboardInterrupt):
        convert_to_nnunet(FadingDataset(count=9, size=(64, 80)), PHANTOM.cases(), tmp_path / "out")
    assert not (tmp_path / "out").exists()
