"""A data set with its split."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monai_tumor.audit.division import divide
from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.pipeline.source import CaseSource, _say_once, default_dataset
from monai_tumor.splits.split import PARTS, write_split


@pytest.fixture(scope="module")
def phantom():
    return CaseSource("phantom", seed=3)


def test_without_a_folder_the_data_set_is_a_phantom():
    assert default_dataset(None, "brain_mri") == "phantom"
    assert default_dataset(None, "busi", "phantom_us") == "phantom_us"
    assert default_dataset("somewhere", "busi", "phantom_us") == "busi"


def test_the_parts_hold_every_case_once(phantom, capsys):
    ids = [entry["case"] for part in PARTS for entry in phantom.items(part)]
    assert sorted(ids) == sorted(case.id for case in phantom.cases)


@pytest.mark.parametrize("name", ["phantom", "phantom_us", "monai-tumor:phantom"])
def test_a_run_on_phantoms_says_so_on_stderr(capsys, name):
    _say_once.cache_clear()
    CaseSource(name).cases  # noqa: B018
    CaseSource(name).cases  # noqa: B018
    assert capsys.readouterr().err.count("synthetic phantoms, not patients") == 1


def test_a_real_data_set_without_a_folder_is_refused():
    with pytest.raises(WrongCallError, match="data set 'folder' needs its folder; give it as --dataset_dir DIR"):
        CaseSource("folder")


@pytest.mark.parametrize("name", ["phantom", "phantom_us"])
def test_a_folder_for_a_phantom_is_refused(name):
    with pytest.raises(WrongCallError, match=rf"'{name}' is synthesised and reads no folder, but scans was given"):
        CaseSource(name, root="scans")


def test_only_what_reads_no_files_is_synthetic(tmp_path):
    assert CaseSource("phantom_us").synthetic and not CaseSource("folder", root=str(tmp_path)).synthetic


def test_a_folder_with_a_hash_sign_is_refused_in_words():
    with pytest.raises(WrongDataError, match="rewrites '#'"):
        CaseSource("folder", root="/data/case::1")


def test_an_unknown_part_suggests_the_nearest(phantom):
    with pytest.raises(WrongCallError, match="did you mean 'training'"):
        phantom.items("trainin")


def test_a_fold_file_is_resolved_to_parts(phantom, tmp_path):
    write_split(tmp_path / "folds.json", divide(phantom.dataset, phantom.cases, folds=4))
    tested = []
    for fold in range(4):
        source = CaseSource("phantom", split_file=str(tmp_path / "folds.json"), fold=fold)
        assert {entry.part for entry in source.split.cases.values()} == set(PARTS)
        tested += [entry["case"] for entry in source.items("test")]
    assert sorted(tested) == sorted(case.id for case in phantom.cases)


def test_folds_need_to_be_told_which_one(phantom, tmp_path):
    file = tmp_path / "folds.json"
    write_split(file, divide(phantom.dataset, phantom.cases, folds=3))
    with pytest.raises(WrongCallError, match=r"folds\.json holds 3 folds; give --fold 0 to 2"):
        CaseSource("phantom", split_file=str(file)).items("test")


def test_a_split_of_another_data_set_is_refused(phantom, tmp_path):
    write_split(tmp_path / "split.json", replace(phantom.split, dataset="folder"))
    with pytest.raises(WrongCallError, match=r"divides data set 'folder', not 'phantom'; give --dataset_name folder"):
        CaseSource("phantom", split_file=str(tmp_path / "split.json")).items("test")


def test_what_a_subclass_adds_to_the_digest_is_no_matter_of_the_split(phantom, tmp_path):
    """A mask that was predicted anew makes other prepared arrays, and no other files."""

    class Predicted(CaseSource):
        def digest(self, case_id: str) -> str:
            return f"{super().digest(case_id)}-with-another-mask"

    write_split(tmp_path / "split.json", phantom.split)
    assert Predicted("phantom", split_file=str(tmp_path / "split.json")).split.hash == phantom.split.hash
