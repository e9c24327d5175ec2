"""The U-Net that notebooks write by hand: the sizes that they print, and what each option does."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_tumor.errors import WrongCallError
from monai_tumor.networks import build

SMALL = {"channels": [4, 6, 10]}
AVERAGED = {
    **{"channels": [16, 32, 64, 128, 256], "batch_norm": True, "pool": "average"},
    **{"dropout": [0.1, 0.1, 0], "upsample_kernel": 3},
}


def classic(in_channels: int = 1, **options) -> nn.Module:
    return build("classic_unet", in_channels, 1, **options)


def layers(network: nn.Module, kind: type[nn.Module]) -> list[nn.Module]:
    return [layer for layer in network.modules() if isinstance(layer, kind)]


def trainable(network: nn.Module) -> int:
    return sum(value.numel() for value in network.parameters() if value.requires_grad)


def test_the_default_has_the_parameters_of_the_usual_64_to_1024():
    # Levels of the encoder: 37,568 + 221,440 + 885,248 + 3,539,968 + 14,157,824; of the decoder: 9,176,576 + 2,294,528
    # + 573,824 + 143,552; the last convolution: 65.
    assert trainable(classic()) == 31_030_593
    assert trainable(classic(dropout=[0.2, 0, 0.1])) == 31_030_593


def test_the_averaging_variant_in_colour_has_the_parameters_that_were_printed():
    network = classic(3, **AVERAGED)
    # 2,158,705 in convolutions and 2 x 1,472 in batch normalisation, whose running figures Keras counts as well.
    running = sum(value.numel() for name, value in network.named_buffers() if "running" in name)
    assert (trainable(network), trainable(network) + running) == (2_161_649, 2_164_593)


@pytest.mark.parametrize("kernel", [2, 3])
def test_levels_halve_and_double_exactly(kernel):
    network = classic(**SMALL, upsample_kernel=kernel)
    sizes = []
    for layer in layers(network, nn.MaxPool2d) + layers(network, nn.ConvTranspose2d):
        layer.register_forward_hook(lambda _, __, output: sizes.append(tuple(output.shape[1:])))
    network(torch.rand(1, 1, 12, 20))
    assert sizes == [(4, 6, 10), (6, 3, 5), (6, 6, 10), (4, 12, 20)]


def test_each_option_changes_its_layers():
    plain, other = classic(**SMALL), classic(**SMALL, batch_norm=True, pool="average", dropout=[0.2, 0.3, 0.1])
    assert (len(layers(plain, nn.MaxPool2d)), len(layers(plain, nn.BatchNorm2d))) == (2, 0)
    assert (len(layers(other, nn.AvgPool2d)), len(layers(other, nn.BatchNorm2d))) == (2, 10)
    assert [layer.p for layer in layers(other, nn.Dropout)] == [0.2, 0.2, 0.3, 0.1, 0.3, 0.1]


def test_logits_are_not_cut_at_the_end():
    torch.manual_seed(0)
    logits = classic(**SMALL)(torch.randn(4, 1, 16, 24))
    assert logits.min() < 0 < logits.max()


def test_he_initialisation_keeps_the_size_of_features():
    torch.manual_seed(0)
    with torch.inference_mode():
        logits = classic(channels=[32, 64, 128]).eval()(torch.randn(2, 1, 32, 48))
    assert 0.3 < logits.square().mean().sqrt() < 3


@pytest.mark.parametrize("batch", [1, 3])
def test_every_variant_trains_with_small_images_and_batches(batch):
    network = classic(3, **{**AVERAGED, "channels": [4, 6, 10]}).train()
    network(torch.rand(batch, 3, 5, 3)).square().mean().backward()
    assert all(value.grad is not None and torch.isfinite(value.grad).all() for value in network.parameters())


@pytest.mark.filterwarnings("ignore")
def test_a_traced_variant_takes_other_sizes():
    network = classic(3, **AVERAGED).eval()
    with torch.no_grad():
        traced = torch.jit.trace(network, torch.rand(1, 3, 32, 48))
        for size in [(65, 70), (1, 300)]:
            image = torch.rand(2, 3, *size)
            torch.testing.assert_close(traced(image), network(image), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batchnorm": True}, "unknown option of network 'classic_unet': 'batchnorm'; did you mean 'batch_norm'"),
        ({"pool": "avrage"}, "unknown pool of network 'classic_unet': 'avrage'; did you mean 'average'"),
        ({"upsample_kernel": 4}, "upsample_kernel of network 'classic_unet' is 4, expected 2 or 3"),
        ({"dropout": 0.1}, "dropout of network 'classic_unet' is 0.1, expected three shares: after each pooling"),
        ({"dropout": [0.1, 0.1]}, r"is \[0.1, 0.1\], expected three shares"),
        ({"dropout": [2, 0, 0]}, "network 'classic_unet' cannot be built with .* has to be between 0 and 1"),
        ({"channels": "wide"}, "network 'classic_unet' cannot be built with"),
        ({"channels": []}, "channels of network 'classic_unet' are none, expected one width for each level"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, message):
    with pytest.raises(WrongCallError, match=message) as caught:
        classic(**options)
    assert "\n" not in str(caught.value)
