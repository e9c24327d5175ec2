"""``monai-tumor evaluate``."""

from __future__ import annotations

import json

import click

from monai_tumor.cli.options import (
    PARTS,
    collect_settings,
    folder_option,
    json_option,
    path_setting,
    run_argument,
    run_or_show,
    set_option,
    show_option,
    trained_root,
)
from monai_tumor.cli.output import put_json


@click.command("evaluate", epilog="Example: monai-tumor evaluate runs/brain/001 --dataset-dir kaggle_3m")
@run_argument
@click.option("--part", type=click.Choice(PARTS), default="test", show_default=True, help="Part of the run's split.")
@folder_option
@set_option
@show_option
@json_option
def evaluate_command(
    run: str, part: str, dataset_dir: str | None, words: tuple[str, ...], show: bool, as_json: bool
) -> None:
    """Compare the masks that a run predicts with the references of one part of its split.

    Writes RUN/evaluation/NNN-PART: masks, one row a case, figures with n and interval, and a picture.
    """
    from monai_tumor.bundles.find import config_file

    root = trained_root(run)
    given = {"part": part, "dataset_dir": path_setting(dataset_dir)}
    files = [config_file(root, name) for name in ("train", "evaluate")]
    run_or_show("evaluating", files, collect_settings(given, words), show, as_json)
    if as_json:
        from monai_tumor.training.run_folder import claimed_folders

        metrics = json.loads((claimed_folders[-1] / "metrics.json").read_text(encoding="utf-8"))
        put_json({"folder": str(claimed_folders[-1]), **metrics})
