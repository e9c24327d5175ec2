"""Table, images, masks and folds, synthetic and (where present) real."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tumor_bus_bra import BusBraBiradsDataset, BusBraDataset
from tumor_bus_bra.folds import PUBLISHED_SHA256
from tumor_bus_bra.remarks import png_size

from monai_tumor.errors import WrongDataError
from monai_tumor.testing import check_dataset

ROWS, COLUMNS = 5, 7
BOTH = [BusBraDataset, BusBraBiradsDataset]
HEAD = "ID,Case,Histology,Pathology,BIRADS,Device,Width,Height,Side,BBOX"
TABLE = {
    "bus_0004-l": f'4,fibroadenoma,benign,3,GE,{COLUMNS},{ROWS},left,"[2,1,1,1]"',
    "bus_0004-r": f'4,fibroadenoma,benign,3,GE,{COLUMNS},{ROWS},right,"[2,1,1,1]"',
    "bus_0010-s": f'10,lymphoma,malignant,5,GE,{COLUMNS},{ROWS},single,"[2,1,1,1]"',
}
REAL = Path(os.environ.get("MONAI_TUMOR_DATA", Path(__file__).parents[4] / "shared" / "data"))
real_data = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real data in {REAL}; set MONAI_TUMOR_DATA")


def write_table(folder: Path, rows: dict[str, str], head: str = HEAD, name: str = "bus_data.csv") -> None:
    lines = [head, *(f"{key},{rest}" for key, rest in rows.items())]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8-sig")


def write_folds(folder: Path, rows: dict[str, str], name: str = "5-fold-cv.csv") -> None:
    write_table(folder, rows, "ID,Pathology,kFold,valid_1", name)


def refusal(root: Path, dataset: type[BusBraDataset] = BusBraDataset) -> str:
    with pytest.raises(WrongDataError) as caught:
        dataset().cases(root)
    return str(caught.value)


def remarks(root: Path) -> dict[str | None, str]:
    """Return the remarks that are not about columns, by case."""
    found = [remark for remark in BusBraDataset().remarks(root) if " it is not used" not in remark.text]
    by_case = {remark.case: remark.text for remark in found}
    assert len(by_case) == len(found)
    return by_case


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three images of two patients; masks are 1-bit."""
    folder = tmp_path / "above" / "BUSBRA"
    (folder / "Images").mkdir(parents=True)
    (folder / "Masks").mkdir()
    mask = np.zeros((ROWS, COLUMNS), np.uint8)
    mask[0:2, 1:3] = 255
    for name in TABLE:
        Image.fromarray(mask // 3).save(folder / "Images" / f"{name}.png")
        Image.fromarray(mask).convert("1").save(folder / "Masks" / f"{name.replace('bus', 'mask')}.png")
    write_table(folder, TABLE)
    return folder


@pytest.mark.parametrize("dataset", BOTH)
def test_contract(root: Path, dataset: type[BusBraDataset]) -> None:
    check_dataset(dataset, root)


def test_an_odd_name_is_a_problem_of_its_case_only(root: Path) -> None:
    write_table(root, {name.replace("-s", ";s"): rest for name, rest in TABLE.items()})
    (root / "Images" / "bus_0010-s.png").rename(root / "Images" / "bus_0010;s.png")
    (root / "Masks" / "mask_0010-s.png").rename(root / "Masks" / "mask_0010;s.png")
    assert [bool(case.problem) for case in BusBraDataset().cases(root)] == [False, False, True]
    assert remarks(root) == {}


def test_the_group_is_the_patient_and_the_label_the_biopsy(root: Path) -> None:
    cases = BusBraDataset().cases(root)
    assert [(case.id, case.group, case.label) for case in cases] == [
        ("bus_0004-l", "case-4", "benign"),
        ("bus_0004-r", "case-4", "benign"),
        ("bus_0010-s", "case-10", "malignant"),
    ]
    reference = BusBraDataset().load(cases[0])[1]
    assert reference is not None and np.argwhere(reference).tolist() == [[0, 1], [0, 2], [1, 1], [1, 2]]


def test_the_same_files_may_be_labelled_by_bi_rads(root: Path) -> None:
    cases = BusBraBiradsDataset().cases(root)
    assert [case.label for case in cases] == ["BI-RADS 3", "BI-RADS 3", "BI-RADS 5"]
    assert {case.label for case in cases} <= BusBraBiradsDataset().labels.keys()


def test_the_biopsy_labels_are_the_first_choice(root: Path) -> None:
    assert (BusBraDataset().recognises(root), BusBraBiradsDataset().recognises(root)) == (1, 0.5)
    (root / "bus_data.csv").unlink()
    assert BusBraDataset().recognises(root) == BusBraBiradsDataset().recognises(root) == 0
    assert "it has no bus_data.csv, which names patients and findings" in refusal(root)


def test_parent_and_child_point_to_the_right_folder(root: Path) -> None:
    assert f"the right folder is probably {root}" in refusal(root.parent)
    assert f"the right folder is probably {root}" in refusal(root / "Images")


def test_rows_without_an_image_are_counted_and_named(root: Path) -> None:
    write_table(root, TABLE | {f"bus_{number:04d}-s": TABLE["bus_0010-s"] for number in (20, 21, 22, 23)})
    expected = (
        "names 4 images of 7 not there: Images/bus_0020-s.png, Images/bus_0021-s.png, Images/bus_0022-s.png and 1 more"
    )
    assert expected in refusal(root)


def test_images_without_a_row_are_counted_and_named(root: Path) -> None:
    write_table(root, {"bus_0004-r": TABLE["bus_0004-r"]})
    assert "has no row for 2 of 3 images: Images/bus_0004-l.png, Images/bus_0010-s.png; copy the table" in refusal(root)


def test_images_without_a_mask_are_counted_and_named(root: Path) -> None:
    (root / "Masks" / "mask_0010-s.png").unlink()
    assert "no mask for 1 of 3 images: Images/bus_0010-s.png" in refusal(root)
    for path in (root / "Masks").iterdir():
        path.unlink()
    assert "3 images were found and none with a mask" in refusal(root)


def test_masks_without_an_image_are_refused(root: Path) -> None:
    (root / "Masks" / "mask_0010-s.png").rename(root / "Masks" / "mask_0011-s.png")
    assert "1 mask has no image: Masks/mask_0011-s.png" in refusal(root)


def test_a_mask_of_another_size_is_refused_with_both_names(root: Path) -> None:
    Image.new("1", (ROWS, COLUMNS)).save(root / "Masks" / "mask_0010-s.png")
    with pytest.raises(WrongDataError, match=r"mask .*mask_0010-s\.png has 7 x 5 .* image .*bus_0010-s\.png has 5 x 7"):
        BusBraDataset().load(BusBraDataset().cases(root)[2])


def test_another_label_is_refused(root: Path) -> None:
    write_table(root, TABLE | {"bus_0004-l": "4,cyst,unknown,6,GE,7,5,left,x"})
    assert "1 row has another label (bus_0004-l is 'unknown'), expected one of benign, malignant" in refusal(root)
    assert "(bus_0004-l is 'BI-RADS 6'), expected one of BI-RADS 2, " in refusal(root, BusBraBiradsDataset)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ID,Case,Pathology\n", "bus_data.csv has no column BIRADS (first line: ID, Case, Pathology)"),
        ("ID,Case,Pathology,BIRADS\na,1,benign,\n", "line 2 has no value for BIRADS"),
        ("ID,Case,Pathology,BIRADS\na,1,benign,2,[3,4]\n", "line 2 has more or fewer fields than the first line"),
        ("ID,Case,Pathology,BIRADS\na,1,benign,2\na,1,benign,2\n", "line 3 has the ID a a second time"),
        ("ID,Case,Pathology,BIRADS\n\xe9,1,benign,2\n", "is not UTF-8 text"),
        ('ID,Case,Pathology,BIRADS\n"a,1,benign,2\n', "is not a comma-separated table"),
    ],
)
def test_a_damaged_table_is_refused(root: Path, text: str, message: str) -> None:
    (root / "bus_data.csv").write_bytes(text.encode("latin-1"))
    assert message in refusal(root)


def test_columns_that_mislead_are_remarked_where_they_are(root: Path) -> None:
    assert [remark.text.split()[0] for remark in BusBraDataset().remarks(root)] == ["BBOX", "Side"]
    write_table(root, {name: f"{name[5]},benign,2" for name in TABLE}, "ID,Case,Pathology,BIRADS")
    assert not BusBraDataset().remarks(root)


def test_sizes_that_contradict_the_file_are_remarked(root: Path) -> None:
    swapped, wrong = TABLE["bus_0004-l"].replace("7,5", "5,7"), TABLE["bus_0010-s"].replace("7,5", "7,9")
    write_table(root, TABLE | {"bus_0004-l": swapped, "bus_0010-s": wrong})
    found = remarks(root)
    assert found["bus_0004-l"].endswith("the file has 7 x 5; rows and columns are swapped; the file is believed")
    assert found["bus_0010-s"] == (
        "the table says 7 x 9 pixels (width x height), the file has 7 x 5; the file is believed"
    )


def test_patients_whose_images_differ_are_remarked(root: Path) -> None:
    write_table(root, TABLE | {"bus_0004-r": TABLE["bus_0004-r"].replace(",3,", ",4,")})
    assert remarks(root) == {None: "the images of one patient (case-4) differ in BIRADS (bus_0004-l: 3, bus_0004-r: 4)"}


def test_listing_and_remarks_decode_no_pixel(root: Path) -> None:
    image = root / "Images" / "bus_0004-l.png"
    image.write_bytes(image.read_bytes()[:24])
    (root / "Images" / "bus_0004-r.png").write_bytes(b"no picture")
    assert len(BusBraDataset().cases(root)) == 3 and not remarks(root)
    assert png_size(image) == (COLUMNS, ROWS) and png_size(root / "bus_data.csv") is png_size(root) is None


def test_published_folds_count_from_zero_and_leave_absent_images_out(root: Path) -> None:
    assert not BusBraDataset().published_folds(root)
    write_folds(root, dict.fromkeys(TABLE, "benign,10,0"), "10-fold-cv.csv")
    write_folds(
        root,
        {"bus_0004-l": "benign,1,NaN", "bus_0004-r": "benign,1,0", "bus_0010-s": "malignant,5,1", "other": "x,9,1"},
    )
    five, ten = BusBraDataset().published_folds(root)
    assert five.file == "5-fold-cv.csv" and five.fold_of == {"bus_0004-l": 0, "bus_0004-r": 0, "bus_0010-s": 4}
    assert five.sha256 == hashlib.sha256((root / "5-fold-cv.csv").read_bytes()).hexdigest()
    assert ten.file == "10-fold-cv.csv" and set(ten.fold_of.values()) == {9}


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        (None, r"5-fold-cv\.csv has no row for 1 of 3 images: Images/bus_0010-s\.png"),
        ("0", r"puts bus_0010-s into fold '0', expected 1 to 5"),
        ("6", r"puts bus_0010-s into fold '6', expected 1 to 5"),
        ("NaN", r"puts bus_0010-s into fold 'NaN'"),
    ],
)
def test_incomplete_or_impossible_folds_are_refused(root: Path, fold: str | None, message: str) -> None:
    rows = {"bus_0004-l": "benign,1,1", "bus_0004-r": "benign,1,1"}
    write_folds(root, rows if fold is None else rows | {"bus_0010-s": f"malignant,{fold},1"})
    with pytest.raises(WrongDataError, match=message):
        BusBraDataset().published_folds(root)


def test_folds_other_than_the_published_ones_are_remarked(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folds(root, dict.fromkeys(TABLE, "benign,1,1"))
    assert "5-fold-cv.csv is not the file that was published (sha256 " in remarks(root)[None]
    digest = hashlib.sha256((root / "5-fold-cv.csv").read_bytes()).hexdigest()
    monkeypatch.setattr("tumor_bus_bra.folds.PUBLISHED_SHA256", {"5-fold-cv.csv": digest})
    assert not remarks(root)
    assert PUBLISHED_SHA256["5-fold-cv.csv"].startswith("8bed2d2e")


@real_data
def test_real_counts() -> None:
    cases, graded = BusBraDataset().cases(REAL / "bus_bra"), BusBraBiradsDataset().cases(REAL / "bus_bra")
    assert Counter(case.label for case in cases) == {"benign": 78, "malignant": 40}
    assert Counter(Counter(case.group for case in cases).values()) == {2: 58, 1: 2}
    categories = {"BI-RADS 2": 20, "BI-RADS 3": 32, "BI-RADS 4": 54, "BI-RADS 5": 12}
    assert Counter(case.label for case in graded) == categories


@real_data
def test_real_references_have_a_lesion_each() -> None:
    dataset = BusBraDataset()
    for case in dataset.cases(REAL / "bus_bra"):
        image, reference = dataset.load(case)
        assert image.ndim == 2 and reference is not None and 0 < reference.mean() < 0.8, case.id


@real_data
def test_real_remarks() -> None:
    found = remarks(REAL / "bus_bra")
    assert found.keys() == {None, "bus_0856-l", "bus_0857-r", "bus_0912-l"}
    assert found[None] == "the images of one patient (case-856) differ in BIRADS (bus_0856-l: 4, bus_0856-r: 5)"
    assert "says 387 x 405 pixels (width x height), the file has 387 x 353; the file" in found["bus_0856-l"]


@real_data
@pytest.mark.parametrize("dataset", BOTH)
@pytest.mark.parametrize(
    "folder", ["busi", "brain_flat", "brain_lgg", "thyroid_ddti", "thyroid_flat", "bus_bra/Masks", "."]
)
def test_real_wrong_folders(folder: str, dataset: type[BusBraDataset]) -> None:
    message = refusal(REAL / folder, dataset)
    assert f"is not a '{dataset.name}' data set" in message and f"expected by '{dataset.name}'" in message
