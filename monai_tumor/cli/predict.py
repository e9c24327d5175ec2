"""``monai-tumor predict``."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import click

from monai_tumor.cli.options import (
    collect_settings,
    json_option,
    path_setting,
    run_or_show,
    set_option,
    show_option,
    threshold_option,
    threshold_setting,
    trained_root,
    tta_option,
)
from monai_tumor.cli.output import put_json
from monai_tumor.errors import WrongCallError


@click.command("predict", epilog="Example: monai-tumor predict scans/ --bundle runs/brain/001 --output masks")
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=click.Path())
@click.option("--bundle", metavar="RUN", required=True, type=click.Path(), help="Trained run or bundle.")
@click.option("--output", metavar="DIR", required=True, type=click.Path(), help="New folder for masks and overlays.")
@threshold_option
@tta_option
@set_option
@show_option
@json_option
@click.pass_context
def predict_command(
    ctx: click.Context, /, inputs: tuple[str, ...], bundle: str, output: str, words: tuple[str, ...], **given: Any
) -> None:
    """Outline tumours in image files, or in all images of folders.

    Writes NAME_mask.png and NAME_overlay.png for each image, and predictions.json. A file that cannot be read is named
    and passed over; the exit code is 1 then.
    """
    from monai_tumor.bundles.find import config_file

    show, as_json = given["show"], given["as_json"]
    root = trained_root(bundle)
    folder = Path(str(path_setting(output)))
    if (folder / "predictions.json").exists() and not show:
        raise WrongCallError(f"{output} holds a prediction already; give another folder to --output")
    asked = {"threshold": threshold_setting(given["threshold"]), "tta": given["tta"] or None}
    settings = collect_settings({"output_dir": str(folder), **_images(inputs, show), **asked}, words)
    with contextlib.suppress(SystemExit):  # some files failed: counted below
        run_or_show("predicting", [config_file(root, "inference")], settings, show, as_json)
    results = json.loads((folder / "predictions.json").read_text(encoding="utf-8"))
    failed = sum("error" in result for result in results)
    if as_json:
        put_json({"folder": str(folder), "predicted": len(results) - failed, "failed": failed, "images": results})
    ctx.exit(1 if failed else 0)


def _images(inputs: tuple[str, ...], show: bool) -> dict[str, Any]:
    """Return the setting that names the images: one folder as it is for a shown command, else the list of files."""
    paths = [str(path_setting(entry)) for entry in inputs]
    for path in map(Path, paths):
        if not path.exists():
            raise WrongCallError(f"{path} does not exist; give image files, or folders of images")
    if show and len(paths) == 1 and Path(paths[0]).is_dir():
        return {"dataset_dir": paths[0]}
    from monai_tumor.inference.prediction import image_items

    # Names of files inside a folder are anybody's: each goes through the same gate.
    items = [{key: path_setting(value) for key, value in item.items()} for item in image_items(paths)]
    return {"dataset#data": items}
