"""``monai-tumor predict`` on clinical files: masks in the geometry of each, bad files named, nothing of the patient told."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from click.testing import CliRunner, Result

from monai_tumor.cli.main import main

PLANTED = "Plantagenet"  # in every free text of the files that the fixtures write


def predict(run: Path, out: Path, *words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in ("predict", *words, "--bundle", run, "--output", out)])


def results(out: Path) -> dict[str, dict]:
    return {entry["image"]: entry for entry in json.loads((out / "predictions.json").read_text())}


@pytest.fixture
def volume() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 1000, (3, 40, 56)).astype(np.int16)


def test_a_nifti_volume_gives_a_nifti_mask_on_its_own_grid(trained_run, write_nifti, volume, tmp_path):
    affine = np.array([[0.0, -2.0, 0.1, 9.0], [1.5, 0.0, 0.0, -4.0], [0.0, 0.2, 4.0, 7.0], [0.0, 0.0, 0.0, 1.0]])
    path = write_nifti(tmp_path / "scan.nii.gz", volume.transpose(2, 1, 0), affine)
    result = predict(trained_run, tmp_path / "out", path)
    assert result.exit_code == 0, result.output
    found = results(tmp_path / "out")["scan"]
    mask, source = nibabel.load(tmp_path / "out" / found["nifti"]), nibabel.load(path)
    assert mask.shape == source.shape and np.array_equal(mask.affine, source.affine)
    assert (np.asarray(mask.dataobj) > 0).sum() == found["lesion_px"] and found["frames"] == 3
    assert found["lesion"]["unit"] == "mm"
    assert found["lesion"]["volume"] == pytest.approx(found["lesion_px"] * abs(np.linalg.det(affine[:3, :3])), abs=1e-2)
    assert (tmp_path / "out" / found["overlay"]).is_file()


def test_a_series_and_a_still_give_dicom_segs_that_say_whose_they_are_and_nothing_else_does(
    trained_run, write_series, write_dicom, volume, tmp_path
):
    highdicom = pytest.importorskip("highdicom")
    shared = {"FrameOfReferenceUID": "1.2.3.4", "StudyInstanceUID": "1.2.3.5"}
    series = write_series(tmp_path / "in" / "series", volume, **shared)
    write_dicom(tmp_path / "in" / "still.dcm", volume[0].astype(np.uint8))
    out = tmp_path / "out"
    result = predict(trained_run, out, tmp_path / "in")
    assert result.exit_code == 0, result.output
    found = results(out)
    assert len(found) == 2 and len(series) == 3
    for entry in found.values():
        segmentation = highdicom.seg.segread(out / entry["dicom_seg"])
        assert (segmentation.Rows, segmentation.Columns) == (40, 56)
        assert segmentation.pixel_array.sum() == entry["lesion_px"]
    told = result.output + (out / "predictions.json").read_text() + " ".join(map(str, out.rglob("*")))
    assert PLANTED not in told


def test_one_file_may_have_several_formats(trained_run, write_dicom, volume, tmp_path):
    pytest.importorskip("highdicom")
    path = write_dicom(tmp_path / "still.dcm", volume[0].astype(np.uint8))
    result = predict(trained_run, tmp_path / "out", path, "--format", "dicom-sr,png,nifti,dicom-seg")
    assert result.exit_code == 0, result.output
    found = results(tmp_path / "out")["still"]
    files = {"still_mask.png", "still_mask.nii.gz", "still_mask.dcm", "still_report.dcm"}
    assert {found["mask"], found["nifti"], found["dicom_seg"], found["dicom_sr"]} == files
    assert files <= {path.name for path in (tmp_path / "out").iterdir()}
    report = pydicom.dcmread(tmp_path / "out" / "still_report.dcm")
    segmentation = pydicom.dcmread(tmp_path / "out" / "still_mask.dcm")
    assert segmentation.SOPInstanceUID in str(report) and found["lesion"]["unit"] == "px"


def test_a_format_that_cannot_hold_an_input_fails_for_that_input_only(trained_run, write_nifti, volume, tmp_path):
    path = write_nifti(tmp_path / "scan.nii", volume.transpose(2, 1, 0), np.eye(4))
    result = predict(trained_run, tmp_path / "out", path, "--format", "png")
    assert result.exit_code == 1 and "scan has 3 frames, and a PNG holds one; give format nifti" in result.stderr
    result = predict(trained_run, tmp_path / "seg", path, "--format", "dicom-seg")
    assert result.exit_code == 1 and "is no DICOM image" in result.stderr


def test_bad_files_among_good_ones_are_named_and_nothing_else_suffers(trained_run, write_dicom, volume, tmp_path):
    folder = tmp_path / "in"
    good = write_dicom(folder / "good.dcm", volume[0].astype(np.uint8))
    (folder / "cut.dcm").write_bytes(good.read_bytes()[:-500])
    (folder / "empty.png").write_bytes(b"")
    (folder / "$x.png").write_bytes(b"no picture")
    result = predict(trained_run, tmp_path / "out", folder)
    assert result.exit_code == 1, result.output
    found = results(tmp_path / "out")
    assert {name for name, entry in found.items() if "error" in entry} == {"cut", "empty", "./$x"}
    assert (
        sum(line.startswith("failed: ") for line in result.stderr.splitlines()) == 3
        and "Traceback" not in result.output
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [(["--format", "dicom"], "unknown format 'dicom'"), (["--set", "finding=mole"], "unknown finding 'mole'")],
)
def test_a_wrong_call_is_one_line_before_anything_is_read(trained_run, tmp_path, words, told):
    (tmp_path / "a.png").write_bytes(b"x")
    result = predict(trained_run, tmp_path / "out", tmp_path / "a.png", *words)
    assert result.exit_code == 2 and told in result.stderr and not (tmp_path / "out").exists()
