"""Entry points to components. Standard library only; listing imports no component, loading imports one.

A component is a data set, a network, a bundle or a command. Built-ins are listed in ``entry_points.ini`` beside this
file, which setuptools turns into entry points; it is read here directly so that a checkout works uninstalled. Guests
come from any installed distribution that has entry points in one of ``GROUPS``.
"""

from __future__ import annotations

import configparser
import importlib
import importlib.metadata
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from monai_tumor import __version__
from monai_tumor.errors import PluginError, ToolkitError, WrongCallError, unknown_name

API = 1
KINDS = ("datasets", "networks", "bundles", "commands")
LIMIT_VARIABLE = "MONAI_TUMOR_PLUGINS"
CORE = "monai-tumor"

# Names that a well-known plug-in brings, so that its absence can be answered with the line that installs it.
_KNOWN_GUESTS = {
    ("datasets", "brain_mri"): "monai-tumor-brain-mri",
    ("datasets", "bus_bra"): "monai-tumor-bus-bra",
    ("datasets", "busi"): "monai-tumor-busi",
    ("datasets", "thyroid"): "monai-tumor-thyroid",
}


@dataclass(frozen=True, slots=True)
class Component:
    """One registered component, known by metadata only.

    Attributes:
        kind: One of ``KINDS``.
        name: The name users type.
        distribution: The installed distribution that registers it.
        version: That distribution's version.
        target: ``module:attribute``, or a package for a bundle.
    """

    kind: str
    name: str
    distribution: str
    version: str
    target: str


def components(kind: str | None = None) -> list[Component]:
    """List what is registered, built-ins first, without importing any of it.

    ``MONAI_TUMOR_PLUGINS`` (a comma list of distributions, or empty) limits the guests that are considered.
    """
    listed = [*_builtins(), *_guests(os.environ.get(LIMIT_VARIABLE))]
    return [component for component in listed if kind in (None, component.kind)]


def find(kind: str, name: str) -> Component:
    """Return the component that ``name`` (or ``distribution:name``) stands for, without importing it.

    Raises:
        WrongCallError: Nobody registers the name; says the nearest one, or which plug-in would bring it.
        PluginError: Two distributions claim the name.
    """
    listed = components(kind)
    distribution, _, short = name.rpartition(":")
    found = [item for item in listed if item.name == short and distribution in ("", item.distribution)]
    if len(found) == 1:
        return found[0]
    if found:
        claims = ", ".join(f"{item.distribution}:{item.name}" for item in found)
        raise PluginError(
            f"{_singular(kind)} {name!r} is claimed by more than one plug-in: {claims}; write one of these"
        )
    if same := [f"{item.distribution}:{item.name}" for item in listed if item.name == short]:
        raise unknown_name(_singular(kind), name, same)
    if (guest := _KNOWN_GUESTS.get((kind, short))) is not None:
        raise WrongCallError(f"{_singular(kind)} {short!r} comes with a plug-in that is {_absence(guest)}")
    raise unknown_name(_singular(kind), name, [item.name for item in listed])


def load_named(kind: str, name: str) -> Any:
    """Import and return the component that ``name`` stands for.

    Raises:
        WrongCallError: Nobody registers the name.
        PluginError: Its module fails to import, or it was written for another contract version.
    """
    return load_component(find(kind, name))


def load_component(component: Component) -> Any:
    """Import one listed component and check its contract version.

    Raises:
        PluginError: The import fails, whatever the reason, or the contract version is another.
    """
    where = f"{_singular(component.kind)} {component.name!r} of {component.distribution} ({component.target})"
    module, _, attribute = component.target.partition(":")
    try:
        loaded: Any = importlib.import_module(module)
        for part in filter(None, attribute.split(".")):
            loaded = getattr(loaded, part)
    except ToolkitError:
        raise
    except (Exception, SystemExit) as error:  # a guest may fail in any way, and must not end the program unnamed
        raise PluginError(f"{where} cannot be loaded: {type(error).__name__}: {error}") from error
    api = getattr(loaded, "api", None)
    if component.kind in ("datasets", "networks") and api != API:
        raise PluginError(f"{where} was written for contract version {api}, this is version {API}; update the plug-in")
    return loaded


def _builtins() -> list[Component]:
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(Path(__file__).with_name("entry_points.ini"), encoding="utf-8")
    return [
        Component(kind, name, CORE, __version__, target)
        for kind in KINDS
        if parser.has_section(f"monai_tumor.{kind}")
        for name, target in parser.items(f"monai_tumor.{kind}")
    ]


@cache
def _guests(limit: str | None) -> tuple[Component, ...]:
    wanted = None if limit is None else {_normal(item) for item in limit.split(",")}
    found: set[Component] = set()
    points = importlib.metadata.entry_points()  # once: each call reads the metadata of everything installed
    for kind in KINDS:
        for point in points.select(group=f"monai_tumor.{kind}"):
            owner, version = _owner(point)
            component = Component(kind, point.name, _normal(owner or "unknown"), version or "", point.value)
            if component.distribution != CORE and (wanted is None or component.distribution in wanted):
                found.add(component)
    return tuple(sorted(found, key=lambda item: (KINDS.index(item.kind), item.name, item.distribution)))


def _owner(point: importlib.metadata.EntryPoint) -> tuple[str | None, str | None]:
    """Return name and version of the distribution; an installation that broke off has neither."""
    try:
        return (point.dist.name, point.dist.version) if point.dist else (None, None)
    except (
        FileNotFoundError
    ):  # raised by the backport importlib_metadata, which other packages import and thereby put in place
        return None, None


def _singular(kind: str) -> str:
    return {"datasets": "data set", "networks": "network", "bundles": "bundle", "commands": "command"}[kind]


def _normal(distribution: str) -> str:
    """Return a distribution's name as package indexes spell it: ``My_Plugin`` is ``my-plugin``."""
    return re.sub(r"[-_.]+", "-", distribution.strip()).lower()


def _absence(distribution: str) -> str:
    """Say why a well-known plug-in is not listed, and the next step."""
    limit = os.environ.get(LIMIT_VARIABLE)
    if limit is not None and distribution not in map(_normal, limit.split(",")):
        return f"not named in {LIMIT_VARIABLE}; add {distribution} there"
    checkout = Path(__file__).parent.parent / "plugins" / distribution
    return f"not installed; run: pip install {f'-e plugins/{distribution}' if checkout.is_dir() else distribution}"
