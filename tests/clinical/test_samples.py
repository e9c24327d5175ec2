"""Real and sample files: every one is read or refused in one line, and decoded pixels are as expected."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monai_tumor.clinical.dicom_open import open_dicom
from monai_tumor.clinical.dicom_pixels import decode_stored
from monai_tumor.clinical.find import find_inputs
from monai_tumor.clinical.read import read_source
from monai_tumor.clinical.source import Box, ImageKind, SourceImage
from monai_tumor.errors import ToolkitError, WrongDataError

# Lossy JPEG of 12 bits, decoded by ITK here; the expected pixels are of another decoder and differ by 1.
OTHER_DECODER = {"other/JPGExtended.dcm"}


@pytest.fixture(scope="module")
def samples(real_data: Path) -> Path:
    folder = real_data / "dicom"
    if not (folder / "expected.json").is_file():
        pytest.skip("no DICOM samples in the folder of real data")
    return folder


def read(*paths: Path) -> SourceImage:
    (item,) = find_inputs(paths)
    return read_source(item)


def hashed(stack: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(stack.astype(stack.dtype.newbyteorder("<"))).tobytes()).hexdigest()


def test_every_file_is_read_or_refused_in_one_line(samples: Path) -> None:
    read_names, refused = [], {}
    for path in sorted(path for path in samples.rglob("*") if path.is_file()):
        if path.suffix in (".json", ".md", ".npz") or path.name.startswith("DICOMDIR"):
            continue
        name = path.relative_to(samples).as_posix()
        try:
            image = read(path)
            assert image.dtype in (np.uint8, np.uint16) and image.frame(0).shape[:2] == (image.rows, image.columns)
            read_names.append(name)
        except WrongDataError as error:
            assert "\n" not in str(error) and len(str(error)) < 300
            refused[name] = str(error)
    folders = {Path(name).parts[0] for name in read_names}
    assert folders == {"colour", "dicomdir", "mr", "odd", "other", "phantom", "seg", "us"}
    expected = {"other/parametric_map_float.dcm", "other/rtdose.dcm", "other/zipMR.gz"}
    assert {name for name in refused if not name.startswith(("odd/", "seg/", "sr/"))} == expected
    assert all(words in refused[name] for name, words in REFUSALS.items())


REFUSALS = {
    "sr/sr.dcm": "is a DICOM Comprehensive SR",
    "sr/rtstruct.dcm": "is a DICOM RT Structure Set",
    "seg/23x38x3/label.seg": "is a DICOM Segmentation",
    "odd/MR_truncated.dcm": "is cut off: 8,130 of 8,192 bytes",
    "odd/emri_small_jpeg_2k_lossless_too_short.dcm": "is cut off",
    "odd/badVR.dcm": "is a DICOM RT Dose",
}


def test_decoded_pixels_are_as_expected(samples: Path) -> None:
    expected: dict[str, Any] = json.loads((samples / "expected.json").read_text())
    compared = 0
    for name, facts in expected.items():
        if "sha256" not in facts or name in OTHER_DECODER:
            continue
        try:
            stored = decode_stored(open_dicom(samples / name, name).dataset, name)
        except ToolkitError:
            assert name.startswith(("seg/", "other/parametric", "other/rtdose")), name
            continue
        wanted = facts.get("per_plugin", {}).get(stored.decoder, facts["sha256"])
        assert hashed(stored.stack) == wanted, (name, stored.decoder)
        compared += 1
    assert compared >= 100


def test_another_decoder_differs_by_one_at_most(samples: Path) -> None:
    pytest.importorskip("libjpeg")
    import pydicom

    dataset = pydicom.dcmread(samples / "other" / "JPGExtended.dcm")
    ours = decode_stored(dataset, "x").stack[0].astype(int)
    assert np.abs(ours - pydicom.pixels.pixel_array(dataset, decoding_plugin="pylibjpeg")).max() <= 1


def test_the_scrambled_phantom_and_its_twin_lie_at_one_place(samples: Path) -> None:
    truth = json.loads((samples / "phantom" / "truth.json").read_text())["mr"]
    series, twin = read(samples / "phantom" / "mr_series"), read(samples / "phantom" / "mr_volume.nii.gz")
    assert np.array_equal(series.stack, twin.stack) and series.geometry.affine is not None
    assert [path.name for path in series.origin.paths] == [truth["file_of_slice"][str(k)] for k in range(24)]
    # The truth counts columns, rows, slices.
    swapped = np.array(truth["affine_ras"])[:, [2, 1, 0, 3]]
    corners = np.array([[k, r, c, 1] for k in (0, 23) for r in (0, 55) for c in (0, 71)]).T
    for geometry in (series.geometry, twin.geometry):
        assert np.abs((geometry.affine - swapped) @ corners).max() < 1e-3
    assert series.values(5).min() == -20 and series.window == twin.window


def test_a_mask_on_the_twin_is_a_mask_on_the_series(samples: Path) -> None:
    truth = json.loads((samples / "phantom" / "truth.json").read_text())["mr"]
    mask = read(samples / "phantom" / "mr_mask.nii.gz")
    assert int((mask.stack > 0).sum()) == truth["lesion_voxels"]


def test_the_phantom_with_a_slice_missing_or_twice_is_refused_by_name(samples: Path, tmp_path: Path) -> None:
    shutil.copytree(samples / "phantom" / "mr_series", tmp_path / "s")
    (tmp_path / "s").chmod(0o755)
    content = (tmp_path / "s" / "IM0006.dcm").read_bytes()
    (tmp_path / "s" / "IM0006.dcm").unlink()
    with pytest.raises(WrongDataError, match=r"\(1 missing\) between IM0021.dcm and IM0004.dcm: 6.6 mm apart"):
        read(tmp_path / "s")
    for name in ("IM0006.dcm", "IM0099.dcm"):
        (tmp_path / "s" / name).write_bytes(content)
    with pytest.raises(WrongDataError, match=r"two slices at one place: IM0006\.dcm and IM0099\.dcm"):
        read(tmp_path / "s")


def test_the_cine_is_frame_by_frame_the_truth(samples: Path) -> None:
    image = read(samples / "phantom" / "us_cine.dcm")
    truth = np.load(samples / "phantom" / "us_cine_truth.npz")
    masks = next(truth[key] for key in truth.files if truth[key].shape == (8, 120, 176))
    assert image.kind is ImageKind.FRAMES and image.stack.shape == (8, 120, 176, 3)
    assert image.geometry.spacing_mm == pytest.approx((0.1, 0.125)) and image.crop == Box(8, 16, 112, 144)
    for frame, mask in zip(image.stack, masks.astype(bool), strict=True):
        inside = np.zeros_like(mask)
        inside[image.crop.window] = True
        assert frame[mask].mean() < 0.7 * frame[inside & ~mask].mean()  # the lesion is dark


def test_enhanced_and_single_files_are_the_same_volume(samples: Path) -> None:
    folder = samples / "seg" / "23x38x3"
    one, many = read(folder / "mf.dcm"), read(*sorted(folder.glob("IMG*.dcm")))
    assert np.array_equal(one.stack, many.stack) and one.geometry.affine is not None
    assert np.allclose(one.geometry.affine, many.geometry.affine)


@pytest.mark.parametrize(
    ("name", "why"), [("MR700", "is turned against"), ("CT2N", "is turned against"), ("CT2", "gap")]
)
def test_folders_that_are_no_volumes(samples: Path, name: str, why: str) -> None:
    (folder,) = (samples / "dicomdir").glob(f"*/{name}")
    with pytest.raises(WrongDataError, match=why):
        read(folder)


@pytest.mark.parametrize("name", ["DICOMDIR", "DICOMDIR-implicit", "DICOMDIR-bigEnd", "DICOMDIR-nopatient"])
def test_media(samples: Path, name: str) -> None:
    items = find_inputs([samples / "dicomdir" / name])
    assert sum(len(item.paths) for item in items) == 31 and all(item.error is None for item in items)


def test_known_spacings(samples: Path) -> None:
    spacing = {
        "us/JPGLosslessP14SV1_1s_1f_8b.dcm": (0.2548, 0.2548),
        "us/gdcm-US-ALOKA-16.dcm": (0.3827, 0.3827),
        "us/examples_ybr_color.dcm": None,  # made smaller after the scan: its region is larger than the picture
        "us/color-px.dcm": None,
        "other/dx_image.dcm": None,
        "mr/emri_small.dcm": None,
        "mr/MR4_JPLL.dcm": (0.4883, 0.4883),
    }
    for name, wanted in spacing.items():
        found = read(samples / name).geometry.spacing_mm
        assert found == (None if wanted is None else pytest.approx(wanted, abs=1e-4)), name


def test_real_volumes(real_data: Path) -> None:
    image = read(real_data / "brain_nifti" / "pyradiomics_brain2" / "image.nii.gz")
    assert image.stack.shape == (23, 256, 256) and image.geometry.spacing_mm == pytest.approx((0.78, 0.78), abs=0.01)
