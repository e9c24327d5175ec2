"""The normalisation belongs to the network: from its weights, from its factory, or stated."""

from __future__ import annotations

import pytest

from monai_tumor.errors import WrongCallError
from monai_tumor.networks import Normalisation, build
from monai_tumor.networks.encoder_weights import pretrained_normalisation
from monai_tumor.networks.normalisation import IMAGENET_COLOURS, normalisation_of


def test_a_grey_image_gets_the_mean_of_the_colours():
    assert IMAGENET_COLOURS.for_channels(3) is IMAGENET_COLOURS
    grey = IMAGENET_COLOURS.for_channels(1)
    assert (grey.mean, grey.std) == (pytest.approx((0.449,)), pytest.approx((0.226,)))


def test_the_range_is_that_of_black_and_white():
    assert Normalisation().value_range() == (-1, 1)
    assert Normalisation((0.25, 0.5), (0.25, 0.5)).value_range() == (-1, 3)


def test_a_network_from_elsewhere_gets_the_default():
    from torch import nn

    assert normalisation_of(nn.Identity()) == Normalisation((0.5,), (0.5,))


def test_a_stated_normalisation_is_taken_and_survives_a_configuration():
    stated = {"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}
    network = build("monai_unet", 3, 1, normalisation=stated)
    assert normalisation_of(network) == Normalisation((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    assert normalisation_of(network).as_setting() == stated


@pytest.mark.parametrize(
    "wrong",
    [{"mean": [0.1, 0.2], "std": [1, 1]}, {"mean": [0.5], "std": [0]}, {"men": [0.5]}, {"mean": 0.5}, [0.5, 0.5]],
)
def test_a_normalisation_that_cannot_be_used_is_refused(wrong):
    with pytest.raises(
        WrongCallError, match=r'expected \{"mean": \[0\.5\], "std": \[0\.5\]\}: one value, or one for each of'
    ):
        build("monai_unet", 3, 1, normalisation=wrong)


@pytest.mark.parametrize(
    ("encoder", "mean"),
    [
        ("resnet34", 0.485),
        ("vgg11", 0.485),
        ("inceptionv4", 0.5),
        ("xception", 0.5),
        ("dpn68", 124 / 255),
        ("tu-tf_efficientnet_lite1", 0.5),
        ("tu-resnet18", 0.485),
    ],
)
def test_published_weights_know_one_normalisation(encoder, mean):
    assert pretrained_normalisation(encoder).mean[0] == pytest.approx(mean)
