"""The contract of a network plug-in, and ``build``, the only network target that configurations name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_tumor import registry
from monai_tumor.errors import PluginError, WrongCallError, unknown_name

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class NetworkFactory:
    """What a network plug-in registers.

    Attributes:
        name: The name users type.
        create: ``create(in_channels, out_channels, *, named options) -> torch.nn.Module``, without ``**kwargs``: the
            module maps float (batch, in_channels, rows, columns) to logits (batch, out_channels, rows, columns).
        size_multiple: Rows and columns must be multiples of this many pixels.
        task: ``segmentation`` or ``classification``.
        normalisation: Mean and standard deviation that the input, scaled to 0..1, is normalised with.
        conditions_on: Further inputs besides the image, ``()`` or ``("mask",)``.
        api: The contract version this was written for.
    """

    name: str
    create: Callable[..., nn.Module]
    size_multiple: int = 32
    task: str = "segmentation"
    normalisation: tuple[float, float] = (0.5, 0.5)
    conditions_on: tuple[str, ...] = ()
    api: int = registry.API

    def options(self) -> tuple[str, ...]:
        """Return the names of the options that ``create`` takes besides the two channel counts."""
        parameters = inspect.signature(self.create).parameters.values()
        if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
            raise PluginError(f"network {self.name!r} takes **kwargs, which hides typing errors; name its options")
        return tuple(item.name for item in parameters if item.name not in ("in_channels", "out_channels"))


def build(
    name: str, in_channels: int, out_channels: int, image_size: Sequence[int] | None = None, **options: Any
) -> nn.Module:
    """Build the network that ``name`` stands for, built-in or from a plug-in.

    Options with the value None are left to the network's own default, so that a configuration can list an option
    that not every network has (``encoder_name`` for a network without an exchangeable encoder).

    Args:
        name: A registered network, see ``monai-tumor plugins list``.
        in_channels: Channels of the image, 1 or 3.
        out_channels: Channels of the logits, 1 for lesion against everything else.
        image_size: Rows and columns that it will be used with, to be checked here rather than deep inside; None for any.
        options: Options of that network.

    Raises:
        WrongCallError: Unknown name or option (the message has the nearest one), or a size that the network cannot take.
        PluginError: The plug-in that brings the network cannot be loaded.
    """
    factory: NetworkFactory = registry.load_named("networks", str(name))
    known = factory.options()
    given = {key: value for key, value in options.items() if value is not None}
    for key in given:
        if key not in known:
            raise unknown_name(f"option of network {name!r}:", key, known)
    _check_size(factory, image_size or ())
    try:
        network = factory.create(in_channels, out_channels, **given)
    except (ValueError, KeyError) as error:
        cause = error.args[0] if error.args else error
        raise WrongCallError(f"network {name!r} cannot be built with {given}: {cause}") from error
    network.normalisation = factory.normalisation  # type: ignore[assignment]
    return network


def normalisation_of(network: nn.Module) -> tuple[float, float]:
    """Return mean and standard deviation of the input, scaled to 0..1, that a network was built for.

    A network that did not come from ``build`` gets 0.5 and 0.5, which maps 0..255 to -1..1.
    """
    mean, std = getattr(network, "normalisation", (0.5, 0.5))
    return float(mean), float(std)


def _check_size(factory: NetworkFactory, image_size: Sequence[int]) -> None:
    step = factory.size_multiple
    for axis, size in zip(("rows", "columns"), image_size, strict=False):
        if size % step:
            near = max(step, round(size / step) * step)
            raise WrongCallError(
                f"prepare#{axis} is {size}, network {factory.name!r} needs a multiple of {step}; for example {near}"
            )
