"""The class folders, synthetic and (where present) real."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tumor_busi import BusiDataset

from monai_tumor.cases import Case
from monai_tumor.errors import WrongDataError
from monai_tumor.testing import check_dataset

ROWS, COLUMNS = 5, 7
REAL = Path(os.environ.get("MONAI_TUMOR_DATA", Path(__file__).parents[4] / "shared" / "data"))
real_data = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real data in {REAL}; set MONAI_TUMOR_DATA")


def write(path: Path, pixels: np.ndarray, mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(path)


def square(row: int, column: int, size: int = 2) -> np.ndarray:
    """Return a mask in which one square is lesion."""
    mask = np.zeros((ROWS, COLUMNS), np.uint8)
    mask[row : row + size, column : column + size] = 255
    return mask


def refusal(root: Path) -> str:
    with pytest.raises(WrongDataError) as caught:
        BusiDataset().cases(root)
    return str(caught.value)


def case_of(root: Path, name: str) -> Case:
    return next(case for case in BusiDataset().cases(root) if case.id == name)


def reference_of(root: Path, name: str) -> np.ndarray:
    reference = BusiDataset().load(case_of(root, name))[1]
    assert reference is not None
    return reference


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Numbers have gaps, one image has two masks, and mask files are of the kinds that the real set has."""
    folder = tmp_path / "above" / "Dataset_BUSI_with_GT"
    grey = np.arange(ROWS * COLUMNS, dtype=np.uint8).reshape(ROWS, COLUMNS)
    for name in ["benign (2)", "benign (10)", "malignant (1)", "normal (3)"]:
        write(folder / name.split()[0] / f"{name}.png", grey, "RGB")
    write(folder / "benign" / "benign (2)_mask.png", square(0, 1), "1")
    write(folder / "benign" / "benign (2)_mask_1.png", square(1, 2), "RGBA")
    write(folder / "benign" / "benign (10)_mask.png", square(3, 4), "1")
    write(folder / "malignant" / "malignant (1)_mask.png", square(0, 0, 3), "1")
    write(folder / "normal" / "normal (3)_mask.png", square(0, 0, 0), "RGB")
    (folder / "notes.csv").write_text("image\n")
    return folder


def test_contract(root: Path) -> None:
    check_dataset(BusiDataset, root)


def test_ids_are_file_names_in_the_order_of_their_numbers(root: Path) -> None:
    cases = BusiDataset().cases(root)
    assert [case.id for case in cases] == ["benign (2)", "benign (10)", "malignant (1)", "normal (3)"]
    assert [case.label for case in cases] == ["benign", "benign", "malignant", "normal"]
    assert all(case.group == case.id for case in cases)
    assert BusiDataset().labels.keys() == {case.label for case in cases}
    assert not BusiDataset().remarks(root)


def test_an_image_named_without_its_class_gets_it(root: Path) -> None:
    write(root / "normal" / "image (3).png", square(0, 0))
    assert case_of(root, "normal/image (3)").masks == ()


def test_masks_of_one_image_are_joined_and_alpha_is_not_looked_at(root: Path) -> None:
    expected = (square(0, 1) | square(1, 2)) > 0
    assert len(case_of(root, "benign (2)").masks or ()) == 2
    assert np.array_equal(reference_of(root, "benign (2)"), expected) and expected.sum() == 7


def test_a_normal_image_has_an_empty_reference_with_a_mask_file_or_without(root: Path) -> None:
    assert len(case_of(root, "normal (3)").masks or ()) == 1 and not reference_of(root, "normal (3)").any()
    (root / "normal" / "normal (3)_mask.png").unlink()
    assert case_of(root, "normal (3)").masks == () and not reference_of(root, "normal (3)").any()


def test_a_lesion_drawn_on_a_normal_image_is_not_hidden(root: Path) -> None:
    write(root / "normal" / "normal (3)_mask.png", square(1, 1), "1")
    assert reference_of(root, "normal (3)").sum() == 4


def test_a_lesion_image_without_mask_is_unlabelled_and_remarked(root: Path) -> None:
    (root / "benign" / "benign (10)_mask.png").unlink()
    case = case_of(root, "benign (10)")
    assert case.masks is None and BusiDataset().load(case)[1] is None
    [remark] = BusiDataset().remarks(root)
    assert remark.case == "benign (10)" and "counted as unlabelled" in remark.text


def test_lesion_images_without_any_mask_are_refused(root: Path) -> None:
    for path in root.glob("[bm]*/*_mask*"):
        path.unlink()
    assert "3 images were found and none with a mask (were the masks copied?)" in refusal(root)


def test_masks_without_an_image_are_counted_over_all_classes(root: Path) -> None:
    (root / "benign" / "benign (2).png").unlink()
    (root / "malignant" / "malignant (1).png").unlink()
    message = refusal(root)
    assert "3 masks have no image: benign/benign (2)_mask.png, benign/benign (2)_mask_1.png, malignant/" in message


def test_absent_classes_are_named(root: Path) -> None:
    for path in [*root.glob("malignant/*"), *root.glob("normal/*")]:
        path.unlink()
    (root / "normal").rmdir()
    assert {case.label for case in BusiDataset().cases(root)} == {"benign"}
    [remark] = BusiDataset().remarks(root)
    assert remark.case is None and remark.text.startswith("no image of the class malignant and normal;")


def test_a_mask_of_another_size_is_refused_with_both_names(root: Path) -> None:
    write(root / "benign" / "benign (10)_mask.png", square(0, 0).T, "1")
    with pytest.raises(
        WrongDataError, match=r"mask .*benign \(10\)_mask\.png has 7 x 5 .* image .*benign \(10\)\.png has 5"
    ):
        BusiDataset().load(case_of(root, "benign (10)"))


def test_only_class_folders_with_numbered_images_are_recognised(root: Path) -> None:
    assert BusiDataset().recognises(root) == 1
    assert BusiDataset().recognises(root.parent) == BusiDataset().recognises(root / "benign") == 0
    for path in root.glob("*/*).png"):
        path.rename(path.with_name(path.name.replace(" (", "-").replace(")", "")))
    assert BusiDataset().recognises(root) == 0


def test_parent_and_child_point_to_the_right_folder(root: Path) -> None:
    assert f"the right folder is probably {root}" in refusal(root.parent)
    assert f"the right folder is probably {root}" in refusal(root / "benign")


def test_listing_decodes_no_pixel(root: Path) -> None:
    for path in root.glob("*/*.png"):
        path.write_bytes(b"no picture")
    assert len(BusiDataset().cases(root)) == 4 and not BusiDataset().remarks(root)


@real_data
def test_real_counts() -> None:
    cases = BusiDataset().cases(REAL / "busi")
    assert Counter(case.label for case in cases) == {"benign": 144, "malignant": 70, "normal": 48}
    masks = [len(case.masks or ()) for case in cases]
    assert Counter(masks) == {1: 245, 2: 16, 3: 1} and cases[masks.index(3)].id == "benign (195)"
    assert not BusiDataset().remarks(REAL / "busi") and BusiDataset().recognises(REAL / "busi") == 1


@real_data
def test_real_references_are_empty_in_normal_images_only() -> None:
    dataset = BusiDataset()
    for case in dataset.cases(REAL / "busi"):
        reference = dataset.load(case)[1]
        assert reference is not None and reference.any() == (case.label != "normal"), case.id
        assert reference.mean() < 0.8, case.id  # alpha taken for the mask would mark the whole image


@real_data
@pytest.mark.parametrize(("name", "shared"), [("benign (181)", 7), ("benign (4)", 0), ("malignant (53)", 0)])
def test_real_masks_are_joined(name: str, shared: int) -> None:
    masks = [np.asarray(Image.open(path).convert("L")) > 0 for path in case_of(REAL / "busi", name).masks or ()]
    assert len(masks) == 2 and (masks[0] & masks[1]).sum() == shared
    assert reference_of(REAL / "busi", name).sum() == sum(int(mask.sum()) for mask in masks) - shared


@real_data
@pytest.mark.parametrize(
    "folder", ["bus_bra", "brain_flat", "brain_lgg", "thyroid_ddti", "thyroid_flat", "busi/benign", "."]
)
def test_real_wrong_folders(folder: str) -> None:
    message = refusal(REAL / folder)
    assert "is not a 'busi' data set" in message and "expected by 'busi'" in message
