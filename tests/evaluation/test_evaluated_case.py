"""A case on disk is the case that was measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from monai_tumor.errors import WrongDataError
from monai_tumor.evaluation.evaluated_case import EvaluatedCase, read_case, write_case
from monai_tumor.evaluation.scoring import evaluate_case
from monai_tumor.inference.operating_point import OperatingPoint
from monai_tumor.metrics.measures import MEASURES
from tests.evaluation.conftest import case_of, lesion_at


def figures(case: EvaluatedCase) -> list[float]:
    return [measure.of(case.scored) for measure in MEASURES]


def test_a_case_reads_back_equal_to_the_last_digit(tmp_path: Path) -> None:
    maps = np.random.default_rng(0).random((3, 20, 30), np.float32)
    case, _ = evaluate_case("a/b", "p1", maps, lesion_at(3, 4), OperatingPoint(), label="benign", dataset="busi")
    write_case(tmp_path / "a" / "b.npz", case)
    read = read_case(tmp_path / "a" / "b.npz")
    assert figures(read) == figures(case) and read.uncertainty == case.uncertainty
    assert (read.id, read.scored.group, read.scored.label, read.scored.scanner) == ("a/b", "p1", "benign", None)
    assert np.array_equal(read.levels.dice, case.levels.dice)
    assert np.array_equal(read.logits.both, case.logits.both) and read.logits.both.sum() == 600


def test_one_map_has_no_uncertainty_and_several_have(tmp_path: Path) -> None:
    write_case(tmp_path / "one.npz", case_of("one", lesion_at(1, 2), lesion_at(1, 2)))
    assert read_case(tmp_path / "one.npz").uncertainty is None and np.isnan(read_case(tmp_path / "one.npz").unsure)


@pytest.mark.parametrize("content", [b"", b"PK no archive", b"\x93NUMPY"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(WrongDataError, match=r"x\.npz is no case of an evaluation"):
        read_case(tmp_path / "x.npz")


def test_the_mask_is_that_of_the_mean_map() -> None:
    maps = np.stack([np.full((4, 6), 0.2), np.full((4, 6), 0.6)]).astype(np.float32)
    case, mask = evaluate_case("x", "x", maps, np.ones((4, 6), bool), OperatingPoint(threshold=0.4))
    assert mask.all() and case.scored.overlap.dice == 1.0
    assert case.uncertainty is not None and case.uncertainty.disagreement == 1.0  # one says nothing, one everything


def test_a_probability_of_one_has_a_finite_logit() -> None:
    case, _ = evaluate_case("x", "x", np.ones((1, 4, 6), np.float32), np.ones((4, 6), bool), OperatingPoint())
    occurring = case.logits.logits[case.logits.positive > 0]
    assert occurring.tolist() == pytest.approx([16.1], abs=0.03)
