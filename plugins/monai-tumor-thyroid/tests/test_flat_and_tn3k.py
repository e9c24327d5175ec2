"""Flat folders with and without categories, TN3K with JPEG masks, and folders that are neither."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tumor_thyroid import ThyroidDataset
from tumor_thyroid.flat import group_of

from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.write import write_mask, write_picture
from monai_tumor.testing import check_dataset

REAL = Path(os.environ.get("MONAI_TUMOR_DATA", Path(__file__).parents[4] / "shared" / "data"))
real_data = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real data in {REAL}; set MONAI_TUMOR_DATA")
RNG = np.random.default_rng(0)


def lesion(number: int) -> NDArray[np.bool_]:
    mask = np.zeros((24, 40), bool)
    mask[3 : 9 + number, 6:20] = True
    return mask


def grey() -> NDArray[np.uint8]:
    return RNG.integers(0, 255, (24, 40), np.uint8)


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    for number in (1, 2, 10):
        write_picture(tmp_path / "images" / f"{number}.PNG", grey())
        write_mask(tmp_path / "masks" / f"{number}.PNG", lesion(number))
    (tmp_path / "category.csv").write_text("ID,CATE\n1.PNG,0\n2.PNG,1\n10.PNG,1\n")
    (tmp_path / "origin_measured.csv").write_text("image,ddti_case\n1.PNG,1\n")
    return tmp_path


@pytest.fixture
def tn3k(tmp_path: Path) -> Path:
    for part, count in (("trainval", 3), ("test", 2)):
        for kind in ("image", "mask"):
            (tmp_path / f"{part}-{kind}").mkdir()
        for number in range(count):
            mask = Image.fromarray(lesion(number).astype(np.uint8) * np.uint8(255)).convert("RGB")
            Image.fromarray(grey()).save(tmp_path / f"{part}-image" / f"{number:04d}.jpg")
            mask.save(tmp_path / f"{part}-mask" / f"{number:04d}.jpg", quality=60)
    return tmp_path


def refusal(root: Path) -> str:
    with pytest.raises(WrongDataError) as caught:
        ThyroidDataset().cases(root)
    return str(caught.value)


def remarks(root: Path) -> str:
    return "\n".join(remark.text for remark in ThyroidDataset().remarks(root))


def test_contract_of_flat_folders(flat: Path) -> None:
    check_dataset(ThyroidDataset, flat)
    (flat / "category.csv").unlink()
    check_dataset(ThyroidDataset, flat)


def test_contract_of_tn3k(tn3k: Path) -> None:
    check_dataset(ThyroidDataset, tn3k)


def test_a_table_of_categories_makes_it_certain(flat: Path, tmp_path: Path) -> None:
    assert ThyroidDataset().recognises(flat) == 1
    (flat / "category.csv").unlink()
    assert ThyroidDataset().recognises(flat) == 0.5 and ThyroidDataset().recognises(flat / "images") == 0


def test_the_category_is_the_label(flat: Path) -> None:
    cases = ThyroidDataset().cases(flat)
    assert [(case.id, case.group, case.label) for case in cases] == [
        ("1", "1", "CATE 0"),
        ("2", "2", "CATE 1"),
        ("10", "10", "CATE 1"),
    ]
    reference = ThyroidDataset().load(cases[2])[1]
    assert reference is not None and np.array_equal(reference, lesion(10))
    assert {case.label for case in cases} <= ThyroidDataset.labels.keys()


def test_a_zero_is_said_to_be_in_part_a_missing_label(flat: Path) -> None:
    assert "CATE 0 is in part a missing label" in remarks(flat) and "not independent of DDTI" in remarks(flat)


def test_without_a_table_there_are_no_labels(flat: Path) -> None:
    (flat / "category.csv").unlink()
    assert {case.label for case in ThyroidDataset().cases(flat)} == {None}
    assert remarks(flat) == "there is no category.csv: no labels"


def test_what_the_table_lacks_or_has_too_much_is_remarked(flat: Path) -> None:
    (flat / "category.csv").write_text("\ufeffID,CATE\n1.png,0\n2.png,\n77.png,1\n", encoding="utf-8")
    assert [case.label for case in ThyroidDataset().cases(flat)] == ["CATE 0", None, None]
    assert "no category for 2 of 3 images" in remarks(flat) and "names 1 image that is not here" in remarks(flat)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("ID,CATE\n1.PNG,2\n", "category.csv line 2 has the category '2', expected 0 or 1"),
        ("ID,CATE\n1.PNG,0\n1.png,1\n", "category.csv line 3 gives 1 a second, other category"),
        ("name;label\n", "category.csv has the columns name;label, expected ID and CATE"),
        ("", "category.csv has the columns nothing"),
        ('ID,CATE\n"1.PNG,0\n', "category.csv is not a comma-separated table"),
    ],
)
def test_a_wrong_table_is_named(flat: Path, table: str, message: str) -> None:
    (flat / "category.csv").write_text(table)
    assert message in refusal(flat)


def test_a_table_in_another_encoding_is_named(flat: Path) -> None:
    (flat / "category.csv").write_bytes("ID,CATE\nnódulo,1\n".encode("latin-1"))
    assert "save it as CSV UTF-8" in refusal(flat)


def test_missing_masks_and_images_are_named(flat: Path) -> None:
    (flat / "masks" / "2.PNG").unlink()
    assert "no mask for 1 of 3 images: images/2.PNG" in refusal(flat)
    (flat / "images" / "1.PNG").unlink()
    assert "1 mask has no image: masks/1.PNG" in refusal(flat)


def test_tn3k_names_its_parts(tn3k: Path) -> None:
    cases = ThyroidDataset().cases(tn3k)
    assert [case.id for case in cases] == ["test/0000", "test/0001", "trainval/0000", "trainval/0001", "trainval/0002"]
    assert all(case.group == case.id and case.label is None for case in cases)
    assert ThyroidDataset().recognises(tn3k) == 1 and ThyroidDataset().published_folds(tn3k) == ()
    assert "published parts of TN3K, not folds" in remarks(tn3k)


def test_jpeg_masks_are_cut_halfway(tn3k: Path) -> None:
    dataset = ThyroidDataset()
    references = {case.id: dataset.load(case)[1] for case in dataset.cases(tn3k)}
    stored = np.asarray(Image.open(tn3k / "trainval-mask" / "0002.jpg"))
    assert len(np.unique(stored)) > 2  # or this test would show nothing
    assert np.array_equal(references["trainval/0002"], lesion(2))
    assert np.array_equal(references["test/0001"], lesion(1))


def test_a_dark_jpeg_mask_is_refused_and_no_empty_reference(tn3k: Path) -> None:
    dark = lesion(0).astype(np.uint8) * np.uint8(100)
    Image.fromarray(dark).save(tn3k / "test-mask" / "0000.jpg")
    with pytest.raises(WrongDataError, match=r"test-mask/0000\.jpg is nowhere above 127 and yet not black"):
        ThyroidDataset().load(ThyroidDataset().cases(tn3k)[0])
    Image.fromarray(dark * np.uint8(0)).save(tn3k / "test-mask" / "0000.jpg")
    reference = ThyroidDataset().load(ThyroidDataset().cases(tn3k)[0])[1]
    assert reference is not None and not reference.any()


def test_png_masks_of_tn3k_may_be_zero_and_one(tn3k: Path) -> None:
    (tn3k / "test-mask" / "0000.jpg").unlink()
    write_picture(tn3k / "test-mask" / "0000.png", lesion(5).astype(np.uint8))
    reference = ThyroidDataset().load(ThyroidDataset().cases(tn3k)[0])[1]
    assert reference is not None and np.array_equal(reference, lesion(5))


def test_a_jpeg_mask_beside_a_png_one_changes_nothing_for_that(tn3k: Path) -> None:
    other = np.zeros((24, 40), np.uint8)
    other[18:22, 25:37] = 1  # lost if it were cut halfway as well
    write_picture(tn3k / "test-mask" / "0001_mask_1.png", other)
    case = ThyroidDataset().cases(tn3k)[1]
    reference = ThyroidDataset().load(case)[1]
    assert len(case.masks or ()) == 2
    assert reference is not None and np.array_equal(reference, lesion(1) | (other > 0))


def test_a_dark_jpeg_mask_is_refused_beside_a_good_one_too(tn3k: Path) -> None:
    Image.fromarray(lesion(0).astype(np.uint8) * np.uint8(100)).save(tn3k / "test-mask" / "0000_mask_1.jpg")
    with pytest.raises(WrongDataError, match=r"0000_mask_1\.jpg is nowhere above 127 and yet not black"):
        ThyroidDataset().load(ThyroidDataset().cases(tn3k)[0])


def test_one_part_of_tn3k_is_enough_but_not_half_a_part(tn3k: Path) -> None:
    (tn3k / "test-mask").rename(tn3k / "elsewhere")
    assert "only one of test-image/ and test-mask/" in refusal(tn3k)
    (tn3k / "test-image").rename(tn3k / "elsewhere too")
    assert len(ThyroidDataset().cases(tn3k)) == 3


def test_more_than_one_layout_is_refused(flat: Path) -> None:
    (flat / "7.xml").write_text("<case/>")
    Image.fromarray(grey()).save(flat / "7_1.jpg")
    assert "it has files of more than one of these layouts" in refusal(flat)


def test_parent_and_child_point_to_the_right_folder(flat: Path) -> None:
    assert f"the right folder is probably {flat}" in refusal(flat / "images")


@real_data
def test_real_flat_folder() -> None:
    dataset, root = ThyroidDataset(), REAL / "thyroid_flat"
    cases = dataset.cases(root)
    assert Counter(case.label for case in cases) == {"CATE 0": 23, "CATE 1": 22}
    assert dataset.recognises(root) == 1 and len({case.group for case in cases}) == 43
    for case in cases:
        reference = dataset.load(case)[1]
        assert reference is not None and reference.any()


@real_data
@pytest.mark.parametrize("folder", ["busi", "bus_bra", "brain_lgg", "brain_nifti", "dicom", "thyroid_flat/images"])
def test_real_wrong_folders(folder: str) -> None:
    message = refusal(REAL / folder)
    assert "is not a 'thyroid' data set" in message and "expected by 'thyroid'" in message


def test_two_halves_of_a_frame_are_one_group() -> None:
    assert [group_of(name) for name in ("10152", "20152", "152", "30152")] == ["frame-152", "frame-152", "152", "30152"]
