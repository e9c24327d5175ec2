"""Encoder weights from a file or a local cache; never from the network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from monai_tumor.errors import WrongCallError

NONE = "none"
IMAGENET = "imagenet"


def load_encoder_weights(encoder: nn.Module, encoder_name: str, source: str) -> None:
    """Load weights into an smp encoder in place; a one-channel stem gets the sum over the colour channels.

    Args:
        encoder: The ``encoder`` of an smp network.
        encoder_name: smp's name of it, such as ``resnet34``.
        source: ``none`` (random weights stay), ``imagenet`` (only from the local Hugging Face cache), or the path of a
            ``.pt`` / ``.pth`` / ``.safetensors`` file that holds a state dict.

    Raises:
        WrongCallError: The weights are not on this machine, cannot be read, or do not fit.
    """
    if source == NONE:
        return
    path = _cached_imagenet(encoder_name) if source == IMAGENET else Path(source)
    if not path.is_file():
        raise WrongCallError(f"encoder weights {source!r}: no such file; give a path, 'imagenet' or 'none'")
    weights = {
        name: value for name, value in _read_tensors(path).items() if not name.startswith(("fc.", "last_linear."))
    }
    wanted = encoder.state_dict()
    for name, value in weights.items():
        if name in wanted and value.shape != wanted[name].shape and value.ndim == 4:
            weights[name] = _adapt_stem(value, wanted[name].shape[1])
    try:
        encoder.load_state_dict(weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise WrongCallError(f"encoder weights {path.name} do not fit encoder {encoder_name!r}: {reason}") from error


def _cached_imagenet(encoder_name: str) -> Path:
    import segmentation_models_pytorch as smp
    from huggingface_hub import try_to_load_from_cache

    settings = smp.encoders.encoders.get(encoder_name, {}).get("pretrained_settings", {}).get(IMAGENET, {})
    if "repo_id" in settings:
        found = try_to_load_from_cache(settings["repo_id"], "model.safetensors", revision=settings.get("revision"))
        if isinstance(found, str):
            return Path(found)
    raise WrongCallError(
        f"ImageNet weights of encoder {encoder_name!r} are not on this machine and nothing is fetched silently; "
        "give the path of a weights file as encoder_weights, or 'none' for random weights"
    )


def _read_tensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip and safetensors each have errors of their own
        raise WrongCallError(f"encoder weights {path} cannot be read: {type(error).__name__}") from error
    if not isinstance(loaded, Mapping):
        raise WrongCallError(f"encoder weights {path} hold a {type(loaded).__name__}, expected a state dict")
    return dict(loaded.get("state_dict", loaded))


def _adapt_stem(kernel: torch.Tensor, channels: int) -> torch.Tensor:
    """Return a colour stem for ``channels`` inputs that answers a grey picture as the colour stem would."""
    return kernel.sum(dim=1, keepdim=True).expand(-1, channels, -1, -1) / channels
