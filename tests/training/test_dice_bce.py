"""Our loss against MONAI's, a case by hand, and autograd."""

from __future__ import annotations

import math

import pytest
import torch
from monai.losses import DiceCELoss

from monai_tumor.training import DiceBceLoss


def batch(empty: bool = False, spread: float = 4.0) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(2)
    logits = torch.randn(3, 1, 7, 11, dtype=torch.float64) * spread
    reference = (torch.rand(3, 1, 7, 11) > 0.8).double()
    return logits.requires_grad_(), reference * (0 if empty else 1)


@pytest.mark.parametrize("weight", [0.0, 1.0, 2.5])
@pytest.mark.parametrize("empty", [False, True])
def test_value_and_gradient_equal_monais(weight, empty):
    logits, reference = batch(empty)
    losses = [DiceBceLoss(weight), DiceCELoss(sigmoid=True, batch=True, lambda_ce=weight)]
    values, gradients = [], []
    for loss in losses:
        values.append(loss(logits, reference))
        gradients.append(torch.autograd.grad(3 * values[-1], logits)[0])
    torch.testing.assert_close(values[0], values[1], rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-8, atol=1e-12)


def test_the_gradient_is_that_of_finite_differences():
    logits, reference = batch(spread=1.0)
    assert torch.autograd.gradcheck(lambda x: DiceBceLoss(0.7)(x, reference), (logits,))


def test_one_pixel_by_hand():
    loss = DiceBceLoss(1.0)(torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1))
    assert float(loss) == pytest.approx(1 - (2 * 0.5 + 1e-5) / (0.5 + 1 + 1e-5) + math.log(2), abs=1e-6)


def test_channels_last_logits_give_channels_last_free_gradients_of_the_same_shape():
    logits = torch.randn(2, 1, 8, 12).to(memory_format=torch.channels_last).requires_grad_()
    DiceBceLoss()(logits, torch.ones(2, 1, 8, 12)).backward()
    assert logits.grad.shape == logits.shape


def test_huge_logits_stay_finite():
    logits = torch.full((1, 1, 4, 4), 1e4).requires_grad_()
    loss = DiceBceLoss()(logits, torch.zeros(1, 1, 4, 4))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()
