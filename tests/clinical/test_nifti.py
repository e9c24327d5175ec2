"""NIfTI: orientation, completeness, and the way back."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from monai_tumor.clinical.limits import Limits
from monai_tumor.clinical.nifti import read_nifti, stored_axes
from monai_tumor.clinical.source import ImageKind
from monai_tumor.errors import WrongDataError

Write = Callable[..., Path]
RAS = np.array([[2.0, 0, 0, -5], [0, 3, 0, -6], [0, 0, 4, -7], [0, 0, 0, 1]])


def refusal(path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(WrongDataError) as caught:
        read_nifti(path, "scan", limits or Limits())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def voxels() -> np.ndarray:
    """Right, anterior, superior: 6 x 8 x 4, one bright voxel on the right in front."""
    values = np.zeros((6, 8, 4), np.int16)
    values[1:5, 1:7, :] = 500
    values[4, 6, 2] = 1000
    return values


def along(axes: str) -> nibabel.Nifti1Image:
    wanted = nibabel.orientations.axcodes2ornt(axes)
    turn = nibabel.orientations.ornt_transform(nibabel.orientations.axcodes2ornt("RAS"), wanted)
    return nibabel.Nifti1Image(voxels(), RAS).as_reoriented(turn)


@pytest.mark.parametrize("axes", ["RAS", "LPS", "SAL", "PIR", "AIL"])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_the_front_is_up_and_the_right_is_left(tmp_path: Path, axes: str, suffix: str) -> None:
    nibabel.save(along(axes), tmp_path / f"x{suffix}")
    image = read_nifti(tmp_path / f"x{suffix}", "scan")
    assert image.stack.shape == (4, 8, 6) and image.geometry.spacing_mm == (3, 2)
    place = np.argwhere(image.stack == 1000)[0]
    assert place.tolist() == [2, 1, 1] and image.geometry.affine is not None
    # Voxel (4, 6, 2) lies at 2 x 4 - 5, 3 x 6 - 6, 4 x 2 - 7 mm, however it is stored.
    assert (image.geometry.affine @ [*place, 1])[:3] == pytest.approx([3, 12, 1])


@pytest.mark.parametrize("axes", ["RAS", "LPS", "SAL", "PIR", "AIL"])
def test_a_mask_finds_its_way_back(tmp_path: Path, axes: str) -> None:
    stored = along(axes)
    nibabel.save(stored, tmp_path / "x.nii")
    image = read_nifti(tmp_path / "x.nii", "scan")
    assert np.array_equal(stored_axes(image.stack, image.origin), np.asarray(stored.dataobj))
    assert image.origin.header == (tmp_path / "x.nii").read_bytes()[:352]


def test_slices_are_shown_as_the_data_set_of_volumes_shows_them(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 3000, (6, 8, 4)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values, RAS), tmp_path / "x.nii")
    low, high = np.percentile(values[values != 0], (0.5, 99.5))
    expected = np.clip(np.rint((values[::-1, ::-1, 1].T - low) * 255 / (high - low)), 0, 255)
    assert np.abs(read_nifti(tmp_path / "x.nii", "scan").picture(1) - expected).max() <= 1


def test_scaled_values(tmp_path: Path, write_nifti: Write) -> None:
    path = write_nifti(tmp_path / "x.nii", voxels(), RAS)
    content = bytearray(path.read_bytes())
    content[112:120] = np.array([0.5, -20], "<f4").tobytes()
    path.write_bytes(content)
    image = read_nifti(path, "scan")
    assert image.values(2).max() == 480 and image.values(2).min() == -20


def test_one_plane_stays_one_plane(tmp_path: Path) -> None:
    sagittal = np.arange(30, dtype=np.int16).reshape(1, 5, 6)
    nibabel.save(nibabel.Nifti1Image(sagittal, RAS), tmp_path / "x.nii")
    image = read_nifti(tmp_path / "x.nii", "scan")
    assert image.kind is ImageKind.PLANE and image.stack.shape == (1, 6, 5) and image.geometry.spacing_mm == (4, 3)
    assert np.array_equal(image.frame(0), sagittal[0, ::-1, ::-1].T)
    flat = nibabel.Nifti1Image(np.zeros((6, 8), np.int16), None)
    nibabel.save(flat, tmp_path / "y.nii")
    assert read_nifti(tmp_path / "y.nii", "scan").stack.shape == (1, 8, 6)


@pytest.mark.parametrize(("sform", "qform", "known"), [(1, 1, True), (2, 0, True), (0, 1, True), (0, 0, False)])
def test_orientation_comes_from_positive_codes(
    tmp_path: Path, write_nifti, sform: int, qform: int, known: bool
) -> None:
    image = read_nifti(write_nifti(tmp_path / "x.nii", voxels(), RAS, sform, qform), "scan")
    assert (image.geometry.affine is not None) == known and image.geometry.spacing_mm == (3, 2)
    assert any("left and right are unknown" in note for note in image.notes) != known


def test_forms_that_lie_apart_are_noted_and_mirrored_ones_refused(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(voxels(), RAS)
    moved = RAS.copy()
    moved[0, 3] += 12
    image.set_sform(RAS, 2)
    image.set_qform(moved, 1)
    nibabel.save(image, tmp_path / "x.nii")
    read = read_nifti(tmp_path / "x.nii", "scan")
    assert any("lie up to 12 apart; the sform is used" in note for note in read.notes)
    assert read.geometry.affine is not None and (read.geometry.affine @ [0, 7, 5, 1])[0] == -5
    image.set_qform(np.diag([-1, 1, 1, 1]) @ RAS, 1)
    nibabel.save(image, tmp_path / "y.nii")
    assert "different orientation (RAS and LAS)" in refusal(tmp_path / "y.nii")


def test_metres_become_millimetres(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(voxels(), RAS / 1000)
    image.header.set_xyzt_units("meter")
    nibabel.save(image, tmp_path / "x.nii")
    assert read_nifti(tmp_path / "x.nii", "scan").geometry.spacing_mm == pytest.approx((3, 2))


def test_several_volumes_are_refused_with_advice(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(np.zeros((6, 8, 4, 2)), RAS), tmp_path / "x.nii")
    assert "6 x 8 x 4 x 2 values, expected one volume; save each of its volumes as a file" in refusal(
        tmp_path / "x.nii"
    )
    nibabel.save(nibabel.Nifti1Image(np.zeros((6, 8, 4, 1)), RAS), tmp_path / "y.nii")
    assert read_nifti(tmp_path / "y.nii", "scan").stack.shape == (4, 8, 6)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_cut_off_file_is_never_filled_up(tmp_path: Path, write_nifti: Write, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 9999, (20, 30, 10)).astype(np.int16)
    path = write_nifti(tmp_path / f"x{suffix}", noise, RAS)
    path.write_bytes(path.read_bytes()[:-200])
    assert "scan is cut off: " in refusal(path)


def test_a_wrong_checksum_is_noticed(tmp_path: Path, write_nifti: Write) -> None:
    path = write_nifti(tmp_path / "x.nii.gz", voxels(), RAS)
    content = bytearray(path.read_bytes())
    content[-6] ^= 255
    path.write_bytes(content)
    assert "scan is damaged" in refusal(path)


def test_names_decide_nothing(tmp_path: Path, write_nifti: Write) -> None:
    path = write_nifti(tmp_path / "x.nii.gz", voxels(), RAS)
    path.rename(tmp_path / "x.png")
    assert read_nifti(tmp_path / "x.png", "scan").frames == 4


@pytest.mark.parametrize(
    ("offset", "content", "words"),
    [
        (40, np.array([3, 32767, 32767, 32767], "<i2"), "MB that are decoded"),
        (40, np.array([9], "<i2"), "a damaged NIfTI header"),
        (42, np.array([-3], "<i2"), "expected at least 1"),
        (0, np.array([7], "<i4"), "its size is wrong"),
        (70, np.array([128], "<i2"), "colours or complex numbers"),
        (70, np.array([32], "<i2"), "colours or complex numbers"),
        (108, np.array([np.nan], "<f4"), "offset of the voxels"),
        (280, np.array([np.nan], "<f4"), "impossible sform"),
        (280, np.zeros(12, "<f4"), "impossible sform"),
        (344, np.frombuffer(b"ni1\0", np.uint8), "half of a .hdr/.img pair"),
    ],
)
def test_headers_that_cannot_be_true(tmp_path: Path, write_nifti: Write, offset: int, content, words: str) -> None:
    path = write_nifti(tmp_path / "x.nii", voxels(), RAS)
    data = bytearray(path.read_bytes())
    data[offset : offset + content.nbytes] = content.tobytes()
    path.write_bytes(data)
    assert words in refusal(path)


def test_a_bomb_ends_at_what_its_header_says(tmp_path: Path, write_nifti: Write) -> None:
    content = write_nifti(tmp_path / "x.nii", voxels(), RAS).read_bytes() + bytes(50 << 20)
    (tmp_path / "x.nii.gz").write_bytes(gzip.compress(content))
    assert "far more data than its header says" in refusal(tmp_path / "x.nii.gz")


def test_values_that_are_no_numbers(tmp_path: Path, write_nifti: Write) -> None:
    values = voxels().astype(np.float32)
    values[0, 0, :3] = np.nan
    assert "3 values that are not numbers" in refusal(write_nifti(tmp_path / "x.nii", values, RAS))
