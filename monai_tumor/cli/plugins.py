"""``monai-tumor plugins``."""

from __future__ import annotations

from dataclasses import asdict

import click

from monai_tumor import registry
from monai_tumor.cli.options import json_option
from monai_tumor.cli.output import put_json, put_table, stdout_for_json
from monai_tumor.errors import PluginError, ToolkitError


@click.group("plugins")
def plugins_group() -> None:
    """What is registered, built in or by installed plug-ins, and whether it works."""


@plugins_group.command("list", epilog="Example: monai-tumor plugins list --json")
@json_option
def list_plugins(as_json: bool) -> None:
    """List data sets, networks, bundles and commands. Nothing is imported."""
    found = registry.components()
    if as_json:
        put_json([asdict(item) for item in found])
        return
    put_table(
        [(item.kind, item.name, item.distribution, item.version) for item in found],
        header=("kind", "name", "distribution", "version"),
    )


@plugins_group.command("check", epilog="Example: monai-tumor plugins check")
@json_option
@click.pass_context
def check_plugins(ctx: click.Context, as_json: bool) -> None:
    """Load everything that is registered.

    What is broken is named with its cause; the exit code is 1 then.
    """
    with stdout_for_json(as_json):
        causes = [(item, component_fault(item)) for item in registry.components()]
    if as_json:
        put_json([{**asdict(item), "works": cause is None, "cause": cause} for item, cause in causes])
    broken = [cause for _, cause in causes if cause is not None]
    for cause in broken:
        click.echo(f"broken: {cause}", err=True)
    click.echo(f"{len(causes)} components, {len(broken)} broken", err=as_json)
    ctx.exit(1 if broken else 0)


def component_fault(component: registry.Component) -> str | None:
    """Return why a component cannot be used, or None when it can."""
    try:
        if component.kind == "bundles":  # configuration files, not code: nothing to import
            from monai_tumor.bundles.find import bundle_folder

            bundle_folder(f"{component.distribution}:{component.name}")
        else:
            loaded = registry.load_component(component)
            if component.kind == "commands" and not isinstance(loaded, click.Command):
                kind = type(loaded).__name__
                raise PluginError(f"command {component.name!r} of {component.distribution} is a {kind}, not of click")
        registry.find(component.kind, component.name)
    except ToolkitError as error:
        return str(error)
    except Exception as error:  # one broken plug-in must not hide the others
        where = f"{component.name!r} of {component.distribution} ({component.target})"
        return f"{where}: {type(error).__name__}: {error}"
    return None
