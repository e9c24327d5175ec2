"""The three layouts, synthetic and (where present) real."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np
import pytest
from tumor_brain_mri import BrainMriDataset
from tumor_brain_mri.flat import LONGEST_RUN, run_groups

from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.write import write_mask, write_picture
from monai_tumor.testing import check_dataset

PHANTOM = PhantomDataset(count=6, size=(64, 80))
REAL = Path(os.environ.get("MONAI_TUMOR_DATA", Path(__file__).parents[4] / "shared" / "data"))
real_data = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real data in {REAL}; set MONAI_TUMOR_DATA")


def refusal(root: Path) -> str:
    with pytest.raises(WrongDataError) as caught:
        BrainMriDataset().cases(root)
    return str(caught.value)


def images_of(root: Path) -> list[str]:
    found = [path for path in [*root.glob("*/*.tif"), *root.glob("images/*")] if "_mask" not in path.name]
    return sorted(path.relative_to(root).as_posix() for path in found)


def volume(path: Path, voxels: np.ndarray, axes: str = "RAS", shift: float = 0) -> None:
    """Write voxels that are given as right, anterior, superior, stored along other axes."""
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    affine[0, 3] = shift
    wanted = nibabel.orientations.axcodes2ornt(axes)
    turn = nibabel.orientations.ornt_transform(nibabel.orientations.axcodes2ornt("RAS"), wanted)
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(voxels, affine).as_reoriented(turn), path)


def voxels() -> np.ndarray:
    values = np.zeros((6, 8, 4), np.int16)
    values[1:5, 1:7, :] = 500
    values[4, 6, 2] = 1000  # right, front
    return values


@pytest.fixture(params=["brain_mri", "brain_mri_flat"])
def slices(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    PHANTOM.write(tmp_path / "above" / "set", request.param)
    return tmp_path / "above" / "set"


@pytest.fixture
def patient(tmp_path: Path) -> Path:
    volume(tmp_path / "p1" / "image.nii.gz", voxels(), "LPS")
    volume(tmp_path / "p1" / "label.nii.gz", (voxels() > 900).astype(np.int16) * 4, "LPS")
    return tmp_path


def test_contract_of_slices(slices: Path) -> None:
    check_dataset(BrainMriDataset, slices)


def test_contract_of_volumes(patient: Path) -> None:
    check_dataset(BrainMriDataset, patient)


def test_slices_read_back_equal_with_two_patients(slices: Path) -> None:
    dataset = BrainMriDataset()
    cases = dataset.cases(slices)
    assert [sum(case.group == group for case in cases) for group in dict.fromkeys(c.group for c in cases)] == [4, 2]
    for ours, theirs in zip(PHANTOM.cases(), cases, strict=True):  # 8, 9, 10, 11: sorted as numbers
        image, reference = dataset.load(theirs)
        assert np.array_equal(image[..., 1], PHANTOM.load(ours)[0])
        assert reference is not None and np.array_equal(reference, PHANTOM.load(ours)[1])


def test_parent_and_child_point_to_the_right_folder(slices: Path) -> None:
    assert f"the right folder is probably {slices}" in refusal(slices.parent)
    assert f"the right folder is probably {slices}" in refusal(next(slices.iterdir()))


def test_missing_masks_are_counted_and_named(slices: Path) -> None:
    masks = sorted([*slices.glob("*/*_mask.tif"), *slices.glob("masks/*")])
    masks[0].unlink()
    assert f"no mask for 1 of 6 images: {images_of(slices)[0]}; copy the missing masks" in refusal(slices)
    for path in masks[1:]:
        path.unlink()
    assert "6 images were found and none with a mask (were the masks copied?)" in refusal(slices)


def test_a_mask_without_its_image_is_refused(slices: Path) -> None:
    (slices / images_of(slices)[0]).unlink()
    assert "1 mask has no image: " in refusal(slices)


def test_another_data_set_is_refused_with_both_trees(tmp_path: Path) -> None:
    write_picture(tmp_path / "benign" / "benign (1).png", np.zeros((4, 5), np.uint8))
    write_mask(tmp_path / "benign" / "benign (1)_mask.png", np.zeros((4, 5), bool))
    message = refusal(tmp_path)
    assert "DIR/PATIENT/X_12.tif" in message and "  benign/" in message


def test_mixed_layouts_are_refused(patient: Path) -> None:
    PHANTOM.write(patient, "brain_mri_flat")
    assert "files of more than one of these layouts" in refusal(patient)


def test_runs_of_numbers_are_one_patient() -> None:
    groups = run_groups(["3", "10", "11", "012", "left"])
    assert groups == {"3": "run-3-3", "10": "run-10-12", "11": "run-10-12", "012": "run-10-12", "left": "image-left"}


def test_a_set_without_gaps_is_cut_into_pieces() -> None:
    groups = run_groups([str(number) for number in range(1, 101)])
    assert len(set(groups.values())) == 3 and groups["40"] == f"run-1-{LONGEST_RUN}" != groups["41"]


def test_a_table_of_patients_is_believed(tmp_path: Path) -> None:
    PHANTOM.write(tmp_path, "brain_mri_flat")
    lines = [f"{number}.png,p{number % 2}" for number in (1, 2, 3, 4, 6, 7)]
    (tmp_path / "patients.csv").write_text("image,patient\n" + "\n".join(lines))
    assert [case.group for case in BrainMriDataset().cases(tmp_path)] == ["p1", "p0", "p1", "p0", "p0", "p1"]
    (tmp_path / "patients.csv").write_text("image,patient\n" + "\n".join(lines[:4]))
    assert "names no patient for 2 of 6 images (6, 7); add them" in refusal(tmp_path)
    (tmp_path / "patients.csv").write_text("id\n")
    assert "has the columns id, expected image and patient" in refusal(tmp_path)


def test_thick_slices_and_labels_of_a_program_are_remarked(patient: Path) -> None:
    assert BrainMriDataset().remarks(patient) == ()
    (patient / "p1" / "label.nii.gz").rename(patient / "p1" / "seg_algorithm.nii.gz")
    thick = nibabel.Nifti1Image(voxels(), np.diag([0.5, 0.5, 6.0, 1.0]))
    nibabel.save(thick, patient / "p1" / "image.nii.gz")
    told = [remark.text for remark in BrainMriDataset().remarks(patient)]
    assert "by its name a program drew these labels" in told[0] and "voxels of 0.5 x 0.5 x 6 mm" in told[1]


@pytest.mark.parametrize("axes", ["RAS", "LPS", "SAL", "PIR"])
def test_the_front_is_up_and_the_right_is_left(tmp_path: Path, axes: str) -> None:
    volume(tmp_path / "p1" / "x-t2f.nii.gz", voxels(), axes)
    volume(tmp_path / "p1" / "x-seg.nii.gz", (voxels() > 900).astype(np.int16), axes)
    dataset = BrainMriDataset()
    cases = dataset.cases(tmp_path)
    image, reference = dataset.load(cases[2])
    assert [case.id for case in cases] == ["p1_0", "p1_1", "p1_2", "p1_3"] and {case.group for case in cases} == {"p1"}
    assert image.shape == (8, 6) and reference is not None
    assert np.argwhere(reference).tolist() == [[1, 1]] and image[1, 1] == 255
    assert not dataset.load(cases[1])[1].any()  # type: ignore[union-attr]


def test_labels_may_be_stored_along_other_axes(patient: Path) -> None:
    volume(patient / "p1" / "label.nii.gz", (voxels() > 900).astype(np.int16), "SAL")
    assert list(counted(patient)) == [False, False, True, False]


def test_listing_decodes_no_voxel(patient: Path) -> None:
    damaged(patient, "cut")
    assert len(BrainMriDataset().cases(patient)) == 4


def test_labels_of_another_grid_are_refused(patient: Path) -> None:
    label = patient / "p1" / "label.nii.gz"
    volume(label, np.zeros((6, 8, 5), np.int16), "LPS")
    assert "label.nii.gz is (6, 8, 5)" in refusal(patient)
    volume(label, voxels(), "LPS", shift=7)
    assert "lies elsewhere than" in refusal(patient) and "affines differ by 7" in refusal(patient)


def test_an_incomplete_or_ambiguous_patient_is_refused(patient: Path) -> None:
    volume(patient / "p1" / "seg2-label.nii", voxels())
    assert "p1/ needs one image and one label volume, has image.nii.gz, label.nii.gz, seg2-label.nii" in refusal(
        patient
    )
    for path in (patient / "p1").glob("*label*"):
        path.unlink()
    assert "has image.nii.gz" in refusal(patient)


def damaged(patient: Path, kind: str) -> None:
    image, label = patient / "p1" / "image.nii.gz", patient / "p1" / "label.nii.gz"
    if kind == "text":
        image.write_text("no volume")
    elif kind == "cut":
        noise = np.random.default_rng(0).integers(1, 999, (300, 400, 4)).astype(np.int16)
        volume(image, noise, "LPS")
        volume(label, noise, "LPS")
        image.write_bytes(image.read_bytes()[:500_000])
    elif kind == "nan":
        volume(image, np.full((6, 8, 4), np.nan, np.float32), "LPS")
    else:
        volume(label, np.full((6, 8, 4), 0.5, np.float32), "LPS")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("text", r"image\.nii\.gz is not a NIfTI file that can be read"),
        ("cut", r"image\.nii\.gz is cut off or damaged"),
        ("nan", r"image\.nii\.gz has 192 voxels that are not numbers"),
        ("fractions", r"label\.nii\.gz has fractions, expected whole labels"),
    ],
)
def test_damaged_volumes_are_named(patient: Path, kind: str, message: str) -> None:
    damaged(patient, kind)
    dataset = BrainMriDataset()
    with pytest.raises(WrongDataError, match=message):
        dataset.load(dataset.cases(patient)[0])


def test_a_huge_or_four_dimensional_volume_is_refused(patient: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tumor_brain_mri.volumes.MAX_VOXELS", 100)
    assert "has (6, 8, 4) voxels, expected at most 100" in refusal(patient)
    nibabel.save(nibabel.Nifti1Image(np.zeros((6, 8, 4, 2)), np.eye(4)), patient / "p1" / "image.nii.gz")
    assert "has the shape (6, 8, 4, 2), expected three axes" in refusal(patient)


def test_listing_slices_imports_neither_nibabel_nor_torch(tmp_path: Path) -> None:
    PHANTOM.write(tmp_path, "brain_mri")
    code = (
        "import sys; from tumor_brain_mri import BrainMriDataset as B; B().cases(sys.argv[1]);"
        "print({'torch', 'monai', 'nibabel'} & set(sys.modules))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.check_output([sys.executable, "-c", code, tmp_path], text=True, env=environment) == "set()\n"


def counted(root: Path) -> Iterator[bool]:
    dataset = BrainMriDataset()
    for case in dataset.cases(root):
        reference = dataset.load(case)[1]
        yield reference is not None and bool(reference.any())


@real_data
def test_real_patient_folders() -> None:
    root = REAL / "brain_lgg" / "kaggle_3m"
    cases = BrainMriDataset().cases(root)
    assert len(cases) == 342 and len({case.group for case in cases}) == 12 and sum(counted(root)) == 108


@real_data
def test_real_flat_folders() -> None:
    cases = BrainMriDataset().cases(REAL / "brain_flat")
    assert len(cases) == 38 and all(counted(REAL / "brain_flat"))
    assert {case.id for case in cases if case.group == "run-1069-1072"} == {"1069", "1070", "1071", "1072"}


@real_data
def test_real_volumes() -> None:
    dataset = BrainMriDataset()
    cases = dataset.cases(REAL / "brain_nifti")
    small = [dataset.load(case)[1] for case in cases if case.group == "pyradiomics_brain2"]
    assert len(cases) == 155 + 23 and len(small) == 23
    assert sum(int(reference.sum()) for reference in small if reference is not None) == 453


@real_data
@pytest.mark.parametrize("folder", ["busi", "bus_bra", "thyroid_ddti", "dicom", "brain_lgg", "brain_flat/images"])
def test_real_wrong_folders(folder: str) -> None:
    message = refusal(REAL / folder)
    assert "is not a 'brain_mri' data set" in message and "expected by 'brain_mri'" in message
