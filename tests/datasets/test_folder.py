"""Any folder of images and masks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from monai_tumor.datasets.folder import FolderDataset
from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.imaging.write import write_mask, write_picture
from monai_tumor.testing import check_dataset

IMAGE = np.arange(35, dtype=np.uint8).reshape(5, 7)
MASK = IMAGE > 20


def image(path: Path) -> None:
    write_picture(path, IMAGE)


def mask(path: Path, drawn: np.ndarray = MASK) -> None:
    write_mask(path, drawn)


def refusal(root: Path | None) -> str:
    with pytest.raises((WrongDataError, WrongCallError)) as caught:
        FolderDataset().cases(root)
    return str(caught.value)


def test_contract(tmp_path: Path) -> None:
    image(tmp_path / "images" / "a.png")
    mask(tmp_path / "masks" / "a.png")
    check_dataset(FolderDataset, tmp_path)


def test_two_trees_pair_by_name_whatever_the_suffix(tmp_path: Path) -> None:
    image(tmp_path / "Images" / "benign" / "10.PNG")
    image(tmp_path / "Images" / "benign" / "9.tif")
    mask(tmp_path / "Masks" / "benign" / "10_mask.png")
    mask(tmp_path / "Masks" / "benign" / "9.png")
    cases = FolderDataset().cases(tmp_path)
    assert [(case.id, case.group) for case in cases] == [("benign/9", "benign/9"), ("benign/10", "benign/10")]
    assert [len(case.masks or ()) for case in cases] == [1, 1]


def test_masks_beside_their_image_are_joined(tmp_path: Path) -> None:
    image(tmp_path / "malignant" / "x (53).png")
    mask(tmp_path / "malignant" / "x (53)_mask.png", IMAGE > 30)
    mask(tmp_path / "malignant" / "x (53)_mask_1.png", IMAGE < 4)
    dataset = FolderDataset()
    (case,) = dataset.cases(tmp_path)
    assert case.id == "malignant/x (53)"
    reference = dataset.load(case)[1]
    assert reference is not None and np.array_equal(reference, (IMAGE > 30) | (IMAGE < 4))


def test_an_image_without_a_mask_has_no_reference(tmp_path: Path) -> None:
    for name in ("a", "b"):
        image(tmp_path / f"{name}.png")
    mask(tmp_path / "a_mask.png")
    dataset = FolderDataset()
    labelled, unlabelled = dataset.cases(tmp_path)
    assert labelled.masks is not None and unlabelled.masks is None
    assert dataset.load(unlabelled)[1] is None


def test_a_black_mask_is_an_empty_reference(tmp_path: Path) -> None:
    image(tmp_path / "a.png")
    mask(tmp_path / "a_mask.png", np.zeros((5, 7), bool))
    dataset = FolderDataset()
    reference = dataset.load(dataset.cases(tmp_path)[0])[1]
    assert reference is not None and not reference.any()


def test_hidden_files_are_left_out(tmp_path: Path) -> None:
    image(tmp_path / "a.png")
    mask(tmp_path / "a_mask.png")
    (tmp_path / "._a.png").write_bytes(b"resource fork")
    image(tmp_path / "__MACOSX" / "a.png")
    assert [case.id for case in FolderDataset().cases(tmp_path)] == ["a"]


def test_a_mask_of_another_size_names_both_files(tmp_path: Path) -> None:
    image(tmp_path / "a.png")
    mask(tmp_path / "a_mask.png", MASK.T)
    dataset = FolderDataset()
    with pytest.raises(WrongDataError, match=r"a_mask\.png has 7 x 5 pixels but its image .*a\.png has 5 x 7"):
        dataset.load(dataset.cases(tmp_path)[0])


def test_a_mask_without_an_image_is_refused(tmp_path: Path) -> None:
    image(tmp_path / "images" / "a.png")
    for name in "abcdef":
        mask(tmp_path / "masks" / f"{name}.png")
    assert "5 masks have no image: masks/b.png, masks/c.png, masks/d.png and 2 more" in refusal(tmp_path)


def test_images_without_any_mask_are_refused(tmp_path: Path) -> None:
    image(tmp_path / "a.png")
    message = refusal(tmp_path)
    assert message.splitlines()[0].startswith(f"{tmp_path} is not a 'folder' data set: 1 image was found and none")
    assert "DIR/images/X.png" in message and "found in" in message


def test_the_parent_points_to_the_right_folder(tmp_path: Path) -> None:
    image(tmp_path / "deep" / "set" / "images" / "a.png")
    mask(tmp_path / "deep" / "set" / "masks" / "a.png")
    assert f"the right folder is probably {tmp_path / 'deep' / 'set'}" in refusal(tmp_path / "deep")
    assert f"the right folder is probably {tmp_path / 'deep' / 'set'}" in refusal(tmp_path)


def test_the_child_points_to_the_right_folder(tmp_path: Path) -> None:
    image(tmp_path / "images" / "a.png")
    mask(tmp_path / "masks" / "a.png")
    assert f"the right folder is probably {tmp_path}" in refusal(tmp_path / "images")


def test_several_data_sets_are_not_read_as_one(tmp_path: Path) -> None:
    for name in ("first", "second"):
        image(tmp_path / name / "images" / "a.png")
        mask(tmp_path / name / "masks" / "a.png")
    message = refusal(tmp_path)
    assert "first/ in it is a data set of its own; give one of 2 folders in it: " in message
    assert f": {tmp_path / 'first'}, {tmp_path / 'second'}\n" in message


def test_missing_empty_and_file_are_answered(tmp_path: Path) -> None:
    (tmp_path / "breast_data").mkdir()
    (tmp_path / "set.zip").touch()
    assert f"does not exist; did you mean {tmp_path / 'breast_data'}?" in refusal(tmp_path / "brest_data")
    assert "nor does" in refusal(tmp_path / "no" / "such" / "folder")
    assert "breast_data is empty; was the download or the copy finished" in refusal(tmp_path / "breast_data")
    assert "set.zip is a file, expected a folder" in refusal(tmp_path / "set.zip")
    assert "no folder was given" in refusal(None)


@pytest.mark.parametrize("locked", ["", "images"])
def test_a_locked_folder_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locked: str) -> None:
    image(tmp_path / "images" / "a.png")
    mask(tmp_path / "masks" / "a.png")
    listed = Path.iterdir

    def iterdir(path: Path) -> Iterator[Path]:
        if path == tmp_path / locked:
            raise PermissionError(13, "Permission denied", str(path))
        return iter(list(listed(path)))

    monkeypatch.setattr(Path, "iterdir", iterdir)  # tests may run as root, whom no permission stops
    assert f"{tmp_path / locked} may not be read by this user; change its permissions" in refusal(tmp_path)
