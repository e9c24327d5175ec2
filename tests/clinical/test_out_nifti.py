"""Masks as NIfTI: the header of the source, the place in the patient, and nothing of its texts."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import itk
import nibabel
import numpy as np
import pytest

from monai_tumor.clinical.dicom_image import read_dicom_image
from monai_tumor.clinical.dicom_series import read_dicom_series
from monai_tumor.clinical.itk_volume import read_itk_volume
from monai_tumor.clinical.kinds import FileKind
from monai_tumor.clinical.nifti import read_nifti
from monai_tumor.clinical.out_nifti import write_nifti_mask
from monai_tumor.clinical.source import SourceImage
from monai_tumor.errors import WrongCallError

Write = Callable[..., Path]
OBLIQUE = np.array([[1.9, -0.4, 0.3, -5], [0.5, 2.8, 0.6, -6], [-0.4, -0.7, 3.9, -7], [0, 0, 0, 1]])
"""Nearly right angles: its sform is what it says, its qform the nearest rotation."""


def spot(image: SourceImage) -> np.ndarray:
    """A mask without symmetry: an edge, a corner and two labels."""
    mask = np.zeros((image.frames, image.rows, image.columns), np.uint8)
    mask[-1, 0, :3] = 1
    mask[0, 2:4, -1] = 2
    return mask


def places(mask: np.ndarray, affine: np.ndarray, label: int) -> np.ndarray:
    """Return where the voxels of a label lie, in millimetres, sorted."""
    found = np.argwhere(mask == label) @ affine[:3, :3].T + affine[:3, 3]
    return found[np.lexsort(found.round(3).T)]


def itk_affine(image) -> np.ndarray:
    """Return (column, row, frame) to millimetres right, anterior, superior."""
    affine = np.eye(4)
    affine[:3, :3] = itk.array_from_matrix(image.GetDirection()) @ np.diag(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return np.diag([-1, -1, 1, 1]) @ affine


def stored(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


@pytest.mark.parametrize("codes", [(1, 1), (0, 1), (1, 0), (0, 0), (2, 3), (4, 1)])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_what_says_where_is_the_sources_byte_for_byte(tmp_path: Path, codes, suffix: str) -> None:
    source = nibabel.Nifti1Image(np.arange(6 * 8 * 4, dtype=np.float32).reshape(6, 8, 4), OBLIQUE)
    moved = OBLIQUE.copy()
    moved[0, 3] += 0.5
    source.set_sform(OBLIQUE, codes[0])
    source.set_qform(moved, codes[1])
    source.header.set_xyzt_units("mm", "sec")
    source.header["slice_duration"] = 0.25
    nibabel.save(source, tmp_path / "x.nii")
    image = read_nifti(tmp_path / "x.nii", "x")
    write_nifti_mask(tmp_path / f"mask{suffix}", spot(image), image)
    before, after = (tmp_path / "x.nii").read_bytes()[:352], stored(tmp_path / f"mask{suffix}")
    assert after[252:328] == before[252:328]  # both codes, quaternion, offsets, three rows of the sform
    assert after[40:56] == before[40:56] and after[76:108] == before[76:108] and after[123] == before[123]
    assert after[70:74] == np.array([2, 8], "<i2").tobytes()  # uint8
    assert len(after) == 352 + 6 * 8 * 4 and after[344:352] == b"n+1\0\0\0\0\0"


@pytest.mark.parametrize("axes", ["RAS", "LPS", "SAL", "PIR", "AIL"])
def test_two_readers_find_it_where_it_was_drawn(tmp_path: Path, axes: str) -> None:
    straight = nibabel.Nifti1Image(np.zeros((6, 8, 4), np.int16), np.diag([2.0, 3, 4, 1]) + np.eye(4, k=3) * -5)
    turn = nibabel.orientations.ornt_transform(
        nibabel.orientations.axcodes2ornt("RAS"), nibabel.orientations.axcodes2ornt(axes)
    )
    nibabel.save(straight.as_reoriented(turn), tmp_path / "x.nii")
    image = read_nifti(tmp_path / "x.nii", "x")
    write_nifti_mask(tmp_path / "mask.nii.gz", spot(image), image)
    assert_in_place(tmp_path / "mask.nii.gz", image)


def assert_in_place(path: Path, image: SourceImage) -> None:
    one, other = nibabel.load(path), itk.imread(str(path))
    assert one.get_data_dtype() == np.uint8 and image.geometry.affine is not None
    for label in (1, 2):
        expected = places(spot(image), image.geometry.affine, label)
        by_nibabel = places(np.asarray(one.dataobj), one.affine, label)
        by_itk = places(itk.array_from_image(other).transpose(), itk_affine(other), label)
        assert np.abs(by_nibabel - expected).max() < 1e-3 and np.abs(by_itk - expected).max() < 1e-3


def test_a_mask_of_a_dicom_series_lies_where_its_slices_lie(tmp_path: Path, write_series, block: np.ndarray) -> None:
    image = read_dicom_series(write_series(tmp_path / "in", block), "x")
    write_nifti_mask(tmp_path / "mask.nii", spot(image), image)
    assert_in_place(tmp_path / "mask.nii", image)


def test_a_mask_of_an_nrrd_volume_lies_where_it_lies(tmp_path: Path) -> None:
    volume = itk.image_from_array(np.arange(240, dtype=np.int16).reshape(5, 6, 8))
    volume.SetSpacing([0.5, 0.75, 3.5])
    volume.SetOrigin([3.0, -4.0, 5.0])
    itk.imwrite(volume, str(tmp_path / "x.nrrd"))
    image = read_itk_volume(tmp_path / "x.nrrd", FileKind.NRRD, "x")
    write_nifti_mask(tmp_path / "mask.nii.gz", spot(image), image)
    assert_in_place(tmp_path / "mask.nii.gz", image)


def test_what_lies_nowhere_says_so(tmp_path: Path, write_dicom: Write, regions, ramp: np.ndarray) -> None:
    path = write_dicom(tmp_path / "x.dcm", ramp, SequenceOfUltrasoundRegions=regions((1, 1, 6, 4, 0.02, 0.03)))
    image = read_dicom_image(path, "x")
    write_nifti_mask(tmp_path / "mask.nii", spot(image), image)
    header = nibabel.load(tmp_path / "mask.nii").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (0, 0)
    assert header["pixdim"][1:3].tolist() == pytest.approx([0.2, 0.3])
    assert np.array_equal(np.asarray(nibabel.load(tmp_path / "mask.nii").dataobj)[:, :, 0].T, spot(image)[0])


def test_no_text_of_the_source_is_kept(tmp_path: Path) -> None:
    source = nibabel.Nifti1Image(np.zeros((6, 8, 4), np.int16), OBLIQUE)
    for field in ("descrip", "aux_file", "intent_name", "data_type", "db_name"):
        source.header[field] = b"Plantag"
    source.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"Plantagenet"))
    source.header["cal_max"], source.header["intent_code"] = 700, 3
    nibabel.save(source, tmp_path / "x.nii")
    image = read_nifti(tmp_path / "x.nii", "x")
    write_nifti_mask(tmp_path / "mask.nii", spot(image), image)
    written = nibabel.load(tmp_path / "mask.nii")
    assert b"Plantag" not in (tmp_path / "mask.nii").read_bytes() and not written.header.extensions
    assert written.header["cal_max"] == 0 and written.header.get_intent() == ("none", (), "")
    write_nifti_mask(tmp_path / "one.nii.gz", spot(image), image)
    write_nifti_mask(tmp_path / "two.nii.gz", spot(image), image)  # no name and no time in the gzip header
    assert (tmp_path / "one.nii.gz").read_bytes() == (tmp_path / "two.nii.gz").read_bytes()


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_big_endian_second_version_and_fourth_axis(tmp_path: Path, kind) -> None:
    source = kind(np.zeros((6, 8, 4, 1), np.int16), OBLIQUE)
    nibabel.save(kind(source.dataobj, None, source.header.as_byteswapped()), tmp_path / "x.nii")
    image = read_nifti(tmp_path / "x.nii", "x")
    write_nifti_mask(tmp_path / "mask.nii", spot(image), image)
    written = nibabel.load(tmp_path / "mask.nii")
    assert written.shape == (6, 8, 4, 1) and written.header.endianness == ">" and type(written) is kind
    assert np.array_equal(written.affine, nibabel.load(tmp_path / "x.nii").affine)
    assert np.asarray(written.dataobj).sum() == spot(image).sum()


def test_masks_that_do_not_fit(tmp_path: Path, write_nifti: Write) -> None:
    image = read_nifti(write_nifti(tmp_path / "x.nii", np.zeros((6, 8, 4), np.int16), OBLIQUE), "x")
    for mask, words in [
        (spot(image)[:2], r"the mask of x has shape \(2, 8, 6\), expected \(4, 8, 6\)"),
        (spot(image).astype(float), "is of float64, expected bool or whole numbers"),
        (spot(image).astype(int) - 1, "holds values from -1 to 1, expected 0 to 255"),
    ]:
        with pytest.raises(WrongCallError, match=words):
            write_nifti_mask(tmp_path / "mask.nii", mask, image)
    with pytest.raises(WrongCallError, match=r"give .nii or .nii.gz"):
        write_nifti_mask(tmp_path / "mask.png", spot(image), image)
    write_nifti_mask(tmp_path / "mask.nii", spot(image) > 0, image)
    with pytest.raises(WrongCallError, match="exists already"):
        write_nifti_mask(tmp_path / "mask.nii", spot(image), image)
