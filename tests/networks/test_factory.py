"""Networks by name: strict options, and mistakes answered in one line."""

from __future__ import annotations

import pytest

from monai_tumor.errors import PluginError, WrongCallError
from monai_tumor.networks import NetworkFactory, build


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"name": "unett"}, "unknown network 'unett'; did you mean 'unet'"),
        ({"name": "unet", "encoder_nme": "resnet18"}, "'encoder_nme'; did you mean 'encoder_name'"),
        ({"name": "unet", "image_size": [64, 64]}, "unknown option of network 'unet': 'image_size'"),
        ({"name": "monai_unet", "encoder_name": "resnet18"}, "unknown option of network 'monai_unet'"),
        ({"name": "segresnet", "channels": 8}, "unknown option of network 'segresnet'"),
        ({"name": "unet", "encoder_name": "resnet3"}, "unknown encoder 'resnet3'; did you mean 'resnet34'"),
        ({"name": "unet", "encoder_name": "tu-resnet3"}, "unknown encoder 'tu-resnet3'; did you mean 'tu-resnet34'"),
        ({"name": "unet", "encoder_name": "tu-hf-hub:timm/resnet18"}, "unknown encoder 'tu-hf-hub:timm/resnet18'"),
        ({"name": "deeplabv3", "encoder_name": "vgg11"}, "network 'deeplabv3' cannot be built with .*dilated mode"),
        ({"name": "monai_unet", "channels": "wide"}, "network 'monai_unet' cannot be built with"),
    ],
)
def test_mistakes_are_refused_with_the_nearest_name(call, message):
    with pytest.raises(WrongCallError, match=message) as caught:
        build(in_channels=1, out_channels=1, **call)
    assert "\n" not in str(caught.value)


def test_none_means_the_networks_own_default():
    assert build("monai_unet", 1, 1, encoder_name=None, encoder_weights=None).encoder_source == {}


def test_a_factory_that_swallows_keywords_is_refused():
    with pytest.raises(PluginError, match=r"takes \*\*kwargs"):
        NetworkFactory("loose", lambda in_channels, out_channels, **rest: None).options()
