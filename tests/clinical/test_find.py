"""What is found, how it is called, and what is said of the rest."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from monai_tumor.clinical.find import find_inputs
from monai_tumor.clinical.items import InputItem
from monai_tumor.clinical.kinds import FileKind
from monai_tumor.clinical.limits import Limits
from monai_tumor.clinical.read import read_source
from monai_tumor.errors import WrongDataError

Write = Callable[..., Path]


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).save(path, "PNG")
    return path


def names(items: list[InputItem]) -> list[str]:
    return [item.name for item in items if item.error is None]


def errors(items: list[InputItem]) -> list[str]:
    return [item.error for item in items if item.error is not None]


def test_folders_are_searched_in_natural_order(tmp_path: Path) -> None:
    for name in ("b/10.png", "b/9.png", "a.png", ".hidden.png", "b/.hidden/1.png"):
        picture(tmp_path / name)
    (tmp_path / "notes.csv").write_text("words")
    (tmp_path / "LICENSE").write_text("words")
    items = find_inputs([tmp_path])
    assert names(items) == ["a", "b/9", "b/10"] and len(items) == 3


def test_files_globs_and_lists(tmp_path: Path) -> None:
    one, two = picture(tmp_path / "x" / "1.png"), picture(tmp_path / "y" / "2.png")
    (tmp_path / "list.txt").write_text(f"# comment\n\nx/1.png\n{two}\nabsent.png\n")
    assert names(find_inputs([one, two])) == ["1", "2"]
    assert names(find_inputs([str(tmp_path / "*" / "*.png")])) == ["x/1", "y/2"]
    assert names(find_inputs([str(tmp_path / "?")])) == ["x/1", "y/2"]
    listed = find_inputs([tmp_path / "list.txt"])
    assert names(listed) == ["1", "2"] and "absent.png does not exist" in errors(listed)[0]


def test_names_are_unique_and_stable(tmp_path: Path) -> None:
    for name in ("a/x.png", "a/x.jpg", "a/X.tif", "b/x.png"):
        picture(tmp_path / name)
    assert sorted(names(find_inputs([tmp_path / "a"]))) == ["X.tif", "x.jpg", "x.png"]
    assert names(find_inputs([tmp_path / "a" / "x.png", tmp_path / "b" / "x.png"])) == ["x.png", "x.png-2"]
    assert names(find_inputs([tmp_path / "a" / "x.png"] * 2)) == ["x"]


def test_bad_files_are_items_with_an_error(tmp_path: Path) -> None:
    picture(tmp_path / "good.png")
    (tmp_path / "empty.png").touch()
    (tmp_path / "words.dcm").write_text("words")
    (tmp_path / "packed.gz").write_bytes(b"\x1f\x8b\x08rest")
    items = find_inputs([tmp_path, tmp_path / "absent", str(tmp_path / "*.none")])
    assert names(items) == ["good"] and len(errors(items)) == 5
    for words in (
        "empty.png is empty",
        "words.dcm is nothing",
        "unpack it (gunzip)",
        "does not exist",
        "matches nothing",
    ):
        assert any(words in error for error in errors(items)), words
    with pytest.raises(WrongDataError, match="is empty"):
        read_source(next(item for item in items if item.name == "empty"))


def test_a_file_without_suffix_is_named_when_it_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "IM1").write_bytes(bytes(500))
    assert "IM1 is nothing that is read here" in errors(find_inputs([tmp_path]))[0]


def test_a_series_is_one_item_called_after_its_first_file(
    tmp_path: Path, write_series, write_dicom, block, ramp
) -> None:
    write_series(tmp_path / "mr", block)
    write_dicom(tmp_path / "mr" / "still.dcm", ramp)
    items = find_inputs([tmp_path])
    assert names(items) == ["mr/IM00", "mr/still"] and len(items[0].paths) == 5
    assert np.array_equal(read_source(items[0]).stack, block)
    scrambled = find_inputs(sorted((tmp_path / "mr").glob("IM*"), reverse=True))
    assert names(scrambled) == ["IM04"] and np.array_equal(read_source(scrambled[0]).stack, block)


def test_series_in_one_folder_are_told_apart(tmp_path: Path, write_series, block: np.ndarray) -> None:
    write_series(tmp_path / "a", block)
    write_series(tmp_path / "b", block[:3])
    for path in (tmp_path / "b").iterdir():
        path.rename(tmp_path / "a" / f"other-{path.name}")
    assert [len(item.paths) for item in find_inputs([tmp_path])] == [5, 3]


def test_echoes_of_one_series_become_volumes(tmp_path: Path, write_series, block: np.ndarray) -> None:
    uid = pydicom.uid.generate_uid()
    write_series(tmp_path, block, SeriesInstanceUID=uid, EchoTime="10")
    for path in list(tmp_path.iterdir()):
        path.rename(tmp_path / f"first-{path.name}")
    write_series(tmp_path, block, SeriesInstanceUID=uid, EchoTime="80")
    assert [len(item.paths) for item in find_inputs([tmp_path])] == [5, 5]


def test_reports_among_images_are_named(tmp_path: Path, write_series, write_dicom, block, ramp) -> None:
    write_series(tmp_path, block)
    write_dicom(tmp_path / "sr.dcm", ramp, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11")
    items = find_inputs([tmp_path])
    assert names(items) == ["IM00"] and "sr.dcm is a DICOM Basic Text SR" in errors(items)[0]


def test_an_archive_stands_for_its_files(tmp_path: Path, write_series, block: np.ndarray) -> None:
    write_series(tmp_path / "s", block)
    picture(tmp_path / "p.png")
    with zipfile.ZipFile(tmp_path / "given.zip", "w") as archive:
        for path in [*sorted((tmp_path / "s").iterdir()), tmp_path / "p.png"]:
            archive.write(path, path.relative_to(tmp_path))
        archive.writestr("inner.zip", b"PK\5\6" + bytes(18))
        archive.writestr("../../out.png", b"harm")
    items = find_inputs([tmp_path / "given.zip"], tmp_path / "scratch")
    assert names(items) == ["given/p", "given/s/IM00"]
    assert any("archive in an archive" in error for error in errors(items))
    assert any("leads elsewhere" in error for error in errors(items))
    series = next(item for item in items if item.name == "given/s/IM00")
    assert np.array_equal(read_source(series).stack, block)
    assert not list(tmp_path.parent.glob("out.png"))


def test_an_archive_over_the_limit_stops_nothing_else(tmp_path: Path) -> None:
    picture(tmp_path / "good.png")
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        archive.writestr("a", b"1")
        archive.writestr("b", b"1")
    items = find_inputs([tmp_path], tmp_path / "scratch", Limits(members=1))
    assert names(items) == ["good"] and "many.zip holds 2 files" in errors(items)[0]


def medium(folder: Path, write_dicom: Write, ramp: np.ndarray) -> Path:
    from pydicom.fileset import FileSet

    media = FileSet()
    for name in ("one", "two"):
        media.add(
            write_dicom(
                folder / "source" / name,
                ramp,
                StudyDate="20200101",
                StudyTime="120000",
                InstanceNumber=1,
                SeriesNumber=1,
                PatientID=name,
                InstitutionName="",
            )
        )
    media.write(folder / "medium")
    return folder / "medium" / "DICOMDIR"


def test_a_medium_lists_its_files(tmp_path: Path, write_dicom: Write, ramp: np.ndarray) -> None:
    path = medium(tmp_path, write_dicom, ramp)
    items = find_inputs([path])
    assert len(items) == 2 and all(item.kind is FileKind.DICOM and item.error is None for item in items)
    assert names(find_inputs([path.parent])) == names(items)


def test_what_a_medium_lists_and_lacks_is_named(tmp_path: Path, write_dicom: Write, ramp: np.ndarray) -> None:
    path = medium(tmp_path, write_dicom, ramp)
    find_inputs([path])[0].paths[0].unlink()
    items = find_inputs([path])
    assert len(names(items)) == 1 and "is listed in DICOMDIR and is not there" in errors(items)[0]


def test_a_medium_leads_nowhere_else(tmp_path: Path, write_dicom: Write, ramp: np.ndarray) -> None:
    path = medium(tmp_path, write_dicom, ramp)
    dataset = pydicom.dcmread(path)
    for record in dataset.DirectoryRecordSequence:
        if "ReferencedFileID" in record:
            record.ReferencedFileID = ["..", "source", "one"]
    dataset.save_as(path)
    items = find_inputs([path])
    assert names(items) == [] and "impossible name" in errors(items)[0]


def test_a_broken_medium_is_searched_as_a_folder(tmp_path: Path, write_dicom: Write, ramp: np.ndarray) -> None:
    path = medium(tmp_path, write_dicom, ramp)
    path.write_bytes(path.read_bytes()[:400])
    assert len(names(find_inputs([path]))) == 2
