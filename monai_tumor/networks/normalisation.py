"""What the input of a network is normalised with. It belongs to the network: pretrained weights know no other input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from monai_tumor.errors import WrongCallError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Mean and standard deviation of an input that is scaled to 0..1; the default maps it to -1..1.

    Attributes:
        mean: One value for all channels, or one for each.
        std: As many, greater than 0.
    """

    mean: tuple[float, ...] = (0.5,)
    std: tuple[float, ...] = (0.5,)

    def for_channels(self, channels: int) -> Normalisation:
        """Return what an image of ``channels`` channels is normalised with.

        Values for other channels than these (three colours, but a grey image) become their mean.
        """
        if len(self.mean) in (1, channels):
            return self
        return Normalisation((fmean(self.mean),), (fmean(self.std),))

    def value_range(self) -> tuple[float, float]:
        """Return the least and the greatest value of a normalised image."""
        pairs = list(zip(self.mean, self.std, strict=True))
        return min(-mean / std for mean, std in pairs), max((1 - mean) / std for mean, std in pairs)

    def as_setting(self) -> dict[str, list[float]]:
        """Return what ``build`` takes, for a configuration."""
        return {"mean": list(self.mean), "std": list(self.std)}


IMAGENET_COLOURS = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def from_setting(setting: Mapping[str, Sequence[float]], channels: int) -> Normalisation:
    """Return the normalisation that a configuration states for an image of ``channels`` channels.

    Raises:
        WrongCallError: It is not ``{"mean": [...], "std": [...]}`` with one value, or one for each channel.
    """
    try:
        stated = Normalisation(**{name: tuple(map(float, values)) for name, values in setting.items()})
        fits = len(stated.mean) == len(stated.std) in (1, channels) and min(stated.std) > 0
    except (AttributeError, TypeError, ValueError):
        fits = False
    if not fits:
        raise WrongCallError(
            f'normalisation is {setting}, expected {{"mean": [0.5], "std": [0.5]}}: one value, or one for each of the '
            f"{channels} channels, std greater than 0"
        )
    return stated


def normalisation_of(network: nn.Module) -> Normalisation:
    """Return the normalisation of a network; one that did not come from ``build`` gets the default, -1..1."""
    found: Normalisation = getattr(network, "normalisation", Normalisation())
    return found
