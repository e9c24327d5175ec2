"""cases.csv."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from monai_tumor.datasets.folder import FolderDataset
from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.write import write_picture
from monai_tumor.testing import check_dataset

HEAD = "id,image,mask,label,group\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        write_picture(tmp_path / "files" / f"{name}.png", np.arange(20, dtype=np.uint8).reshape(4, 5))
        write_picture(tmp_path / "files" / f"{name}1.png", np.eye(4, 5, dtype=np.uint8))
        write_picture(tmp_path / "files" / f"{name}2.png", np.eye(4, 5, 1, dtype=np.uint8))
    return tmp_path


def refusal(root: Path, table: str, encoding: str = "utf-8") -> str:
    (root / "cases.csv").write_text(table, encoding=encoding)
    with pytest.raises(WrongDataError) as caught:
        FolderDataset().cases(root)
    return str(caught.value)


def test_every_column_arrives(root: Path) -> None:
    row = "b,files/b.png,files/b1.png; files/b2.png,benign,p7\n"
    (root / "cases.csv").write_text(HEAD + row, encoding="utf-8-sig")
    dataset = FolderDataset()
    (case,) = dataset.cases(root)
    assert (case.id, case.group, case.label) == ("b", "p7", "benign")
    reference = dataset.load(case)[1]
    assert reference is not None and np.array_equal(reference, np.eye(4, 5) + np.eye(4, 5, 1) > 0)
    check_dataset(dataset, root)


def test_empty_reference_and_no_reference_differ(root: Path) -> None:
    (root / "cases.csv").write_text("id,image,mask\na,files/a.png,\nb,files\\b.png,-\n")
    empty, unknown = FolderDataset().cases(root)
    assert empty.masks == () and unknown.masks is None
    assert empty.group == "a" and empty.label is None


def test_a_missing_column_is_named(root: Path) -> None:
    assert "has no column image (first line: id, mask); name them" in refusal(root, "id,mask\n")
    assert "separated by semicolons, use commas" in refusal(root, "id;image;mask\n")


def test_a_wrong_line_is_numbered(root: Path) -> None:
    assert "line 2 names 'files/c.png', and there is no such file" in refusal(root, HEAD + "c,files/c.png,,,\n")
    assert "line 2 has more or fewer fields" in refusal(root, HEAD + "a,files/a.png\n")
    assert "line 3 has no id or no image" in refusal(root, HEAD + "a,files/a.png,,,\n,files/b.png,,,\n")


@pytest.mark.parametrize("path", ["../a.png", "/etc/passwd", "C:/a.png"])
def test_paths_stay_below_the_folder(root: Path, path: str) -> None:
    assert "use paths relative to the table" in refusal(root, HEAD + f"a,{path},,,\n")


def test_a_doubled_id_and_a_foreign_encoding_are_refused(root: Path) -> None:
    assert "two cases have the id 'a'" in refusal(root, HEAD + "a,files/a.png,,,\na,files/b.png,,,\n")
    assert "is not UTF-8 text" in refusal(root, HEAD + "ä,files/a.png,,,\n", "latin-1")


def test_a_table_without_lines_shows_the_layout(root: Path) -> None:
    assert "DIR/cases.csv" in refusal(root, HEAD)
