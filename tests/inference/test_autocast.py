"""bfloat16 on any device, float32 out."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_tumor.errors import WrongCallError
from monai_tumor.inference import AutocastInferer
from monai_tumor.inference.autocast import uses_bf16


class Remember(nn.Module):
    """A convolution that remembers what it computed in."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 3)

    def forward(self, image):
        result = self.layer(image)
        self.dtype = result.dtype
        return result


@pytest.mark.parametrize(("precision", "inside"), [("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_the_network_computes_in_the_precision_and_logits_are_float32(precision, inside):
    network = Remember()
    logits = AutocastInferer(precision)(torch.rand(1, 1, 8, 9), network)
    assert network.dtype == inside
    assert logits.dtype == torch.float32


def test_auto_follows_the_processor(monkeypatch):
    for native in (True, False):
        monkeypatch.setattr("monai_tumor.inference.autocast.native_bf16", lambda device, native=native: native)
        assert uses_bf16("auto", "cpu") is native
        assert uses_bf16("bf16", "cpu")
        assert not uses_bf16("fp32", "cpu")


def test_bf16_logits_are_near_float32_ones():
    network, image = Remember(), torch.rand(2, 1, 16, 16)
    torch.testing.assert_close(
        AutocastInferer("bf16")(image, network), AutocastInferer("fp32")(image, network), atol=0.02, rtol=0.02
    )


def test_an_unknown_precision_is_refused():
    with pytest.raises(WrongCallError, match="unknown precision 'fp16'"):
        AutocastInferer("fp16")
