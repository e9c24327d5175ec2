"""DICOM SEG: every kind of source, read back by highdicom and by pydicom alone, and copies of nothing but the study."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from monai_tumor.clinical.dicom_image import read_dicom_image
from monai_tumor.clinical.dicom_series import read_dicom_series
from monai_tumor.clinical.find import find_inputs
from monai_tumor.clinical.nifti import read_nifti
from monai_tumor.clinical.out_findings import FINDINGS, Algorithm
from monai_tumor.clinical.out_segmentation import write_segmentation
from monai_tumor.clinical.read import read_source
from monai_tumor.clinical.source import SourceImage
from monai_tumor.errors import WrongCallError, WrongDataError

highdicom = pytest.importorskip("highdicom")

PLANTED = "Plantagenet"
MODEL = Algorithm("breast", "0.3.1", "5e" * 32)
LESION = [FINDINGS["breast lesion"]]
PARTS = [FINDINGS["enhancing tumour"], FINDINGS["oedema"]]
SPACE = "1.2.826.0.1.3680043.8.498.7"
Write = Callable[..., Path]


@pytest.fixture
def series(tmp_path: Path, write_series, block: np.ndarray) -> SourceImage:
    one_study = {"FrameOfReferenceUID": SPACE, "StudyInstanceUID": f"{SPACE}.1"}
    return read_dicom_series(write_series(tmp_path / "in", block, **one_study), "scan")


@pytest.fixture
def cine(tmp_path: Path, write_dicom: Write) -> SourceImage:
    return read_dicom_image(write_dicom(tmp_path / "cine.dcm", np.zeros((5, 6, 8, 3), np.uint8)), "cine")


@pytest.fixture
def still(tmp_path: Path, write_dicom: Write, ramp: np.ndarray) -> SourceImage:
    return read_dicom_image(write_dicom(tmp_path / "still.dcm", ramp), "still")


def enhanced(planes: int, spacing_mm: float) -> dict[str, object]:
    """Return the elements of an enhanced MR image whose frames are stored from the head downward."""
    shared, per_frame = Dataset(), []
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [Dataset()], [Dataset()]
    shared.PixelMeasuresSequence[0].PixelSpacing, shared.PixelMeasuresSequence[0].SliceThickness = [0.5, 0.75], 3
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    for index in range(planes):
        item = Dataset()
        item.PlanePositionSequence = [Dataset()]
        item.PlanePositionSequence[0].ImagePositionPatient = [-10, -20, -spacing_mm * index]
        per_frame.append(item)
    return {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4.1",
        "Modality": "MR",
        "FrameOfReferenceUID": SPACE,
        "SharedFunctionalGroupsSequence": [shared],
        "PerFrameFunctionalGroupsSequence": per_frame,
    }


def drawn(source: SourceImage, labels: int = 1) -> np.ndarray:
    """A mask without symmetry, empty in the last frame of several."""
    mask = np.zeros((source.frames, source.rows, source.columns), np.uint8)
    mask[0, 0, :3] = 1
    mask[source.frames // 2, 2:5, -2:] = labels
    return mask


def by_highdicom(path: Path, source: SourceImage, segments: int = 1) -> np.ndarray:
    """Return (frames, rows, columns, segments) in the order of the source's frames."""
    read, origin = highdicom.seg.segread(path), source.origin
    options = {"assert_missing_frames_are_empty": True, "segment_numbers": range(1, segments + 1)}
    if origin.frame_numbers:
        return read.get_pixels_by_source_frame(
            origin.instance_uids[0], list(origin.frame_numbers), ignore_spatial_locations=True, **options
        )
    return read.get_pixels_by_source_instance(list(origin.instance_uids), ignore_spatial_locations=True, **options)


def by_pydicom(path: Path, source: SourceImage, segments: int = 1) -> np.ndarray:
    """Return the same from what each frame says of itself."""
    read, origin = pydicom.dcmread(path), source.origin
    found = np.zeros((source.frames, source.rows, source.columns, segments), np.uint8)
    pixels = read.pixel_array.reshape(-1, source.rows, source.columns)
    for frame, own in zip(pixels, read.PerFrameFunctionalGroupsSequence, strict=True):
        image = own.DerivationImageSequence[0].SourceImageSequence[0]
        if origin.frame_numbers:
            place = origin.frame_numbers.index(int(image.ReferencedFrameNumber))
        else:
            place = origin.instance_uids.index(image.ReferencedSOPInstanceUID)
        found[place, :, :, own.SegmentIdentificationSequence[0].ReferencedSegmentNumber - 1] = frame
    return found


def assert_read_back(path: Path, source: SourceImage, mask: np.ndarray, segments: int = 1) -> None:
    expected = np.stack([mask == number for number in range(1, segments + 1)], axis=-1)
    assert np.array_equal(by_highdicom(path, source, segments), expected)
    assert np.array_equal(by_pydicom(path, source, segments), expected)


def assert_in_place(path: Path, source: SourceImage, mask: np.ndarray) -> None:
    """The marked pixels lie where they were drawn, by the positions that the SEG itself states."""
    read = pydicom.dcmread(path)
    shared = read.SharedFunctionalGroupsSequence[0]
    rows_mm, columns_mm = shared.PixelMeasuresSequence[0].PixelSpacing
    directions = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float)
    found = []
    for frame, own in zip(
        read.pixel_array.reshape(-1, *mask.shape[1:]), read.PerFrameFunctionalGroupsSequence, strict=True
    ):
        first = np.array(own.PlanePositionSequence[0].ImagePositionPatient, float)
        rows, columns = np.nonzero(frame)
        place = first + np.outer(columns * columns_mm, directions[:3]) + np.outer(rows * rows_mm, directions[3:])
        found.extend((place * [-1, -1, 1]).round(4).tolist())
    assert source.geometry.affine is not None
    expected = np.argwhere(mask) @ source.geometry.affine[:3, :3].T + source.geometry.affine[:3, 3]
    assert np.abs(np.array(sorted(found)) - sorted(expected.round(4).tolist())).max() < 1e-3
    volume = highdicom.seg.segread(path).get_volume(combine_segments=True)
    by_volume = np.argwhere(volume.array) @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    assert np.abs(np.array(sorted((by_volume * [-1, -1, 1]).round(4).tolist())) - sorted(found)).max() < 1e-3


def test_a_series_whatever_its_numbers(tmp_path: Path, series: SourceImage) -> None:
    mask = drawn(series)
    write_segmentation(tmp_path / "seg.dcm", mask, series, LESION, MODEL)
    assert_read_back(tmp_path / "seg.dcm", series, mask)
    assert_in_place(tmp_path / "seg.dcm", series, mask)
    assert pydicom.dcmread(tmp_path / "seg.dcm").NumberOfFrames == 2  # empty ones are left out


def test_an_enhanced_image_stored_downward(tmp_path: Path, write_dicom: Write, block: np.ndarray) -> None:
    source = read_dicom_image(write_dicom(tmp_path / "mr.dcm", block, **enhanced(len(block), 3.5)), "mr")
    assert source.origin.frame_numbers == (5, 4, 3, 2, 1)
    mask = drawn(source)
    write_segmentation(tmp_path / "seg.dcm", mask, source, LESION, MODEL)
    assert_read_back(tmp_path / "seg.dcm", source, mask)
    assert_in_place(tmp_path / "seg.dcm", source, mask)


def test_enhanced_images_that_say_everything_per_frame(tmp_path: Path, write_dicom: Write, block: np.ndarray) -> None:
    elements = enhanced(len(block), 3.5)
    (shared,) = elements["SharedFunctionalGroupsSequence"]
    for own in elements["PerFrameFunctionalGroupsSequence"]:
        own.update(shared)
    elements["SharedFunctionalGroupsSequence"] = [Dataset()]
    source = read_dicom_image(write_dicom(tmp_path / "mr.dcm", block, **elements), "mr")
    mask = drawn(source)
    write_segmentation(tmp_path / "seg.dcm", mask, source, LESION, MODEL)
    assert_read_back(tmp_path / "seg.dcm", source, mask)
    assert_in_place(tmp_path / "seg.dcm", source, mask)


def test_slices_may_differ_by_roundings_and_be_wrong_about_their_gaps(tmp_path, write_dicom, block: np.ndarray) -> None:
    one = {"FrameOfReferenceUID": SPACE, "StudyInstanceUID": f"{SPACE}.1", "SeriesInstanceUID": f"{SPACE}.2"}
    paths = []
    for index, plane in enumerate(block):
        tilt = [1, 0.00001 * index, 0, 0, 1, 0]
        place = {
            "ImagePositionPatient": [0, 0, 4 * index],
            "PixelSpacing": [0.5, 0.75],
            "ImageOrientationPatient": tilt,
        }
        gap = {"SpacingBetweenSlices": 1, "SliceThickness": 3, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}
        paths.append(write_dicom(tmp_path / "in" / f"{index}.dcm", plane, **one, **place, **gap))
    source = read_dicom_series(paths, "scan")
    mask = drawn(source)
    write_segmentation(tmp_path / "seg.dcm", mask, source, LESION, MODEL)
    assert_read_back(tmp_path / "seg.dcm", source, mask)
    assert_in_place(tmp_path / "seg.dcm", source, mask)
    (measures,) = pydicom.dcmread(tmp_path / "seg.dcm").SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    assert (measures.SpacingBetweenSlices, measures.SliceThickness) == (4, 3)


def test_a_single_slice_is_placed_where_its_thickness_is_known(tmp_path: Path, write_dicom: Write, ramp) -> None:
    place = {
        "ImagePositionPatient": [1, 2, 3],
        "PixelSpacing": [0.5, 0.75],
        "ImageOrientationPatient": [0, 1, 0, 0, 0, -1],
    }
    for name, thickness in [("thick", {"SliceThickness": 3}), ("unknown", {})]:
        path = write_dicom(tmp_path / f"{name}.dcm", ramp, FrameOfReferenceUID=SPACE, **place, **thickness)
        source = read_dicom_image(path, name)
        write_segmentation(tmp_path / f"{name}_seg.dcm", drawn(source), source, LESION, MODEL)
        assert_read_back(tmp_path / f"{name}_seg.dcm", source, drawn(source))
        assert ("FrameOfReferenceUID" in pydicom.dcmread(tmp_path / f"{name}_seg.dcm")) == bool(thickness)


def test_a_still_without_a_place(tmp_path: Path, still: SourceImage) -> None:
    mask = drawn(still)
    write_segmentation(tmp_path / "seg.dcm", mask, still, LESION, MODEL)
    assert_read_back(tmp_path / "seg.dcm", still, mask)
    read = pydicom.dcmread(tmp_path / "seg.dcm")
    assert "FrameOfReferenceUID" not in read and "PlanePositionSequence" not in read.PerFrameFunctionalGroupsSequence[0]


def test_a_cine_names_its_frames(tmp_path: Path, cine: SourceImage) -> None:
    mask = drawn(cine, 2)
    write_segmentation(tmp_path / "seg.dcm", mask, cine, PARTS, MODEL)
    assert_read_back(tmp_path / "seg.dcm", cine, mask, 2)
    read = pydicom.dcmread(tmp_path / "seg.dcm")
    frames = [own.FrameContentSequence[0] for own in read.PerFrameFunctionalGroupsSequence]
    assert [list(one.DimensionIndexValues) for one in frames] == [[1, 1], [2, 3]]
    classes = {str(one.value) for one in read.iterall() if one.keyword == "ReferencedSOPClassUID"}
    assert classes == {"1.2.840.10008.5.1.4.1.1.3.1"}


@pytest.mark.parametrize("kind", ["series", "cine", "still"])
def test_nothing_found_is_a_result(tmp_path: Path, request, kind: str) -> None:
    source = request.getfixturevalue(kind)
    nothing = np.zeros((source.frames, source.rows, source.columns), bool)
    write_segmentation(tmp_path / "seg.dcm", nothing, source, LESION, MODEL)
    assert_read_back(tmp_path / "seg.dcm", source, nothing)
    assert pydicom.dcmread(tmp_path / "seg.dcm").NumberOfFrames == source.frames


@pytest.mark.parametrize("kind", ["series", "cine", "still"])
def test_two_findings_of_which_one_may_be_absent(tmp_path: Path, request, kind: str) -> None:
    source = request.getfixturevalue(kind)
    for name, labels in [("both", 2), ("one", 1)]:
        mask = drawn(source, labels)
        write_segmentation(tmp_path / f"{name}.dcm", mask, source, PARTS, MODEL)
        assert_read_back(tmp_path / f"{name}.dcm", source, mask, 2)


def test_finding_organ_and_model_are_coded(tmp_path: Path, cine: SourceImage) -> None:
    write_segmentation(tmp_path / "seg.dcm", drawn(cine), cine, LESION, MODEL)
    read = pydicom.dcmread(tmp_path / "seg.dcm")
    (segment,) = read.SegmentSequence
    assert segment.SegmentedPropertyTypeCodeSequence[0].CodeValue == "52988006"
    assert segment.AnatomicRegionSequence[0].CodeValue == "76752008"
    made_by = segment.SegmentationAlgorithmIdentificationSequence[0]
    assert (made_by.AlgorithmName, made_by.AlgorithmVersion) == ("breast", "0.3.1")
    assert made_by.AlgorithmParameters == f"weights_sha256={'5e' * 32}" and read.DeviceSerialNumber == "5e" * 32


def test_codes_are_those_of_the_dictionary() -> None:
    from pydicom.sr.codedict import codes

    for finding in FINDINGS.values():
        for code in (finding.what, finding.site):
            scheme = getattr(codes, code.scheme)
            known = {(one.value, one.meaning.lower()) for one in (getattr(scheme, name) for name in scheme.dir())}
            assert (code.value, code.meaning.lower()) in known


def test_the_same_result_is_the_same_object(tmp_path: Path, cine: SourceImage) -> None:
    other = drawn(cine)
    other[0, 0, 0] = 0
    uids = []
    for index, (mask, model) in enumerate(
        [
            (drawn(cine), MODEL),
            (drawn(cine), MODEL),
            (other, MODEL),
            (drawn(cine), Algorithm("breast", "0.3.1", "6" * 64)),
        ]
    ):
        write_segmentation(tmp_path / f"{index}.dcm", mask, cine, LESION, model)
        read = pydicom.dcmread(tmp_path / f"{index}.dcm")
        uids.append((read.SOPInstanceUID, read.SeriesInstanceUID, read.SegmentSequence[0].TrackingUID))
    assert uids[0] == uids[1] and len(set(uids)) == 3 and len({uid for three in uids for uid in three}) == 9


def test_patient_and_study_are_copied_and_nothing_else(tmp_path: Path, series: SourceImage) -> None:
    write_segmentation(tmp_path / "seg.dcm", drawn(series), series, LESION, MODEL)
    read, before = pydicom.dcmread(tmp_path / "seg.dcm"), pydicom.dcmread(series.origin.paths[0])
    assert read.StudyInstanceUID == before.StudyInstanceUID and read.SeriesInstanceUID != before.SeriesInstanceUID
    holding = {one.keyword for one in read.iterall() if PLANTED in str(one.value)}
    study = {"AccessionNumber", "ReferringPhysicianName", "StudyID", "StudyDescription"}
    assert holding == {"PatientName", "PatientID", *study}  # and no comments, operators, stations, serial numbers


def test_headers_that_break_the_rules_are_mended(tmp_path: Path, write_dicom: Write, ramp: np.ndarray) -> None:
    names = {"PatientName": "Müller^Jürgen", "SpecificCharacterSet": "ISO_IR 100"}
    wrong: dict[str, Any] = {
        "StudyTime": "094836.214743984",
        "StudyDate": "20261341",
        "PatientSex": "W",
        "StudyID": None,
    }
    path = write_dicom(tmp_path / "x.dcm", ramp, **names, **wrong)
    source = read_dicom_image(path, "x")
    write_segmentation(tmp_path / "seg.dcm", drawn(source), source, LESION, MODEL)
    read = pydicom.dcmread(tmp_path / "seg.dcm")
    assert str(read.PatientName) == "Müller^Jürgen" and read.StudyTime == "094836.214743"
    assert (read.StudyDate, read.PatientSex, read.StudyID) == ("", "", "")


def test_what_cannot_be_is_refused_in_one_line(tmp_path: Path, write_dicom: Write, write_series, block, caplog) -> None:
    lost = read_dicom_series(write_series(tmp_path / "lost", block), "lost")
    nowhere = read_dicom_image(
        write_dicom(tmp_path / "nowhere.dcm", block, SOPClassUID="1.2.840.10008.5.1.4.1.1.4.1", Modality="MR"),
        "nowhere",
    )
    broken = read_dicom_image(write_dicom(tmp_path / "broken.dcm", block[0], StudyInstanceUID=None), "broken")
    one_space = {"FrameOfReferenceUID": SPACE}  # and a study for each slice
    mixed = read_dicom_series(write_series(tmp_path / "mixed", block, **one_space), "mixed")
    caplog.set_level(logging.DEBUG)
    for source, words in [
        (lost, "lost states no Frame of Reference, so a DICOM SEG cannot place its slices; write NIfTI instead"),
        (nowhere, "nowhere states no places of its frames, which a DICOM SEG needs; write NIfTI or PNG"),
        (broken, "broken lacks StudyInstanceUID, which a DICOM result refers to; write NIfTI or PNG"),
        (mixed, r"mixed: no DICOM SEG can be made of it \(ValueError\); write NIfTI or PNG instead"),
    ]:
        with pytest.raises(WrongDataError, match=f"^{words}$"):
            write_segmentation(tmp_path / "seg.dcm", drawn(source), source, LESION, MODEL)
    assert PLANTED not in caplog.text and not (tmp_path / "seg.dcm").exists()


def test_names_that_libraries_complain_about_stay_unsaid(
    tmp_path: Path, write_dicom: Write, ramp, caplog, recwarn
) -> None:
    odd = "=".join([PLANTED] * 5)
    source = read_dicom_image(write_dicom(tmp_path / "x.dcm", ramp, PatientName=odd), "x")
    caplog.set_level(logging.DEBUG)
    recwarn.clear()
    write_segmentation(tmp_path / "seg.dcm", drawn(source), source, LESION, MODEL)
    assert PLANTED not in caplog.text and not [one for one in recwarn if PLANTED in str(one.message)]


def test_the_source_must_still_be_there_and_the_same(tmp_path: Path, still: SourceImage, write_dicom, ramp) -> None:
    write_dicom(still.origin.paths[0], ramp, SOPInstanceUID=generate_uid())
    with pytest.raises(WrongDataError, match="still was replaced since it was read; read it again"):
        write_segmentation(tmp_path / "seg.dcm", drawn(still), still, LESION, MODEL)
    still.origin.paths[0].unlink()
    with pytest.raises(WrongDataError, match="still is gone since it was read"):
        write_segmentation(tmp_path / "seg.dcm", drawn(still), still, LESION, MODEL)


def test_calls_that_cannot_be_right(tmp_path: Path, still: SourceImage, write_nifti: Write, monkeypatch) -> None:
    volume = read_nifti(write_nifti(tmp_path / "x.nii", np.zeros((6, 8, 4), np.int16), np.eye(4)), "x")
    with pytest.raises(WrongCallError, match="x is no DICOM image, and DICOM results need one; write NIfTI or PNG"):
        write_segmentation(tmp_path / "seg.dcm", drawn(volume), volume, LESION, MODEL)
    with pytest.raises(WrongCallError, match="holds values from 0 to 2, expected 0 to 1"):
        write_segmentation(tmp_path / "seg.dcm", drawn(still, 2), still, LESION, MODEL)
    with pytest.raises(WrongCallError, match="no finding is named for the mask of still"):
        write_segmentation(tmp_path / "seg.dcm", drawn(still), still, [], MODEL)
    write_segmentation(tmp_path / "seg.dcm", drawn(still), still, LESION, MODEL)
    with pytest.raises(WrongCallError, match="exists already"):
        write_segmentation(tmp_path / "seg.dcm", drawn(still), still, LESION, MODEL)
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(WrongCallError, match=r"needs highdicom, .* pip install 'monai-tumor\[dicom\]'"):
        write_segmentation(tmp_path / "other.dcm", drawn(still), still, LESION, MODEL)


@pytest.mark.parametrize(
    "name",
    [
        "phantom/mr_series",
        "phantom/us_cine.dcm",
        "us/examples_ybr_color.dcm",
        "us/examples_palette.dcm",
        "us/JPGLosslessP14SV1_1s_1f_8b.dcm",
        "seg/23x38x3/mf.dcm",
        "mr/MR_small.dcm",
        "other/CT_small.dcm",
    ],
)
def test_samples_of_every_kind(tmp_path: Path, real_data: Path, name: str) -> None:
    if not (real_data / "dicom" / name).exists():
        pytest.skip("no DICOM samples in the folder of real data")
    (item,) = find_inputs([real_data / "dicom" / name])
    source = read_source(item)
    mask = drawn(source, 2)
    write_segmentation(tmp_path / "seg.dcm", mask, source, PARTS, MODEL)
    assert_read_back(tmp_path / "seg.dcm", source, mask, 2)
