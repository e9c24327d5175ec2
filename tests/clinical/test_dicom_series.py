"""Series: stacked by place, refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest

from monai_tumor.clinical.dicom_series import read_dicom_series
from monai_tumor.clinical.limits import Limits
from monai_tumor.clinical.source import ImageKind
from monai_tumor.errors import WrongDataError

Series = Callable[..., list[Path]]


def refusal(paths: list[Path]) -> str:
    with pytest.raises(WrongDataError) as caught:
        read_dicom_series(paths, "scan")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def change(path: Path, **elements: object) -> None:
    dataset = pydicom.dcmread(path)
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)


def test_slices_are_ordered_by_place_and_not_by_number(tmp_path: Path, write_series: Series, block: np.ndarray) -> None:
    paths = write_series(tmp_path, block)
    image = read_dicom_series(sorted(paths), "scan")
    assert image.kind is ImageKind.VOLUME and np.array_equal(image.stack, block)
    assert image.origin.paths == tuple(paths) and image.modality == "MR"
    uids = [pydicom.dcmread(path).SOPInstanceUID for path in paths]
    assert list(image.origin.instance_uids) == uids


def test_the_affine_gives_places_in_the_patient(tmp_path: Path, write_series: Series, block: np.ndarray) -> None:
    affine = read_dicom_series(write_series(tmp_path, block), "scan").geometry.affine
    assert affine is not None
    # Slice 2, row 3, column 4: left -10 + 4 x 0.75, posterior -20 + 3 x 0.5, superior 7; right and anterior are minus.
    assert (affine @ [2, 3, 4, 1])[:3] == pytest.approx([7, 18.5, 7])


def test_a_missing_slice_is_named_by_its_neighbours(tmp_path: Path, write_series: Series, block: np.ndarray) -> None:
    paths = write_series(tmp_path, block)
    words = f"gap (1 missing) between {paths[1].name} and {paths[3].name}: 7 mm apart, the others 3.5 mm"
    assert words in refusal([path for path in paths if path != paths[2]])


def test_a_slice_that_is_there_twice_is_named(tmp_path: Path, write_series: Series, block: np.ndarray) -> None:
    paths = write_series(tmp_path, block)
    (tmp_path / "twice.dcm").write_bytes(paths[2].read_bytes())
    words = refusal([*paths, tmp_path / "twice.dcm"])
    assert "two slices at one place" in words and "twice.dcm" in words and paths[2].name in words


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, "is turned against"),
        ({"PixelSpacing": [0.5, 0.8]}, "another pixel spacing"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "other kinds of pixels"),
        ({"ImagePositionPatient": [-10, -15, 7]}, "mm beside the others"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "impossible orientation"),
        ({"ImagePositionPatient": None}, "states no place in the patient"),
    ],
)
def test_a_slice_that_does_not_belong_is_named(tmp_path: Path, write_series, block, elements, words: str) -> None:
    paths = write_series(tmp_path, block)
    change(paths[2], **elements)
    message = refusal(paths)
    assert words in message and paths[2].name in message


def test_a_slice_of_another_size_is_named(tmp_path: Path, write_series, write_dicom, block: np.ndarray) -> None:
    paths = write_series(tmp_path, block)
    place = {"ImagePositionPatient": [0, 0, 99], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [1, 1]}
    wide = write_dicom(tmp_path / "wide.dcm", np.zeros((6, 9), np.uint16), **place)
    assert "wide.dcm has other columns than" in refusal([*paths, wide])


def test_a_slope_for_each_slice_makes_values_comparable(
    tmp_path: Path, write_series: Series, block: np.ndarray
) -> None:
    paths = write_series(tmp_path, block)
    for index, path in enumerate(paths):
        change(path, RescaleSlope=str(index + 1), RescaleIntercept="0")
    image = read_dicom_series(paths, "scan")
    assert np.array_equal(np.stack([image.values(k) for k in range(5)]), block * np.arange(1, 6)[:, None, None])


def test_a_series_larger_than_allowed_is_refused_at_its_first_slice(tmp_path: Path, write_series, block) -> None:
    with pytest.raises(WrongDataError, match="claims 5 x 6 x 8 values"):
        read_dicom_series(write_series(tmp_path, block), "scan", Limits(decoded_bytes=200))
