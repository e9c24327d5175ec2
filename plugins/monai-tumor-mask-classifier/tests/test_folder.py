"""The folder of both stages: what it was begun with stays, and a mask is gathered only from who may draw it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tumor_mask_classifier.crossfit import Pair, mask_pairs, pair_split, pairs
from tumor_mask_classifier.folder import DiagnosisFolder

from monai_tumor.errors import WrongCallError
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


def test_the_same_again_goes_on_and_another_wish_is_refused(begun, split):
    begun.begin(split, ASKED)
    with pytest.raises(WrongCallError, match=r"was begun with bundle 'breast', not 'thyroid'; give another folder"):
        begun.begin(split, {**ASKED, "bundle": "thyroid"})


def test_a_folder_with_other_things_is_refused_and_stays_as_it_is(tmp_path, split):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(WrongCallError, match="is not empty and no diagnosis was begun there"):
        DiagnosisFolder(tmp_path).begin(split, ASKED)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


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
