"""The phantom: known areas, equal pixels everywhere, and layouts that other data sets read."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from monai_tumor.cases import Case
from monai_tumor.datasets import open_dataset
from monai_tumor.datasets.folder import FolderDataset
from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.imaging.read import read_image, read_mask
from monai_tumor.testing import check_dataset

STYLES = ["mr", "us"]


@pytest.mark.parametrize("style", STYLES)
def test_contract(style: str) -> None:
    check_dataset(PhantomDataset(count=12, style=style), None)
    assert PhantomDataset().modality == "MR" and PhantomDataset(style="us").organ == "breast"


def test_each_style_is_a_data_set_of_its_own() -> None:
    assert (open_dataset("phantom").modality, open_dataset("phantom_us").modality) == ("MR", "US")
    assert open_dataset("phantom_us").cases(None) == PhantomDataset(style="us").cases()


@pytest.mark.parametrize("style", STYLES)
def test_the_reference_has_the_area_of_the_formula(style: str) -> None:
    phantom = PhantomDataset(count=40, style=style, seed=3)
    for case in phantom.cases():
        area = phantom.lesion_area_px(case)
        assert phantom.load(case)[1].sum() == pytest.approx(area, rel=0.03)


def test_the_lesions_are_separate_and_counted() -> None:
    phantom = PhantomDataset(count=60)
    for case in phantom.cases():
        assert ndimage.label(phantom.load(case)[1])[1] == phantom.lesion_count(case)


def test_about_a_fifth_has_no_lesion_and_both_contours_are_common() -> None:
    cases = PhantomDataset(count=500).cases()
    labels = Counter(case.label for case in cases)
    assert 70 < labels["normal"] < 130 and min(labels["benign"], labels["malignant"]) > 130
    assert all((case.masks == ()) == (case.label == "normal") for case in cases)
    assert len({case.group for case in cases}) == 500


def test_malignant_contours_are_longer_for_their_area() -> None:
    phantom = PhantomDataset(count=80)
    roughness: dict[str | None, list[float]] = {"benign": [], "malignant": []}
    for case in phantom.cases():
        reference = phantom.load(case)[1]
        if phantom.lesion_count(case) == 1:
            edge = reference & ~ndimage.binary_erosion(reference)
            roughness[case.label].append(float(edge.sum() ** 2 / reference.sum()))
    assert np.percentile(roughness["malignant"], 20) > np.percentile(roughness["benign"], 95)


def test_sizes_differ_and_are_not_square() -> None:
    phantom = PhantomDataset(count=20, size=(96, 128))
    shapes = [phantom.load(case)[0].shape for case in phantom.cases()]
    assert len(set(shapes)) > 10 and all(88 <= rows <= 104 and 120 <= columns <= 136 for rows, columns in shapes)


def test_a_smaller_phantom_is_the_beginning_of_a_larger_one() -> None:
    assert PhantomDataset(count=200).cases()[:120] == PhantomDataset().cases()
    assert PhantomDataset(seed=1).cases() != PhantomDataset().cases()


def test_a_case_is_drawn_alike_by_any_phantom_in_any_process() -> None:
    case = PhantomDataset(count=3, style="us", seed=9).cases()[2]
    here = PhantomDataset().load(case)[0]
    code = (
        "from monai_tumor.datasets.phantom import PhantomDataset as P; import sys;"
        "case = P(count=3, style='us', seed=9).cases()[2]; sys.stdout.buffer.write(P().load(case)[0].tobytes())"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == here.tobytes()


@pytest.mark.parametrize("style", STYLES)
def test_no_threshold_finds_the_lesions(style: str) -> None:
    phantom, best = PhantomDataset(count=25, style=style), []
    for case in phantom.cases():
        image, reference = phantom.load(case)
        if reference.any():
            signed = image if style == "mr" else 255 - image
            found = [signed > level for level in range(10, 250, 10)]
            best.append(max(2 * (mask & reference).sum() / (mask.sum() + reference.sum()) for mask in found))
    assert np.mean(best) < 0.55


@pytest.mark.parametrize("style", STYLES)
def test_a_case_takes_milliseconds(style: str) -> None:
    phantom = PhantomDataset(style=style)
    times = []
    for case in phantom.cases()[:15]:
        start = time.process_time()
        phantom.load(case)
        times.append(time.process_time() - start)
    assert np.median(times) < 0.030  # 3 ms where nothing else runs


def test_the_folder_layout_reads_back_equal(tmp_path: Path) -> None:
    phantom = PhantomDataset(count=8, size=(64, 80))
    phantom.write(tmp_path)
    read = FolderDataset()
    for ours, theirs in zip(phantom.cases(), read.cases(tmp_path), strict=True):
        assert (theirs.id, theirs.group, theirs.label) == (ours.id, ours.group, ours.label)
        image, reference = read.load(theirs)
        assert np.array_equal(image, phantom.load(ours)[0])
        assert reference is not None and np.array_equal(reference, phantom.load(ours)[1])


def test_the_suffix_layout_reads_back(tmp_path: Path) -> None:
    phantom = PhantomDataset(count=8, size=(64, 80))
    phantom.write(tmp_path, "folder_suffix")
    assert len(FolderDataset().cases(tmp_path)) == 8
    assert {path.name for path in tmp_path.iterdir()} <= set(phantom.labels)


def test_patient_folders_hold_some_colour_slices_each(tmp_path: Path) -> None:
    PhantomDataset(count=6, size=(64, 80)).write(tmp_path, "brain_mri")
    first = tmp_path / "TCGA_CS_0001_19990101"
    assert [len(list(folder.iterdir())) for folder in sorted(tmp_path.iterdir())] == [8, 4]
    assert read_image(first / f"{first.name}_10.tif").ndim == 3
    assert read_mask(first / f"{first.name}_10_mask.tif").dtype == bool


def test_flat_folders_leave_a_gap_between_patients(tmp_path: Path) -> None:
    PhantomDataset(count=6, size=(64, 80)).write(tmp_path, "brain_mri_flat")
    assert sorted(int(path.stem) for path in (tmp_path / "masks").iterdir()) == [1, 2, 3, 4, 6, 7]


def test_writing_replaces_nothing(tmp_path: Path) -> None:
    PhantomDataset(count=1).write(tmp_path)
    with pytest.raises(WrongCallError, match=r"phantom-0000\.png exists already"):
        PhantomDataset(count=1, seed=1).write(tmp_path)


def test_wrong_calls_are_answered() -> None:
    with pytest.raises(WrongCallError, match="phantom style 'ct' is unknown; give one of mr, us"):
        PhantomDataset(style="ct")
    with pytest.raises(WrongCallError, match="count=0, seed=0"):
        PhantomDataset(count=0)
    with pytest.raises(WrongCallError, match="did you mean 'folder'"):
        PhantomDataset(count=1).write("/nowhere", "folders")
    with pytest.raises(WrongDataError, match="not of phantom version"):
        PhantomDataset().load(Case("a", "a", "a.png", ()))
