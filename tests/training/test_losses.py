"""Losses by name, against MONAI's and torch's, and a boundary worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.losses import DiceCELoss, DiceLoss
from scipy.ndimage import distance_transform_edt
from torch import nn

from monai_tumor.errors import WrongCallError
from monai_tumor.training import build_loss
from monai_tumor.training.dice_boundary import signed_distance


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(3)
    return torch.randn(2, 1, 9, 14), (torch.rand(2, 1, 9, 14) > 0.7).float()


def test_dice_and_weighted_bce_is_the_formula():
    logits, reference = batch()
    expected = DiceCELoss(sigmoid=True, batch=True, lambda_ce=0.3)(logits, reference)
    torch.testing.assert_close(build_loss("dice_bce", 0.3)(logits, reference), expected)


def test_bce_alone_is_torchs():
    logits, reference = batch()
    assert build_loss("bce")(logits, reference) == nn.functional.binary_cross_entropy_with_logits(logits, reference)


def test_focal_by_hand():
    logits, reference = batch()
    p = torch.sigmoid(logits)
    right = torch.where(reference > 0, p, 1 - p)
    focal = ((1 - right) ** 2 * -right.log()).mean()
    dice = DiceLoss(sigmoid=True, batch=True)(logits, reference)
    torch.testing.assert_close(build_loss("dice_focal", 0.5)(logits, reference), dice + 0.5 * focal)


def test_signed_distance_of_one_column_by_hand():
    mask = np.array([[0, 0, 1, 1, 0]] * 3, bool)
    assert signed_distance(mask).tolist() == [[2, 1, -1, -1, 1]] * 3


def test_signed_distance_is_scipys():
    mask = np.random.default_rng(0).random((21, 34)) > 0.6
    expected = distance_transform_edt(~mask) - distance_transform_edt(mask)
    np.testing.assert_allclose(signed_distance(mask), expected, atol=1e-5)


@pytest.mark.parametrize("value", [False, True])
def test_without_a_contour_there_is_no_distance(value):
    assert not signed_distance(np.full((4, 7), value)).any()


def test_the_boundary_term_pulls_far_pixels_harder():
    reference = torch.zeros(1, 1, 4, 16)
    reference[..., :2] = 1
    logits = torch.zeros_like(reference, requires_grad=True)
    both, dice = (
        build_loss("dice_boundary", 1.0)(logits, reference),
        build_loss("dice_boundary", 0.0)(logits, reference),
    )
    (gradient,) = torch.autograd.grad(both - dice, logits)
    pull = gradient[0, 0, 0]
    assert (pull[:2] < 0).all()  # more lesion here
    assert (pull[2:].diff() > 0).all()


@pytest.mark.parametrize("name", ["dice_bce", "bce", "dice_focal", "dice_boundary"])
def test_a_few_steps_of_each_come_nearer_to_the_reference(name):
    _, reference = batch()
    logits = torch.zeros_like(reference, requires_grad=True)
    optimizer, loss = torch.optim.Adam([logits], lr=0.3), build_loss(name)
    first = float(loss(logits, reference).detach())
    for _ in range(30):
        optimizer.zero_grad()
        loss(logits, reference).backward()
        optimizer.step()
    assert float(loss(logits, reference).detach()) < first
    assert ((logits > 0) == (reference > 0)).float().mean() > 0.95


def test_wrong_names_and_weights_are_refused():
    with pytest.raises(WrongCallError, match="unknown loss 'dice_bec'; did you mean 'dice_bce'"):
        build_loss("dice_bec")
    with pytest.raises(WrongCallError, match="weight is -1"):
        build_loss("dice_bce", -1)
