"""Batches, class weights and the figure that chooses the best epoch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from ignite.engine import Engine
from sklearn.metrics import recall_score
from tumor_mask_classifier.balanced_accuracy import BalancedAccuracy
from tumor_mask_classifier.batch import DiagnosisBatch
from tumor_mask_classifier.class_weights import class_weights

from monai_tumor.errors import WrongCallError, WrongDataError

CLASSES = ("normal", "benign", "malignant")


def network(mean: float, std: float) -> torch.nn.Module:
    from monai_tumor.networks import Normalisation

    module = torch.nn.Identity()
    module.normalisation = Normalisation((mean,), (std,))
    return module


def test_the_input_is_the_normalised_image_and_the_mask_behind_it():
    image = torch.tensor([0, 51, 255]).to(torch.uint8).view(1, 1, 1, 3)
    mask = torch.tensor([0, 1, 1]).to(torch.uint8).view(1, 1, 1, 3)
    both, target = DiagnosisBatch(network(0.2, 0.5))(
        {"image": image, "label": mask, "target": torch.tensor([2])}, "cpu"
    )
    assert both.flatten().tolist() == pytest.approx([-0.4, 0.0, 1.6, 0, 1, 1], abs=1e-6)
    assert both.shape == (1, 2, 1, 3) and both.dtype == torch.float32
    assert target.tolist() == [2] and target.dtype == torch.int64


def test_images_without_a_mask_get_an_empty_one():
    prepare, image = DiagnosisBatch(network(0.5, 0.5)), torch.zeros(2, 1, 2, 3, dtype=torch.uint8)
    some, target = prepare({"image": image, "label": [None, np.ones((1, 2, 3), np.uint8)]}, "cpu")
    assert target is None and some[:, 1].sum(dim=(1, 2)).tolist() == [0, 6]
    assert prepare({"image": image}, "cpu")[0][:, 1].sum() == 0


class Counted:
    """A source of which only the classes are asked for."""

    name, classes = "counted", CLASSES

    def __init__(self, *counts: int) -> None:
        self.targets = [place for place, count in enumerate(counts) for _ in range(count)]

    def items(self, part: str) -> list[dict[str, int]]:
        assert part == "training"
        return [{"target": target} for target in self.targets]


def test_balanced_weights_let_every_class_count_the_same():
    weights = class_weights(Counted(1, 6, 3), "balanced")
    assert weights.tolist() == pytest.approx([10 / 3, 10 / 18, 10 / 9])
    assert class_weights(Counted(1, 6, 3), "none") is None


def test_a_class_without_a_training_case_is_refused():
    with pytest.raises(WrongDataError, match="class 'normal' has no case in the training part of data set 'counted'"):
        class_weights(Counted(0, 6, 3), "balanced")
    with pytest.raises(WrongCallError, match="unknown class_weights 'balance'; did you mean 'balanced'"):
        class_weights(Counted(1, 6, 3), "balance")


def measured(predicted: list[int], targets: list[int], batch: int = 4) -> dict[str, float]:
    """The metrics of an engine that was run over these cases."""
    logits, wanted = torch.eye(3)[predicted], torch.tensor(targets)
    engine = Engine(lambda _, places: {"pred": logits[places], "label": wanted[places]})
    BalancedAccuracy(CLASSES).attach(engine, "balanced_accuracy")
    engine.run([list(range(k, min(k + batch, len(targets)))) for k in range(0, len(targets), batch)])
    return engine.state.metrics


def test_the_commonest_name_for_all_is_worth_a_third_however_common_it_is():
    figures = measured([1] * 100, [1] * 90 + [0] * 5 + [2] * 5)
    assert figures["balanced_accuracy"] == pytest.approx(1 / 3)
    assert (figures["balanced_accuracy_cases"], figures["balanced_accuracy_classes"]) == (100, 3)
    assert [figures[f"balanced_accuracy_recall_{name}"] for name in CLASSES] == [0, 1, 0]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=30))
def test_it_is_the_mean_recall_over_the_classes_present(pairs):
    predicted, targets = (list(one) for one in zip(*pairs, strict=True))
    expected = recall_score(targets, predicted, labels=sorted(set(targets)), average="macro", zero_division=0)
    assert measured(predicted, targets)["balanced_accuracy"] == pytest.approx(expected)


def test_an_absent_class_is_said_and_not_counted(capsys):
    figures = measured([1, 1, 2, 1], [1, 1, 2, 2])
    assert figures["balanced_accuracy"] == pytest.approx(0.75) and figures["balanced_accuracy_classes"] == 2
    assert math.isnan(figures["balanced_accuracy_recall_normal"])
    assert capsys.readouterr().err == (
        "NOTE: no validation case is normal; balanced accuracy is the mean over the other classes.\n"
    )
