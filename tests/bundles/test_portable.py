"""What of a run's own files leaves the house."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from monai_tumor.bundles.portable import portable_figures, portable_record, portable_split
from monai_tumor.bundles.weights_file import check_arrays, check_weights
from monai_tumor.errors import WrongDataError
from monai_tumor.evaluation.seen import refuse_seen_cases
from monai_tumor.pipeline import CaseSource


def test_a_record_keeps_figures_and_plain_settings_only():
    record = {
        "status": "finished",
        "command": ["monai-tumor", "train"],
        "best": 0.5,
        "host": "workstation",
        "hardware": {"device": "CPU", "host": "workstation"},
        "data": {"dataset": "folder", "place": "scans of Ms X", "test": {"cases": 3}},
        "settings": {"lr": 0.1, "network": "unet", "recipe": "mrs-x", "weights": "home/x.pt", "classes": ["a", "b"]},
        "members": [{"run": "mrs-x", "best": 0.5, "note": "x"}],
    }
    assert portable_record(record) == {
        "status": "finished",
        "best": 0.5,
        "hardware": {"device": "CPU"},
        "data": {"dataset": "folder", "test": {"cases": 3}},
        "settings": {"lr": 0.1, "network": "unet", "classes": ["a", "b"]},
        "members": [{"run": "fold-0", "best": 0.5}],
    }
    assert portable_record({"settings": {"recipe": "fast"}}, known=["fast"])["settings"] == {"recipe": "fast"}


def test_figures_of_groupings_that_anybody_named_are_left_out_with_their_lines():
    figures = {
        "dice": {"mean": 0.5, "text": "0.5"},
        "comment": "Ms X",
        "worst": ["case of Ms X"],
        "subgroups": {"label": {"benign": {"n": 3}, "as Ms X": {"n": 1}}, "scanner": {"room of Ms X": {"n": 4}}},
        "text": ["dice: 0.5", "label benign: missed 0", "label as Ms X: missed 1", "scanner room of Ms X: missed 0"],
    }
    assert portable_figures(figures) == {
        "dice": {"mean": 0.5, "text": "0.5"},
        "worst": [],
        "subgroups": {"label": {"benign": {"n": 3}}},
        "text": ["dice: 0.5", "label benign: missed 0"],
    }


@pytest.fixture(scope="module")
def split():
    return CaseSource("phantom").split


def test_a_portable_split_names_nobody_and_is_always_the_same(split):
    text = json.dumps(portable_split(split).content())
    assert not any(word in text for name, entry in split.cases.items() for word in (name, entry.group, entry.hash))
    assert portable_split(split) == portable_split(split)
    assert len(portable_split(split).ids("test")) == len(split.ids("test"))


def test_a_portable_split_still_refuses_what_the_run_has_learnt_from(split):
    known = portable_split(split)
    refuse_seen_cases(known, split, split.ids("test"))
    with pytest.raises(WrongDataError, match="1 of 1 cases were in the training or validation part"):
        refuse_seen_cases(known, split, split.ids("training")[:1])


def test_weights_that_are_more_than_tensors_are_refused(tmp_path):
    torch.save({"a": torch.zeros(2), "note": "Ms X"}, tmp_path / "model.pt")
    with pytest.raises(WrongDataError, match=r"holds 'note', which is no tensor"):
        check_weights(tmp_path / "model.pt")


def test_arrays_that_are_no_numbers_are_refused(tmp_path):
    np.savez(tmp_path / "good.npz", **{"0.mean": np.zeros(2)})
    check_arrays(tmp_path / "good.npz")
    np.savez(tmp_path / "bad.npz", names=np.array(["Ms X"]))
    with pytest.raises(WrongDataError, match="holds 'names', which is no array of numbers"):
        check_arrays(tmp_path / "bad.npz")
