"""DICOM SR: figures read back by highdicom and by pydicom alone, their units, and what they refer to."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from monai_tumor.clinical.dicom_image import read_dicom_image
from monai_tumor.clinical.dicom_series import read_dicom_series
from monai_tumor.clinical.nifti import read_nifti
from monai_tumor.clinical.out_findings import FINDINGS, Algorithm
from monai_tumor.clinical.out_report import MeasuredFinding, write_report_sr
from monai_tumor.clinical.out_segmentation import write_segmentation
from monai_tumor.clinical.source import SourceImage
from monai_tumor.errors import WrongCallError, WrongDataError

highdicom = pytest.importorskip("highdicom")

PLANTED = "Plantagenet"
MODEL = Algorithm("breast", "0.3.1", "5e" * 32)
LESION = FINDINGS["breast lesion"]
SPACE = "1.2.826.0.1.3680043.8.498.7"
Write = Callable[..., Path]


@pytest.fixture
def series(tmp_path: Path, write_series, block: np.ndarray) -> SourceImage:
    one_study = {"FrameOfReferenceUID": SPACE, "StudyInstanceUID": f"{SPACE}.1"}
    return read_dicom_series(write_series(tmp_path / "in", block, **one_study), "scan")


@pytest.fixture
def cine(tmp_path: Path, write_dicom: Write, regions) -> SourceImage:
    box = regions((0, 0, 7, 5, 0.02, 0.03))
    path = write_dicom(tmp_path / "cine.dcm", np.zeros((5, 6, 8, 3), np.uint8), SequenceOfUltrasoundRegions=box)
    return read_dicom_image(path, "cine")


def outlined(path: Path, source: SourceImage, *frames: int) -> Path:
    mask = np.zeros((source.frames, source.rows, source.columns), np.uint8)
    mask[list(frames), 1:4, 2:4] = 1
    write_segmentation(path, mask, source, [LESION], MODEL)
    return path


def figures(group: Any) -> dict[str, tuple[float, str]]:
    return {one.name.meaning: (float(one.value), one.unit.value) for one in group.get_measurements()}


def by_pydicom(path: Path) -> dict[str, tuple[float, str]]:
    """Return name, value and unit of every number in the tree."""
    found = {}
    for item in pydicom.dcmread(path).iterall():
        if item.keyword == "MeasuredValueSequence":
            continue
        if item.keyword == "ContentSequence":
            for one in item.value:
                if one.ValueType == "NUM":
                    (value,) = one.MeasuredValueSequence
                    unit = value.MeasurementUnitsCodeSequence[0].CodeValue
                    found[one.ConceptNameCodeSequence[0].CodeMeaning] = (float(value.NumericValue), unit)
    return found


def test_a_volume_and_its_segment(tmp_path: Path, series: SourceImage) -> None:
    seg = outlined(tmp_path / "seg.dcm", series, 1, 2)
    measured = MeasuredFinding(
        LESION, "mm", volume=2715.3333333333, longest_diameter=18.4, short_axis=12.1, probability=0.875
    )
    write_report_sr(tmp_path / "sr.dcm", [measured], series, MODEL, seg)
    report, segment = highdicom.sr.srread(tmp_path / "sr.dcm"), pydicom.dcmread(seg).SegmentSequence[0]
    (group,) = report.content.get_volumetric_roi_measurement_groups(tracking_uid=segment.TrackingUID)
    expected = {
        "Volume": (2715.33, "mm3"),
        "Long axis": (18.4, "mm"),
        "Short axis": (12.1, "mm"),
        "Certainty of Finding": (87.5, "%"),
    }
    assert figures(group) == expected == by_pydicom(tmp_path / "sr.dcm")
    assert group.tracking_identifier == segment.TrackingID
    assert group.finding_sites[0].value.meaning == "Breast" and group.finding_type.meaning == "Lesion"
    (reference,) = group.referenced_segment[0].ReferencedSOPSequence
    assert reference.ReferencedSOPInstanceUID == pydicom.dcmread(seg).SOPInstanceUID
    assert (report.VerificationFlag, report.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")


def test_frames_of_a_cine_and_frames_of_its_outline(tmp_path: Path, cine: SourceImage) -> None:
    seg = outlined(tmp_path / "seg.dcm", cine, 1, 3)
    measured = [
        MeasuredFinding(LESION, "mm", area=0.36, longest_diameter=0.98, frame=3),
        MeasuredFinding(LESION, "mm", area=0, frame=4),
    ]
    write_report_sr(tmp_path / "sr.dcm", measured, cine, MODEL, seg)
    report = highdicom.sr.srread(tmp_path / "sr.dcm").content
    (seen,) = report.get_planar_roi_measurement_groups()
    own, source = (item.ReferencedSOPSequence[0] for item in seen.referenced_segmentation_frame)
    assert (own.ReferencedFrameNumber, source.ReferencedFrameNumber) == (2, 4)  # the second of two, the fourth of five
    (empty,) = report.get_image_measurement_groups()
    assert figures(empty) == {"Area": (0, "mm2")}
    assert empty.source_images[0].ReferencedSOPSequence[0].ReferencedFrameNumber == 5


def test_a_slice_of_a_series(tmp_path: Path, series: SourceImage) -> None:
    seg = outlined(tmp_path / "seg.dcm", series, 1, 2)
    write_report_sr(tmp_path / "sr.dcm", [MeasuredFinding(LESION, "mm", area=2.25, frame=2)], series, MODEL, seg)
    (group,) = highdicom.sr.srread(tmp_path / "sr.dcm").content.get_planar_roi_measurement_groups()
    _, source = (item.ReferencedSOPSequence[0] for item in group.referenced_segmentation_frame)
    assert source.ReferencedSOPInstanceUID == series.origin.instance_uids[2]


def test_without_a_spacing_the_figures_are_pixels(tmp_path: Path, write_dicom: Write, ramp: np.ndarray) -> None:
    still = read_dicom_image(write_dicom(tmp_path / "x.dcm", ramp), "x")
    measured = MeasuredFinding(LESION, area=12, longest_diameter=5, short_axis=4.8, probability_of_cancer=0.25)
    write_report_sr(tmp_path / "sr.dcm", [measured], still, MODEL)
    assert by_pydicom(tmp_path / "sr.dcm") == {
        "Area": (12, "{pixels}"),
        "Long axis": (5, "{pixels}"),
        "Short axis": (4.8, "{pixels}"),
        "Probability of cancer": (25, "%"),
    }
    with pytest.raises(WrongCallError, match="a measurement of x is in mm, but the file states no spacing"):
        write_report_sr(tmp_path / "mm.dcm", [MeasuredFinding(LESION, "mm", area=12)], still, MODEL)


def test_a_volume_without_an_outline_refers_to_its_images(tmp_path: Path, series: SourceImage) -> None:
    write_report_sr(tmp_path / "sr.dcm", [MeasuredFinding(LESION, "mm", volume=0)], series, MODEL)
    (group,) = highdicom.sr.srread(tmp_path / "sr.dcm").content.get_image_measurement_groups()
    named = [one.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for one in group.source_images]
    assert named == list(series.origin.instance_uids)


def test_the_same_report_is_the_same_object_and_names_no_more_than_the_study(tmp_path: Path, cine: SourceImage) -> None:
    for name, area in [("one", 3), ("two", 3), ("other", 4)]:
        write_report_sr(tmp_path / f"{name}.dcm", [MeasuredFinding(LESION, area=area, frame=0)], cine, MODEL)
    one, two, other = (pydicom.dcmread(tmp_path / f"{name}.dcm") for name in ("one", "two", "other"))
    assert one.SOPInstanceUID == two.SOPInstanceUID != other.SOPInstanceUID
    holding = {item.keyword for item in one.iterall() if PLANTED in str(item.value)}
    study = {"AccessionNumber", "ReferringPhysicianName", "StudyID", "StudyDescription"}
    assert holding == {"PatientName", "PatientID", *study}


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        (MeasuredFinding(LESION), "has no figure; give its area or volume"),
        (MeasuredFinding(LESION, "cm", area=1), "has unit 'cm', expected mm or px"),
        (MeasuredFinding(LESION, area=-1), "has area -1, expected a number from 0"),
        (MeasuredFinding(LESION, area=float("nan")), "has area nan"),
        (MeasuredFinding(LESION, area=1, probability=1.5), "has probability 1.5, expected a number from 0 to 1"),
        (MeasuredFinding(LESION, area=1, frame=5), "is of frame 5, expected 0 to 4"),
        (MeasuredFinding(LESION, area=1, frame=0, segment=2), "segment 2 is asked of seg.dcm, expected 1 to 1"),
    ],
)
def test_figures_that_cannot_be(tmp_path: Path, cine: SourceImage, measured: MeasuredFinding, words: str) -> None:
    seg = outlined(tmp_path / "seg.dcm", cine, 0)
    with pytest.raises(WrongCallError, match=words):
        write_report_sr(tmp_path / "sr.dcm", [measured], cine, MODEL, seg)
    assert not (tmp_path / "sr.dcm").exists()


def test_calls_that_cannot_be_right(tmp_path: Path, cine, series, write_nifti: Write, monkeypatch) -> None:
    one = MeasuredFinding(LESION, area=3, frame=0)
    seg = outlined(tmp_path / "seg.dcm", cine, 0)
    with pytest.raises(WrongDataError, match=r"seg.dcm was made from another image than scan"):
        write_report_sr(tmp_path / "sr.dcm", [one], series, MODEL, seg)
    with pytest.raises(WrongDataError, match=r"cine.dcm is no DICOM SEG"):
        write_report_sr(tmp_path / "sr.dcm", [one], cine, MODEL, cine.origin.paths[0])
    volume = read_nifti(write_nifti(tmp_path / "x.nii", np.zeros((6, 8, 4), np.int16), np.eye(4)), "x")
    with pytest.raises(WrongCallError, match="x is no DICOM image"):
        write_report_sr(tmp_path / "sr.dcm", [one], volume, MODEL)
    with pytest.raises(WrongCallError, match="there is nothing to report of cine"):
        write_report_sr(tmp_path / "sr.dcm", [], cine, MODEL)
    with pytest.raises(WrongCallError, match="exists already"):
        write_report_sr(seg, [one], cine, MODEL)
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(WrongCallError, match=r"needs highdicom, .* pip install 'monai-tumor\[dicom\]'"):
        write_report_sr(tmp_path / "sr.dcm", [one], cine, MODEL)
