"""What data sets share: images and masks paired by name, a whole copy, and one of several layouts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from monai_tumor.cases import Case
from monai_tumor.datasets.folder import FolderDataset
from monai_tumor.datasets.layout import HasLayout, Layout, cases_by_layout
from monai_tumor.datasets.pairs import complete_pairs, flat_pairs, two_trees
from monai_tumor.errors import WrongDataError


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def refusal(root: Path) -> str:
    with pytest.raises(WrongDataError) as caught:
        complete_pairs(FolderDataset(), flat_pairs(root), root)
    return str(caught.value)


def test_two_trees_are_found_however_they_are_capitalised(tmp_path: Path) -> None:
    touch(tmp_path, "Images/2.png", "MASK/2.png")
    assert two_trees(tmp_path) == (tmp_path / "Images", tmp_path / "MASK")
    assert two_trees(tmp_path / "Images") is None


def test_flat_pairs_are_in_natural_order_and_look_into_no_folder(tmp_path: Path) -> None:
    touch(tmp_path, "images/10.png", "images/2.PNG", "images/old/3.png")
    touch(tmp_path, "masks/2.tif", "masks/10_mask_1.png", "masks/10.png")
    found = complete_pairs(FolderDataset(), flat_pairs(tmp_path), tmp_path).masks
    told = [(image.name, [mask.name for mask in masks]) for image, masks in found.items()]
    assert told == [("2.PNG", ["2.tif"]), ("10.png", ["10.png", "10_mask_1.png"])]


def test_without_both_folders_there_are_no_pairs(tmp_path: Path) -> None:
    assert flat_pairs(touch(tmp_path, "images/1.png")).masks == {}


def test_half_a_copy_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "images/1.png", "masks/2.png")
    assert "1 image was found and none with a mask" in refusal(tmp_path)
    touch(tmp_path, "masks/1.png")
    assert "1 mask has no image: masks/2.png" in refusal(tmp_path)
    touch(tmp_path, "images/2.png", "images/3.png")
    assert "no mask for 1 of 3 images: images/3.png" in refusal(tmp_path)


def layout_of(name: str) -> Layout:
    """Return a layout that is a folder of that name."""

    def find_cases(dataset: HasLayout, folder: Path) -> Iterator[Case]:
        yield Case(name, dataset.name, "a.png", None)

    made: Layout = SimpleNamespace(recognises=lambda folder: (folder / name).is_dir(), find_cases=find_cases)
    return made


def test_the_layout_that_a_folder_has_finds_its_cases(tmp_path: Path) -> None:
    layouts = [layout_of("a"), layout_of("b")]
    assert list(cases_by_layout(FolderDataset(), tmp_path, layouts)) == []
    (tmp_path / "b").mkdir()
    assert [(case.id, case.group) for case in cases_by_layout(FolderDataset(), tmp_path, layouts)] == [("b", "folder")]
    (tmp_path / "a").mkdir()
    with pytest.raises(WrongDataError, match="not a 'folder' data set: it has files of more than one of these layouts"):
        cases_by_layout(FolderDataset(), tmp_path, layouts)
