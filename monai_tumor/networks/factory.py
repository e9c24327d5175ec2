"""The contract of a network plug-in, and ``build`` and ``build_ensemble``, the network targets of configurations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monai_tumor import registry
from monai_tumor.errors import PluginError, WrongCallError, unknown_name
from monai_tumor.networks.normalisation import Normalisation, from_setting

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class NetworkFactory:
    """What a network plug-in registers.

    Where options decide about ``size_multiple`` or ``normalisation``, ``create`` sets an attribute of that name on the
    network that it returns.

    Attributes:
        name: The name users type.
        create: ``create(in_channels, out_channels, *, named options) -> torch.nn.Module``, without ``**kwargs``: the
            module maps float (batch, in_channels, rows, columns) to logits (batch, out_channels, rows, columns).
        size_multiple: What rows and columns must be a multiple of; ``build`` pads other images and crops the logits.
        task: ``segmentation`` or ``classification``.
        normalisation: What the input, scaled to 0..1, is normalised with.
        conditions_on: Further inputs besides the image, ``()`` or ``("mask",)``.
        api: The contract version this was written for.
    """

    name: str
    create: Callable[..., nn.Module]
    size_multiple: int = 32
    task: str = "segmentation"
    normalisation: Normalisation = field(default_factory=Normalisation)
    conditions_on: tuple[str, ...] = ()
    api: int = registry.API

    def options(self) -> tuple[str, ...]:
        """Return the names of the options that ``create`` takes besides the two channel counts."""
        parameters = inspect.signature(self.create).parameters.values()
        if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
            raise PluginError(f"network {self.name!r} takes **kwargs, which hides typing errors; name its options")
        return tuple(item.name for item in parameters if item.name not in ("in_channels", "out_channels"))


def build(
    name: str,
    in_channels: int,
    out_channels: int,
    normalisation: Mapping[str, Sequence[float]] | None = None,
    **options: Any,
) -> nn.Module:
    """Build the network that ``name`` stands for, built-in or from a plug-in. It takes images of any size.

    Options with the value None are left to the network's own default, so that a configuration can list an option
    that not every network has (``encoder_name`` for a network without an exchangeable encoder).

    Args:
        name: A registered network, see ``monai-tumor plugins list``.
        in_channels: Channels of the image, 1 or 3.
        out_channels: Channels of the logits, 1 for lesion against everything else.
        normalisation: ``{"mean": [...], "std": [...]}`` of the input, scaled to 0..1; None for the network's own.
        options: Options of that network.

    Returns:
        The network, with the attributes ``normalisation`` (see ``normalisation_of``) and ``encoder_source`` (what a run
        records about the encoder and its weights, empty without one).

    Raises:
        WrongCallError: Unknown name or option (the message has the nearest one), or an option that cannot be used.
        PluginError: The plug-in that brings the network cannot be loaded.
    """
    factory: NetworkFactory = registry.load_named("networks", str(name))
    known = factory.options()
    given = {key: value for key, value in options.items() if value is not None}
    for key in given:
        if key not in known:
            raise unknown_name(f"option of network {name!r}:", key, known)
    stated = None if normalisation is None else from_setting(normalisation, in_channels)
    network = _create(factory, in_channels, out_channels, given)
    own = getattr(network, "normalisation", factory.normalisation).for_channels(in_channels)
    whole = _for_any_size(network, getattr(network, "size_multiple", factory.size_multiple))
    whole.normalisation = stated or own  # type: ignore[assignment]
    whole.encoder_source = getattr(network, "encoder_source", {})  # type: ignore[assignment]
    return whole


def build_ensemble(members: int, name: str, in_channels: int, out_channels: int = 1, **network: Any) -> nn.Module:
    """Build the network of a fold set: ``members`` networks as ``build`` makes them.

    Args:
        members: How many, 1 or more; one a fold.
        name: A registered network.
        in_channels: Channels of the image.
        out_channels: Channels of the logits of one member: 1 for a segmentation, the classes for a classification.
        network: What else ``build`` takes.

    Returns:
        A ``FoldEnsemble``, which gives one map of logits a member, or of classifiers a ``ClassFoldEnsemble``, which gives the
        mean logits; with the attributes of a network from ``build``.

    Raises:
        WrongCallError: As for ``build``; or there are no members, or members of several maps each.
    """
    from monai_tumor.networks.ensemble import ClassFoldEnsemble, FoldEnsemble

    classifies = is_classification(name)
    if members < 1 or (out_channels != 1 and not classifies):
        raise WrongCallError(
            f"an ensemble has members {members} and out_channels {out_channels}; expected 1 or more members of 1 channel each"
        )
    kind = ClassFoldEnsemble if classifies else FoldEnsemble
    return kind([build(name, in_channels, out_channels, **network) for _ in range(members)])


def is_classification(name: str) -> bool:
    """Return whether a registered network gives class logits instead of a map.

    Raises:
        WrongCallError: No network has this name.
        PluginError: The plug-in that brings it cannot be loaded.
    """
    factory: NetworkFactory = registry.load_named("networks", str(name))
    return factory.task == "classification"


def _create(factory: NetworkFactory, in_channels: int, out_channels: int, options: dict[str, Any]) -> nn.Module:
    try:
        return factory.create(in_channels, out_channels, **options)
    except (ValueError, KeyError, TypeError, RuntimeError) as error:  # what wrong values of options raise
        cause = error.args[0] if error.args else error
        raise WrongCallError(f"network {factory.name!r} cannot be built with {options}: {cause}") from error


def _for_any_size(network: nn.Module, multiple: int) -> nn.Module:
    from monai_tumor.networks.any_size import AnySize  # brings torch, which a listing need not load

    return AnySize(network, multiple) if multiple > 1 else network
