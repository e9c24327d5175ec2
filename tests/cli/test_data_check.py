"""``data check``: the exit codes, what is printed where, and the answers to wrong folders."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from monai_tumor import registry
from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.imaging.write import write_mask, write_picture, write_text

Program = Callable[..., Result]


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Twelve different pictures of as many patients, all right."""
    phantom, folder, rows = (
        PhantomDataset(count=12, style="us", size=(96, 128)),
        tmp_path / "scans",
        ["id,image,mask,group"],
    )
    for case in phantom.cases():
        image, mask = phantom.load(case)
        write_picture(folder / "images" / f"{case.id}.png", image)
        write_mask(folder / "masks" / f"{case.id}.png", mask)
        rows.append(f"{case.id},images/{case.id}.png,masks/{case.id}.png,{case.group}")
    write_text(folder / "cases.csv", "\n".join(rows))
    return folder


@pytest.fixture
def trapped(scans: Path) -> Path:
    """The same, and one picture once more with a diagnosis and a mask that contradict the first."""
    text = (scans / "cases.csv").read_text().replace("id,image,mask,group", "id,image,mask,group,label")
    first, *others = text.splitlines()
    rows = [first, *(f"{row},benign" for row in others), "copy,images/phantom-0001.png,,patient-copy,malignant"]
    write_text(scans / "cases.csv", "\n".join(rows), overwrite=True)
    return scans


def listing(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


def test_a_folder_without_errors_ends_with_0_and_what_to_do_next(program: Program, scans: Path, tmp_path: Path) -> None:
    before = listing(tmp_path)
    result = program("data", "check", scans, "--no-reading")
    assert result.exit_code == 0, result.output
    assert "Nothing was found that would make results wrong." in result.stdout
    assert f"monai-tumor data split {scans} --dataset folder -o split.json" in result.stdout
    assert listing(tmp_path) == before


def test_errors_end_with_1_and_stand_first(program: Program, trapped: Path) -> None:
    result = program("data", "check", trapped, "--no-reading")
    assert result.exit_code == 1
    severities = [
        line.split()[0] for line in result.stdout.splitlines() if line.startswith(("error ", "warning ", "note "))
    ]
    assert severities == sorted(severities, key=("error", "warning", "note").index) and severities[0] == "error"
    line = next(line for line in result.stdout.splitlines() if line.startswith("error"))
    assert "One frame, two diagnoses" in line and "1 pair" in line and "copy = phantom-0001" in line


def test_json_is_all_of_stdout_and_has_every_example(program: Program, trapped: Path) -> None:
    result = program("data", "check", trapped, "--no-reading", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (told["dataset"], told["folder"], told["files"]) == ("folder", "scans", [])
    assert all(finding["examples"] for finding in told["findings"] if finding["severity"] == "error")
    assert told["leak"]["own"]["held_out"] == 0


def test_a_page_and_its_values_are_written_once(program: Program, trapped: Path, tmp_path: Path) -> None:
    result = program("data", "check", trapped, "--no-reading", "-o", tmp_path / "out")
    assert result.exit_code == 1 and str(tmp_path / "out" / "check.html") in result.stdout
    assert json.loads((tmp_path / "out" / "check.json").read_text())["verdict"] in result.stdout
    again = program("data", "check", trapped, "--no-reading", "-o", tmp_path / "out")
    assert again.exit_code == 2 and "exists already" in again.stderr and again.stdout == ""


def test_damaged_files_among_many_are_named_and_the_others_checked(program: Program, tmp_path: Path) -> None:
    program("data", "phantom", tmp_path / "fifty", "--count", 50)
    for number in (7, 20, 33):
        (tmp_path / "fifty" / "images" / f"phantom-{number:04d}.png").write_bytes(b"\x89PNG half a file")
    result = program("data", "check", tmp_path / "fifty", "--no-reading")
    line = next(line for line in result.stdout.splitlines() if "cannot be read" in line)
    assert result.exit_code == 1
    assert "3 images" in line and "phantom-0007, phantom-0020, phantom-0033" in line
    assert "50 images" in result.stdout and "3 unreadable" in result.stdout
    assert "mend or remove the 3 unreadable" in result.stdout


def test_no_folder_is_answered(program: Program) -> None:
    for words in ([], ["--dataset", "folder"]):
        result = program("data", "check", *words)
        assert result.exit_code == 2 and "no folder was given" in result.stderr


def test_the_phantom_needs_no_folder(program: Program) -> None:
    result = program("data", "check", "--dataset", "phantom", "--no-reading", "--json")
    assert result.exit_code == 0 and json.loads(result.stdout)["counts"]["images"] == 120


def test_a_level_too_high_names_the_right_folder(program: Program, scans: Path) -> None:
    result = program("data", "check", scans.parent)
    assert result.exit_code == 2 and f"the right folder is probably {scans}" in result.stderr.splitlines()[0]


def test_a_level_too_low_names_the_right_folder(program: Program, scans: Path) -> None:
    result = program("data", "check", scans / "images")
    assert result.exit_code == 2 and f"the right folder is probably {scans}" in result.stderr.splitlines()[0]


def test_an_empty_folder_is_answered(program: Program, tmp_path: Path) -> None:
    result = program("data", "check", tmp_path)
    assert result.exit_code == 2 and "is empty; was the download or the copy finished" in result.stderr


def test_a_folder_of_another_kind_shows_what_is_expected(program: Program, tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear colleague")
    result = program("data", "check", tmp_path)
    assert result.exit_code == 2
    assert "is not the folder of a data set" in result.stderr and "images/X.png" in result.stderr


def test_a_file_and_a_missing_folder_are_answered(program: Program, scans: Path) -> None:
    assert "is a file, expected a folder" in program("data", "check", scans / "cases.csv").stderr
    assert "did you mean" in program("data", "check", scans.parent / "scan").stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_rights_that_lack_are_told(program: Program, scans: Path) -> None:
    picture = scans / "images" / "phantom-0003.png"
    picture.chmod(0)
    result = program("data", "check", scans, "--no-reading")
    assert result.exit_code == 1 and "phantom-0003" in result.stdout
    scans.chmod(0)
    result = program("data", "check", scans)
    scans.chmod(0o700)
    assert result.exit_code == 2 and "may not be read by this user" in result.stderr


@pytest.mark.slow
def test_the_traps_of_the_real_ultrasound_set_are_found(program: Program, real_data: Path) -> None:
    if "busi" not in [item.name for item in registry.components("datasets")]:
        pytest.skip("the plug-in monai-tumor-busi is not installed")
    told = json.loads(
        program("data", "check", real_data / "busi", "--dataset", "busi", "--no-reading", "--json").stdout
    )
    found = {finding["kind"]: finding for finding in told["findings"]}
    assert (found["labels_contradict"]["count"], found["near_duplicates"]["count"]) == (11, 69)
    assert found["labels_contradict"]["examples"][0]["cases"] == ["benign (433)", "malignant (145)"]
    disagreeing = {tuple(example["cases"]) for example in found["masks_contradict"]["examples"]}
    assert {("malignant (18)", "malignant (116)"), ("benign (4)", "benign (321)")} <= disagreeing
    assert told["leak"]["random"]["first_seed"]["held_out"] == 27 and told["leak"]["own"]["held_out"] == 0
    assert found["mask_alpha"]["count"] == 2
