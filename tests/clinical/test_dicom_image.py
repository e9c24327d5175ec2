"""Single files: pixels as they are meant, geometry as it is stated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from monai_tumor.clinical.dicom_image import read_dicom_image
from monai_tumor.clinical.limits import Limits
from monai_tumor.clinical.source import Box, ImageKind
from monai_tumor.errors import WrongDataError

Write = Callable[..., Path]
ENHANCED = "1.2.840.10008.5.1.4.1.1.4.1"


def refusal(path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(WrongDataError) as caught:
        read_dicom_image(path, "scan", limits or Limits())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_still_is_read_as_it_is(tmp_path: Path, write_dicom: Write, ramp: np.ndarray) -> None:
    image = read_dicom_image(write_dicom(tmp_path / "x", ramp), "scan")
    assert np.array_equal(image.frame(0), ramp) and image.kind is ImageKind.PICTURE and image.modality == "US"
    assert image.geometry.spacing_mm is None and image.geometry.affine is None and image.burned_in_possible


def test_a_cine_has_its_frames_first(tmp_path: Path, write_dicom: Write) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (4, 6, 8, 3)).astype(np.uint8)
    image = read_dicom_image(write_dicom(tmp_path / "x", frames, BurnedInAnnotation="NO"), "scan")
    assert image.kind is ImageKind.FRAMES and np.array_equal(image.stack, frames) and not image.burned_in_possible
    assert image.origin.frame_numbers == (1, 2, 3, 4)


def test_colours_in_planes_are_interleaved(tmp_path: Path, write_dicom: Write) -> None:
    colour = np.random.default_rng(1).integers(0, 255, (6, 8, 3)).astype(np.uint8)
    planes = np.ascontiguousarray(colour.transpose(2, 0, 1)).tobytes()
    path = write_dicom(tmp_path / "x", colour, PlanarConfiguration=1, PixelData=planes)
    assert np.array_equal(read_dicom_image(path, "scan").frame(0), colour)


def test_ybr_becomes_rgb(tmp_path: Path, write_dicom: Write) -> None:
    red = np.full((6, 8, 3), (76, 85, 255), np.uint8)
    image = read_dicom_image(write_dicom(tmp_path / "x", red, PhotometricInterpretation="YBR_FULL"), "scan")
    assert np.abs(image.frame(0).astype(int) - (254, 0, 0)).max() <= 1


def test_a_palette_becomes_colours(tmp_path: Path, write_dicom: Write) -> None:
    indices = np.array([[0, 1, 2, 3]] * 2, np.uint8)
    tables = {}
    for name, levels in (("Red", [0, 255, 0, 9]), ("Green", [0, 0, 255, 9]), ("Blue", [7, 0, 0, 9])):
        tables[f"{name}PaletteColorLookupTableDescriptor"] = [4, 0, 16]
        tables[f"{name}PaletteColorLookupTableData"] = (np.array(levels, "<u2") << 8).tobytes()
    path = write_dicom(tmp_path / "x", indices, PhotometricInterpretation="PALETTE COLOR", **tables)
    assert read_dicom_image(path, "scan").frame(0)[1].tolist() == [[0, 0, 7], [255, 0, 0], [0, 255, 0], [9, 9, 9]]


def test_monochrome1_is_inverted_and_keeps_its_values(tmp_path: Path, write_dicom: Write) -> None:
    stored = np.array([[0, 100, 4095]] * 2, np.uint16)
    path = write_dicom(tmp_path / "x", stored, PhotometricInterpretation="MONOCHROME1", BitsStored=12, HighBit=11)
    image = read_dicom_image(path, "scan")
    assert image.frame(0)[0].tolist() == [4095, 3995, 0] and image.values(0)[0].tolist() == [0, 100, 4095]


def test_signed_and_rescaled_values(tmp_path: Path, write_dicom: Write) -> None:
    stored = np.array([[-1000, 0, 3000]] * 2, np.int16)
    image = read_dicom_image(write_dicom(tmp_path / "x", stored, RescaleSlope="2", RescaleIntercept="-24"), "scan")
    assert image.dtype == np.uint16 and image.values(0)[0].tolist() == [-2024, -24, 5976]


def test_bits_above_those_stored_are_dropped(tmp_path: Path, write_dicom: Write) -> None:
    stored = np.array([[0x8001, 0x0FFF]] * 2, np.uint16)
    image = read_dicom_image(write_dicom(tmp_path / "x", stored, BitsStored=12, HighBit=11), "scan")
    assert image.frame(0)[0].tolist() == [1, 4095]


def test_a_modality_table_is_applied(tmp_path: Path, write_dicom: Write) -> None:
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [4, 0, 16], np.array([10, 20, 40, 80], "<u2").tobytes()
    path = write_dicom(tmp_path / "x", np.array([[0, 1, 2, 3]] * 2, np.uint8), ModalityLUTSequence=Sequence([table]))
    dataset = pydicom.dcmread(path)
    dataset.ModalityLUTSequence[0]["LUTData"].VR = "OW"
    dataset.save_as(path)
    assert read_dicom_image(path, "scan").values(0)[0].tolist() == [10, 20, 40, 80]


def test_one_region_gives_millimetres_and_the_crop(
    tmp_path: Path, write_dicom: Write, regions, ramp: np.ndarray
) -> None:
    strip = (
        0,
        4,
        7,
        5,
        0.1,
        -0.2,
    )
    path = write_dicom(tmp_path / "x", ramp, SequenceOfUltrasoundRegions=regions((1, 0, 6, 3, -0.0125, 0.01)))
    dataset = pydicom.dcmread(path)
    dataset.SequenceOfUltrasoundRegions.append(regions(strip)[0])
    dataset.SequenceOfUltrasoundRegions[1].RegionSpatialFormat = 4
    dataset.save_as(path)
    image = read_dicom_image(path, "scan")
    assert image.geometry.spacing_mm == pytest.approx((0.1, 0.125)) and image.crop == Box(0, 1, 4, 7)
    assert image.geometry.spacing_from == "ultrasound regions"
    assert image.geometry.spacing_within(Box(3, 1, 5, 7)) is None


def test_two_regions_give_no_crop(tmp_path: Path, write_dicom: Write, regions, ramp: np.ndarray) -> None:
    two = regions((0, 0, 3, 5, 0.01, 0.01), (4, 0, 7, 5, 0.02, 0.02))
    image = read_dicom_image(write_dicom(tmp_path / "x", ramp, SequenceOfUltrasoundRegions=two), "scan")
    assert image.crop is None and image.geometry.spacing_mm is None
    assert image.geometry.spacing_within(Box(0, 4, 6, 8)) == pytest.approx((0.2, 0.2))


@pytest.mark.parametrize("box", [(0, 0, 15, 5), (0, 0, 7, 11)])
def test_a_region_beyond_the_picture_is_not_believed(tmp_path: Path, write_dicom: Write, regions, ramp, box) -> None:
    path = write_dicom(tmp_path / "x", ramp, SequenceOfUltrasoundRegions=regions((*box, 0.01, 0.01)))
    image = read_dicom_image(path, "scan")
    assert image.geometry.spacing_mm is None and image.crop is None and "beyond the picture" in image.notes[0]


@pytest.mark.parametrize("field", ["RegionSpatialFormat", "PhysicalUnitsXDirection", "PhysicalDeltaY"])
def test_other_regions_have_no_millimetres(tmp_path: Path, write_dicom: Write, regions, ramp, field: str) -> None:
    items = regions((0, 0, 7, 5, 0.01, 0.01))
    setattr(items[0], field, 0)
    image = read_dicom_image(write_dicom(tmp_path / "x", ramp, SequenceOfUltrasoundRegions=items), "scan")
    assert image.geometry.spacing_mm is None and image.geometry.spacing_from == "unknown"


def test_distances_on_a_detector_are_none_in_the_patient(tmp_path: Path, write_dicom: Write, ramp: np.ndarray) -> None:
    x_ray = "1.2.840.10008.5.1.4.1.1.1.1"
    given = {"SOPClassUID": x_ray, "ImagerPixelSpacing": [0.1, 0.2], "PixelSpacing": [0.1, 0.2]}
    assert read_dicom_image(write_dicom(tmp_path / "a", ramp, **given), "scan").geometry.spacing_mm is None
    given["PixelSpacingCalibrationType"] = "FIDUCIAL"
    assert read_dicom_image(write_dicom(tmp_path / "b", ramp, **given), "scan").geometry.spacing_mm == (0.1, 0.2)


def test_one_slice_has_a_place_and_no_thickness(tmp_path: Path, write_series, block: np.ndarray) -> None:
    image = read_dicom_image(write_series(tmp_path, block)[2], "scan")
    assert image.kind is ImageKind.PLANE and image.geometry.spacing_mm == (0.5, 0.75)
    expected = [[0, 0, -0.75, 10], [0, -0.5, 0, 20], [1, 0, 0, 7], [0, 0, 0, 1]]
    assert image.geometry.affine is not None and np.allclose(image.geometry.affine, expected)


def enhanced(block: np.ndarray, order: list[int]) -> dict[str, object]:
    shared, frames = Dataset(), []
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = Sequence([Dataset()]), Sequence([Dataset()])
    shared.PixelMeasuresSequence[0].PixelSpacing = [0.5, 0.75]
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    for index in order:
        own = Dataset()
        own.PlanePositionSequence = Sequence([Dataset()])
        own.PlanePositionSequence[0].ImagePositionPatient = [-10, -20, 3.5 * index]
        frames.append(own)
    groups = {"SharedFunctionalGroupsSequence": Sequence([shared])}
    return {"SOPClassUID": ENHANCED, **groups, "PerFrameFunctionalGroupsSequence": Sequence(frames)}


def test_enhanced_frames_are_ordered_by_place(tmp_path: Path, write_dicom: Write, block: np.ndarray) -> None:
    order = [3, 0, 4, 1, 2]
    image = read_dicom_image(write_dicom(tmp_path / "x", block[order], **enhanced(block, order)), "scan")
    assert image.kind is ImageKind.VOLUME and np.array_equal(image.stack, block)
    assert image.origin.frame_numbers == (2, 4, 5, 1, 3) and image.geometry.spacing_from == "Pixel Measures"


def test_enhanced_frames_at_one_place_are_named(tmp_path: Path, write_dicom: Write, block: np.ndarray) -> None:
    path = write_dicom(tmp_path / "x", block, **enhanced(block, [0, 1, 2, 3, 1]))
    assert "two slices at one place: frame 2 and frame 5" in refusal(path)


def test_enhanced_without_places_has_no_millimetres(tmp_path: Path, write_dicom: Write, block: np.ndarray) -> None:
    image = read_dicom_image(write_dicom(tmp_path / "x", block, SOPClassUID=ENHANCED, PixelSpacing=[1, 1]), "scan")
    assert image.kind is ImageKind.FRAMES and image.geometry.spacing_mm is None


def test_a_slope_for_each_frame_makes_values_comparable(tmp_path: Path, write_dicom: Write, block: np.ndarray) -> None:
    elements = enhanced(block, list(range(5)))
    for index, own in enumerate(elements["PerFrameFunctionalGroupsSequence"]):  # type: ignore[arg-type]
        own.PixelValueTransformationSequence = Sequence([Dataset()])
        own.PixelValueTransformationSequence[0].RescaleSlope = str(1 + index)
        own.PixelValueTransformationSequence[0].RescaleIntercept = "0"
    image = read_dicom_image(write_dicom(tmp_path / "x", block, **elements), "scan")
    expected = block * np.arange(1, 6)[:, None, None]
    assert np.array_equal(np.stack([image.values(k) for k in range(5)]), expected)


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ({"NumberOfFrames": 2_000_000_000}, "claims 2000000000 x 6 x 8 values"),
        ({"NumberOfFrames": -1}, "no whole Number of Frames"),
        ({"Rows": 600}, "is cut off: 48 of 4,800 bytes of pixels"),
        ({"Columns": 4}, "has 48 bytes of pixels, its header says 24"),
        ({"Rows": 0}, "claims 1 x 0 x 8 values"),
        ({"BitsAllocated": 1}, "expected 8, 16 or 32"),
        ({"PhotometricInterpretation": "CMYK"}, "colours of a kind that is not read"),
        ({"PhotometricInterpretation": "RGB"}, "is RGB with 1 samples"),
    ],
)
def test_what_cannot_be_right_is_refused(tmp_path: Path, write_dicom: Write, ramp, elements, words: str) -> None:
    assert words in refusal(write_dicom(tmp_path / "x", ramp, **elements))


def test_a_frame_count_that_is_no_number_is_refused(tmp_path: Path, write_dicom: Write, ramp: np.ndarray) -> None:
    content = write_dicom(tmp_path / "x", ramp, NumberOfFrames=1).read_bytes()
    (tmp_path / "x").write_bytes(content.replace(b"\x28\0\x08\0IS\x02\x001 ", b"\x28\0\x08\0IS\x02\x001A"))
    assert "Number of Frames" in refusal(tmp_path / "x")


def test_videos_are_named(tmp_path: Path, write_dicom: Write, ramp: np.ndarray) -> None:
    dataset = pydicom.dcmread(write_dicom(tmp_path / "x", ramp))
    dataset.PixelData = pydicom.encaps.encapsulate([b"\0" * 64])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.102"
    dataset.save_as(tmp_path / "x")
    assert "is a video (MPEG-4 AVC/H.264 High Profile" in refusal(tmp_path / "x")


def jpeg(tmp_path: Path, write_dicom: Write, picture: np.ndarray, claimed: tuple[int, int] | None = None) -> Path:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=95)
    dataset = pydicom.dcmread(write_dicom(tmp_path / "x", picture))
    frame = buffer.getvalue()
    if claimed:
        at = frame.index(b"\xff\xc0") + 5
        frame = frame[:at] + claimed[0].to_bytes(2) + claimed[1].to_bytes(2) + frame[at + 4 :]
    dataset.PixelData = pydicom.encaps.encapsulate([frame])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.50"
    dataset.save_as(tmp_path / "x")
    return tmp_path / "x"


def test_the_decoder_is_recorded(tmp_path: Path, write_dicom: Write, ramp: np.ndarray) -> None:
    image = read_dicom_image(jpeg(tmp_path, write_dicom, ramp), "scan")
    assert image.decoder == "pillow" and np.abs(image.frame(0).astype(int) - ramp).max() <= 4


def test_a_codestream_that_claims_more_than_the_header_is_refused(tmp_path: Path, write_dicom: Write, ramp) -> None:
    path = jpeg(tmp_path, write_dicom, ramp, (65500, 65500))
    assert "frame 1 is coded as 65500 x 65500 x 1, its header says 6 x 8 x 1" in refusal(path)


def test_what_nothing_decodes_names_the_transfer_syntax(tmp_path: Path, write_dicom: Write, ramp: np.ndarray) -> None:
    path = jpeg(tmp_path, write_dicom, ramp)
    content = path.read_bytes()
    at = content.rindex(b"\xff\xda") + 2
    path.write_bytes(content[: at - 20] + bytes(20) + content[at:])
    assert "JPEG Baseline" in refusal(path) or "damaged" in refusal(path)
