"""Padding to a multiple by the last row and column, and back."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_tumor.networks.any_size import AnySize


class Picky(nn.Module):
    """Adds 1, remembers what it was given, and refuses what is not a multiple of 4."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        assert image.shape[-2] % 4 == image.shape[-1] % 4 == 0
        self.seen = image
        return image + 1


def test_a_fitting_image_goes_through_as_it_is():
    image, picky = torch.rand(2, 1, 8, 12), Picky()
    assert torch.equal(AnySize(picky, 4)(image), image + 1)
    assert picky.seen is image


def test_the_last_row_and_column_are_repeated_and_cropped_again():
    image, picky = torch.tensor([[[[1.0, 2, 3], [4, 5, 6]]]]), Picky()
    assert torch.equal(AnySize(picky, 4).eval()(image), image + 1)
    assert picky.seen.tolist() == [[[[1, 2, 3, 3], [4, 5, 6, 6], [4, 5, 6, 6], [4, 5, 6, 6]]]]


@pytest.mark.parametrize("size", [(1, 300), (65, 70), (1, 1), (3, 4)])
def test_every_size_comes_back(size):
    image = torch.rand(2, 3, *size)
    assert torch.equal(AnySize(Picky(), 4)(image), image + 1)


@pytest.mark.parametrize(("batch", "training", "columns"), [(1, True, 8), (2, True, 4), (1, False, 4)])
def test_only_a_single_small_image_in_training_gets_a_second_cell(batch, training, columns):
    picky = Picky()
    AnySize(picky, 4).train(training)(torch.rand(batch, 1, 4, 3))
    assert picky.seen.shape[-2:] == (4, columns)


def test_the_wrapper_can_be_scripted():
    network = AnySize(nn.Conv2d(1, 1, 4, stride=4), 4).eval()
    scripted = torch.jit.script(AnySize(nn.Conv2d(1, 1, 1), 4).eval())
    assert scripted(torch.rand(1, 1, 5, 7)).shape == (1, 1, 5, 7)
    assert list(network.state_dict()) == ["network.weight", "network.bias"]
