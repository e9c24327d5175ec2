"""The folder of both stages: what it was begun with stays, and a mask is gathered only from who may draw it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tumor_mask_classifier.crossfit import Pair, mask_pairs, pair_split, pairs
from tumor_mask_classifier.folder import DiagnosisFolder

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.folds.division import cut_folds
from monai_tumor.imaging.read import read_mask
from monai_tumor.imaging.write import write_mask
from monai_tumor.splits.split import Split, write_split

ASKED = {"bundle": "breast", "budgets": [["--epochs", "1"], ["--epochs", "2"]]}


@pytest.fixture(scope="module")
def split() -> Split:
    return cut_folds("phantom_us", None, 0, 4)


@pytest.fixture
def begun(tmp_path: Path, split: Split) -> DiagnosisFolder:
    folder = DiagnosisFolder(tmp_path / "out")
    folder.begin(split, ASKED)
    return folder


def draw(folder: DiagnosisFolder, split: Split, first_left_out: Pair = (0, 1)) -> None:
    """Write what trained networks would have left; the mask of each pair is as wide as its number.

    The first pair's network left out ``first_left_out``, where it should have left out folds 0 and 1.
    """
    for number, pair in enumerate(pairs(split.folds)):
        run = folder.stage_one(pair)
        write_split(run / "split.json", pair_split(split, first_left_out if number == 0 else pair))
        (run / "run.json").write_text(json.dumps({"weights_sha256": f"weights of {pair}"}))
        for name, entry in split.cases.items():
            if entry.part in pair:
                mask = np.zeros((8, 12), bool)
                mask[2, : number + 1] = True
                write_mask(run / "evaluation" / "001-test" / "predictions" / f"{name}.png", mask)
        (run / "evaluation" / "001-test" / "evaluation.json").write_text('{"part": "test"}')
        (run / "evaluation" / "001-test" / "metrics.json").write_text("{}")


def test_the_same_again_goes_on_and_another_wish_is_refused(begun, split):
    begun.begin(split, ASKED)
    with pytest.raises(WrongCallError, match=r"was begun with bundle 'breast', not 'thyroid'; give another folder"):
        begun.begin(split, {**ASKED, "bundle": "thyroid"})


def test_a_folder_with_other_things_is_refused_and_stays_as_it_is(tmp_path, split):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(WrongCallError, match="is not empty and no diagnosis was begun there"):
        DiagnosisFolder(tmp_path).begin(split, ASKED)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_that_was_killed_after_its_folds_goes_on(tmp_path, split):
    write_split(tmp_path / "split.json", split)
    folder = DiagnosisFolder(tmp_path)
    assert not folder.is_begun
    with pytest.raises(WrongCallError, match="holds other folds than these"):
        folder.begin(cut_folds("phantom_us", None, 1, 4), ASKED)
    folder.begin(split, ASKED)
    assert folder.is_begun


def test_a_damaged_record_is_named(begun, split):
    (begun.path / "diagnosis.json").write_text('{"bundle": ')
    with pytest.raises(WrongDataError, match=r"diagnosis\.json cannot be read"):
        begun.begin(split, ASKED)


def test_of_several_tests_the_first_finished_one_gives_the_masks(begun, split):
    draw(begun, split)
    pair = pairs(split.folds)[0]
    first = begun.stage_one(pair) / "evaluation" / "001-test"
    shutil.copytree(first, first.with_name("002-test"))
    begun.gather_masks(0)
    assert (begun.masks(0) / "masks.json").is_file()


def test_a_case_without_a_mask_of_its_network_is_named(begun, split):
    draw(begun, split)
    name = next(name for name, entry in split.cases.items() if entry.part == 2)
    for mask in begun.path.rglob(f"predictions/{name}.png"):
        mask.unlink()
    with pytest.raises(WrongDataError, match=f"drew no mask of case '{name}'"):
        begun.gather_masks(0)
    assert not (begun.masks(0) / "masks.json").exists()


def test_each_mask_is_that_of_the_network_that_may_draw_it(begun, split):
    draw(begun, split)
    begun.gather_masks(1)
    chosen, numbers = mask_pairs(split, 1), {pair: number for number, pair in enumerate(pairs(split.folds))}
    origin = json.loads((begun.masks(1) / "masks.json").read_text())
    assert set(origin) == set(chosen) == {path.stem for path in begun.masks(1).glob("*.png")}
    for name, pair in chosen.items():
        assert read_mask(begun.masks(1) / f"{name}.png").sum() == numbers[pair] + 1
        assert origin[name] == {"pair": list(pair), "weights_sha256": f"weights of {pair}"}


def test_nothing_is_gathered_from_a_network_that_saw_what_it_must_not(begun, split):
    draw(begun, split, first_left_out=(2, 3))
    with pytest.raises(RuntimeError, match="comes from a network that saw its group"):
        begun.gather_masks(0)
    assert not begun.masks(0).exists()
