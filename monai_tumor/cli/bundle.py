"""``monai-tumor bundle``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from monai_tumor import registry
from monai_tumor.cli.options import bundle_argument, json_option
from monai_tumor.cli.output import put_json, put_table, stdout_for_json

_WIDTH = 100
_FILES = ("train", "evaluate", "inference", "multi_gpu_train")


@click.group("bundle")
def bundle_group() -> None:
    """Find, show and check bundles. A run is a bundle too."""


@bundle_group.command("list", epilog="Example: monai-tumor bundle list")
@json_option
def list_bundles(as_json: bool) -> None:
    """List the registered bundles."""
    found = registry.components("bundles")
    if as_json:
        put_json([{name: getattr(item, name) for name in ("name", "distribution", "version")} for item in found])
        return
    put_table([(item.name, item.distribution, item.version) for item in found], ("name", "distribution", "version"))


@bundle_group.command("path", epilog="Example: ls $(monai-tumor bundle path brain)")
@bundle_argument
def path_of_bundle(bundle: str) -> None:
    """Print the folder of a bundle."""
    from monai_tumor.bundles.find import resolve

    click.echo(resolve(bundle))


@bundle_group.command("show", epilog="Example: monai-tumor bundle show brain --part inference")
@bundle_argument
@click.option("--part", type=click.Choice(_FILES), default="train", show_default=True, help="Configuration file.")
@json_option
def show_bundle(bundle: str, part: str, as_json: bool) -> None:
    """Print the settings of a bundle, one a line.

    These are what --set changes.
    """
    from monai_tumor.bundles.find import config_file, resolve

    path = config_file(resolve(bundle), part)
    settings = json.loads(path.read_text(encoding="utf-8"))
    if as_json:
        put_json({"file": str(path), "settings": settings})
        return
    for name, value in settings.items():
        click.echo(f"{name} = {_short(value)}")


@bundle_group.command("check", epilog="Example: monai-tumor bundle check runs/brain/001")
@bundle_argument
@json_option
@click.pass_context
def check_bundle_command(ctx: click.Context, bundle: str, as_json: bool) -> None:
    """Build everything that a bundle declares, on phantoms.

    Each mistake is named with its id, target and cause; the exit code is 1 then. Nothing is trained.
    """
    from monai_tumor.bundles.check import check_bundle
    from monai_tumor.bundles.find import resolve

    with stdout_for_json(as_json):
        findings = check_bundle(resolve(bundle))
    if as_json:
        put_json([asdict(finding) for finding in findings])
    for finding in findings:
        click.echo(str(finding), err=as_json)
    if not findings:
        click.echo(f"{bundle}: no findings", err=as_json)
    ctx.exit(1 if findings else 0)


def _short(value: Any) -> str:
    if isinstance(value, dict) and "_target_" in value:
        options = ", ".join(f"{name}={json.dumps(item)}" for name, item in value.items() if name != "_target_")
        text = f"{value['_target_']}({options})"
    else:
        text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 4]} ..."
