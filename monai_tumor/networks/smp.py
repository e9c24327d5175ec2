"""U-Net, U-Net++ and DeepLabV3 of segmentation-models-pytorch, with strict options.

segmentation-models-pytorch 0.6.0 swallows unknown keywords and fetches ImageNet weights by default; neither happens
here. Encoder weights are random unless a file or a local cache is named.
"""

from __future__ import annotations

from torch import nn

from monai_tumor.networks.encoder_weights import load_encoder_weights
from monai_tumor.networks.factory import NetworkFactory


def _create(kind: str, in_channels: int, out_channels: int, encoder_name: str, encoder_weights: str) -> nn.Module:
    import segmentation_models_pytorch as smp  # two seconds of imports: only for who builds one

    known = smp.encoders.encoders
    if encoder_name not in known and not encoder_name.startswith("tu-"):
        raise ValueError(f"unknown encoder {encoder_name!r}; one of {', '.join(sorted(known))}, or tu-<timm name>")
    architecture = getattr(smp, kind)
    network: nn.Module = architecture(
        encoder_name=encoder_name, encoder_weights=None, in_channels=in_channels, classes=out_channels
    )
    load_encoder_weights(network.get_submodule("encoder"), encoder_name, encoder_weights)
    return network


def create_unet(
    in_channels: int, out_channels: int, *, encoder_name: str = "resnet34", encoder_weights: str = "none"
) -> nn.Module:
    """Return smp's U-Net (Ronneberger et al., 2015) with an exchangeable encoder."""
    return _create("Unet", in_channels, out_channels, encoder_name, encoder_weights)


def create_unetplusplus(
    in_channels: int, out_channels: int, *, encoder_name: str = "resnet34", encoder_weights: str = "none"
) -> nn.Module:
    """Return smp's U-Net++ (Zhou et al., 2018) with an exchangeable encoder."""
    return _create("UnetPlusPlus", in_channels, out_channels, encoder_name, encoder_weights)


def create_deeplabv3(
    in_channels: int, out_channels: int, *, encoder_name: str = "resnet34", encoder_weights: str = "none"
) -> nn.Module:
    """Return smp's DeepLabV3 (Chen et al., 2017) with an exchangeable encoder."""
    return _create("DeepLabV3", in_channels, out_channels, encoder_name, encoder_weights)


UNET = NetworkFactory("unet", create_unet)
UNETPLUSPLUS = NetworkFactory("unetplusplus", create_unetplusplus)
DEEPLABV3 = NetworkFactory("deeplabv3", create_deeplabv3)
