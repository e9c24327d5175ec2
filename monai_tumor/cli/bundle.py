"""``monai-tumor bundle``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from monai_tumor import registry
from monai_tumor.cli.options import PATH, bundle_argument, json_option, run_argument
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


@bundle_group.command("pack", epilog="Example: monai-tumor bundle pack runs/brain/001 -o brain-2026.zip")
@run_argument
@click.option("-o", "--output", metavar="NAME.zip", required=True, type=PATH, help="New file; NAME names the bundle.")
@click.option(
    "--with-cases", is_flag=True, help="Take ids, diagnoses and figures of single cases along; never pictures."
)
@json_option
def pack_command(run: str, output: str, with_cases: bool, as_json: bool) -> None:
    """Pack a run into one file for others.

    In it: configuration, weights, model card, operating point and figures of all cases together. Nothing of the patients:
    no ids, paths, pictures or predictions. The same run always gives the same bytes.
    """
    from monai_tumor.bundles.pack import pack_bundle

    with stdout_for_json(as_json):
        packed = pack_bundle(Path(run), Path(output), with_cases)
    told = {
        "texts of your own that go along; look at them": [str(one) for one in packed.changes if one.is_own_text],
        "what is not in the installed bundle; others need --trust for it": [
            str(one) for one in packed.changes if one.is_code
        ],
    }
    if as_json:
        texts, code = told.values()
        about = {"file": str(packed.path), "sha256": packed.sha256, "bytes": packed.size}
        put_json({**about, "texts": texts, "code": code})
        return
    for title, lines in told.items():
        if lines:
            click.echo("\n  ".join([f"{title}:", *lines]), err=True)
    click.echo(f"{packed.path}: {packed.size / 1e6:.1f} MB, sha256 {packed.sha256}")


@bundle_group.command("install", epilog="Example: monai-tumor bundle install brain-2026.zip --sha256 2c26b46b...")
@click.argument("file", metavar="NAME.zip", type=PATH)
@click.option("--sha256", metavar="HEX", required=True, help="Digest of the file, as 'bundle pack' printed it.")
@click.option("--to", metavar="DIR", type=PATH, help="Folder in which NAME is made.  [default: runs/installed]")
@click.option("--trust", is_flag=True, help="Install it although it runs code that is not installed here.")
@json_option
def install_command(file: str, sha256: str, to: str | None, trust: bool, as_json: bool) -> None:
    """Unpack a packed bundle, so that any command takes its folder.

    A bundle is a program. Without --trust it must be one that is installed here, but for numbers and words.
    """
    from monai_tumor.bundles.install import DEFAULT, install_bundle

    with stdout_for_json(as_json):
        folder = install_bundle(Path(file), sha256, DEFAULT if to is None else Path(to), trust)
    if as_json:
        put_json({"folder": str(folder)})
    else:
        click.echo(folder)


def _short(value: Any) -> str:
    if isinstance(value, dict) and "_target_" in value:
        options = ", ".join(f"{name}={json.dumps(item)}" for name, item in value.items() if name != "_target_")
        text = f"{value['_target_']}({options})"
    else:
        text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 4]} ..."
