"""Batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_tumor.errors import WrongCallError
from monai_tumor.pipeline.loader import CaseLoader, collate_cases


def item(number: int) -> dict:
    image = np.full((20, 30, 3), number, dtype=np.uint8).transpose(2, 0, 1)
    return {
        "image": image,
        "label": np.zeros((1, 20, 30), np.uint8),
        "case": f"c{number}",
        "source_shape": np.array([5, 6]),
    }


def test_a_batch_is_uint8_and_channels_last_without_a_copy_of_its_own():
    batch = collate_cases([item(1), item(2)])
    assert batch["image"].shape == (2, 3, 20, 30)
    assert batch["image"].is_contiguous(memory_format=torch.channels_last)
    assert batch["case"] == ["c1", "c2"]
    assert batch["source_shape"].tolist() == [[5, 6], [5, 6]]


def test_an_entry_that_only_some_items_have_is_a_list():
    batch = collate_cases([item(1), {**item(2), "error": "cut off"}])
    assert batch["error"] == [None, "cut off"]


@pytest.mark.parametrize(("cases", "batches"), [(5, 2), (1, 1), (4, 2)])
def test_a_shuffled_loader_drops_a_short_batch_unless_it_is_all_there_is(cases, batches):
    assert len(CaseLoader([item(n) for n in range(cases)], batch_size=2, shuffle=True)) == batches


def test_an_evaluation_loader_drops_nothing():
    assert len(CaseLoader([item(n) for n in range(5)], batch_size=2)) == 3


def test_batch_size_zero_is_refused():
    with pytest.raises(WrongCallError, match="batch_size is 0"):
        CaseLoader([item(0)], batch_size=0)
