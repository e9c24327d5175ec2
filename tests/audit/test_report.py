"""Both files of a check, or none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monai_tumor.audit import report
from monai_tumor.audit.report import write_report
from monai_tumor.errors import WrongCallError


def test_both_files_are_written(clean, tmp_path: Path) -> None:
    audit = clean.check()
    page, values = write_report(tmp_path / "new" / "out", audit)
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert json.loads(values.read_text(encoding="utf-8")) == audit.content()
    assert sorted(path.name for path in page.parent.iterdir()) == ["check.html", "check.json"]


@pytest.mark.parametrize("name", ["check.html", "check.json"])
def test_neither_file_is_replaced_and_none_is_left(clean, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(WrongCallError, match=f"{name} exists already"):
        write_report(tmp_path, clean.check())
    assert (tmp_path / name).read_text() == "mine"
    assert not {"check.html", "check.json"} - {name} & {path.name for path in tmp_path.iterdir()}


def test_a_failure_between_the_two_leaves_none(clean, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = report.write_text

    def full_disk(path: Path, text: str) -> None:
        if path.suffix == ".html":
            raise WrongCallError("no space left")
        write(path, text)

    monkeypatch.setattr(report, "write_text", full_disk)
    with pytest.raises(WrongCallError, match="no space"):
        write_report(tmp_path / "out", clean.check())
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_in_place_of_the_folder_is_answered(clean, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(WrongCallError, match="is a file, expected a folder to write to"):
        write_report(tmp_path / "out", clean.check())
