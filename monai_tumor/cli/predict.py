"""``monai-tumor predict``."""

from __future__ import annotations

from collections.abc import Sequence
from glob import has_magic
from pathlib import Path
from typing import Any

import click

from monai_tumor.cli.options import (
    check_or_show,
    collect_settings,
    json_option,
    path_setting,
    set_option,
    show_option,
    threshold_option,
    threshold_setting,
    trained_root,
    tta_option,
)
from monai_tumor.cli.output import put_json
from monai_tumor.cli.predict_stages import (
    DIAGNOSIS,
    PREDICTIONS,
    classifier_stage,
    has_failed,
    run_stage,
)
from monai_tumor.errors import WrongCallError


@click.command("predict", epilog="Example: monai-tumor predict scans/ --bundle runs/brain/001 --output masks")
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=click.Path())
@click.option("--bundle", metavar="RUN", required=True, type=click.Path(), help="Trained run or bundle.")
@click.option("--classifier", metavar="RUN", type=click.Path(), help="Trained classifier that sees image and mask.")
@click.option("--explain", is_flag=True, help="Let the classifier show what it looked at, if it can.")
@click.option("--output", metavar="DIR", required=True, type=click.Path(), help="New folder for masks and overlays.")
@click.option(
    "--format", "formats", metavar="A,B", help="Of results: png, nifti, dicom-seg, dicom-sr.  [default: by the input]"
)
@click.option(
    "--isolate",
    type=click.Choice(("auto", "always", "never")),
    help="Decode in a child process with bounds.  [default: auto, for DICOM]",
)
@threshold_option
@tta_option
@set_option
@click.option(
    "--classifier-set", "classifier_words", metavar="KEY=VALUE", multiple=True, help="Any setting of the classifier."
)
@show_option
@json_option
@click.pass_context
def predict_command(
    ctx: click.Context, /, inputs: tuple[str, ...], bundle: str, output: str, words: tuple[str, ...], **given: Any
) -> None:
    """Outline tumours in pictures, DICOM files and series, NIfTI, MetaImage and NRRD volumes.

    INPUT is a file, a folder, a glob, a list (.txt), a zip archive or a DICOMDIR. Writes a mask in the geometry of each input,
    NAME_overlay.png, and predictions.json. With --classifier, what that says of each image and its mask goes to
    DIR/diagnosis. A file that cannot be read is named and passed over; the exit code is 1 then.
    """
    from monai_tumor.bundles.find import config_file

    root, folder, show = trained_root(bundle), Path(output), given["show"]
    stage = classifier_stage(given, bundle, folder)
    if not show:
        _refuse_former([folder] if stage is None else [folder, folder / DIAGNOSIS])
    images = _images(inputs, show)
    asked = {
        "threshold": threshold_setting(given["threshold"]),
        "tta": given["tta"] or None,
        "isolate": given["isolate"],
        "formats": _formats(given["formats"], stage is not None),
    }
    settings = collect_settings({"output_dir": path_setting(str(folder)), **images, **asked}, words)
    first = [config_file(root, "inference")], settings
    check_or_show("predicting", [first, *([] if stage is None else [stage.step(images)])], show)
    results = run_stage(first, given["as_json"])
    if stage is not None:
        results = stage.diagnose(results, images["dataset#data"], given["as_json"])
    failed = sum(map(has_failed, results))
    if given["as_json"]:
        put_json({"folder": str(folder), "predicted": len(results) - failed, "failed": failed, "images": results})
    ctx.exit(1 if failed else 0)


def _refuse_former(folders: Sequence[Path]) -> None:
    for folder in folders:
        if (folder / PREDICTIONS).exists():
            raise WrongCallError(f"{folder} holds a prediction already; give another folder to --output")


def _formats(asked: str | None, for_classifier: bool) -> str | None:
    """Return the formats of the masks; a classifier reads PNG."""
    if not for_classifier or (asked is not None and "png" in asked.split(",")):
        return asked
    return "png" if asked is None else f"png,{asked}"


def _images(inputs: tuple[str, ...], show: bool) -> dict[str, Any]:
    """Return the setting that names the inputs: one folder as it is for a shown command, else the list of what was found."""
    paths = [str(path_setting(entry)) for entry in inputs]
    for path in paths:
        if not Path(path).exists() and not has_magic(path):
            raise WrongCallError(f"{path} does not exist; give images, or folders of images")
    if show and len(paths) == 1 and Path(paths[0]).is_dir():
        return {"dataset_dir": paths[0]}
    from monai_tumor.inference.inputs import input_items

    return {"dataset#data": [{key: _gated(key, value) for key, value in item.items()} for item in input_items(paths)]}


def _gated(key: str, value: Any) -> Any:
    """Let nothing through that MONAI would run: names of files inside a folder are anybody's, and faults name files."""
    if isinstance(value, list):
        return [_gated(key, one) for one in value]
    return path_setting(value.replace("#", "?") if key == "fault" else value)
