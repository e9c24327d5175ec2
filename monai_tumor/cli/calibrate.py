"""``monai-tumor calibrate``."""

from __future__ import annotations

import json
from typing import Any

import click

from monai_tumor.cli.evaluate import evaluation_files, external_dataset
from monai_tumor.cli.options import (
    collect_settings,
    json_option,
    names_of,
    path_setting,
    run_argument,
    run_or_show_all,
    set_option,
    show_option,
    trained_root,
    tta_option,
)
from monai_tumor.cli.output import put_json


@click.command("calibrate", epilog="Example: monai-tumor calibrate runs/breast/001 --on our_clinic --cases 30")
@run_argument
@click.option("--on", "folder", metavar="DIR", type=click.Path(), required=True, help="Local images with masks.")
@click.option("--cases", metavar="K", type=click.IntRange(min=1), required=True, help="How many of them are used.")
@click.option(
    "--dataset", metavar="NAME", help="Layout of that folder.  [default: guessed]", shell_complete=names_of("datasets")
)
@click.option("--seed", metavar="N", type=click.IntRange(min=0), default=0, show_default=True, help="Of their choice.")
@tta_option
@set_option
@show_option
@json_option
def calibrate_command(
    run: str, folder: str, cases: int, dataset: str | None, seed: int, words: tuple[str, ...], **given: bool
) -> None:
    """Choose threshold, smallest lesion and temperature on K labelled local cases, and say how far chance has chosen.

    Writes RUN/evaluation/NNN-calibration/operating_point.json, which 'evaluate --threshold' and the setting 'threshold'
    take. A later 'evaluate --external' leaves these cases and their groups out.
    """
    root = trained_root(run)
    settings: dict[str, Any] = {
        "part": "calibration",
        "dataset_dir": path_setting(folder),
        "dataset_name": external_dataset(dataset, folder),
        "local_cases": cases,
        "seed": seed,
        "tta": given["tta"] or None,
    }
    run_or_show_all(
        "evaluating", [(evaluation_files(root), collect_settings(settings, words))], given["show"], given["as_json"]
    )
    if given["as_json"]:
        from monai_tumor.training.run_folder import claimed_folders

        name = f"operating_point{'-tta' if given['tta'] else ''}.json"
        put_json(json.loads((claimed_folders[-1] / name).read_text(encoding="utf-8")))
