"""``monai-tumor evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from monai_tumor.cli.options import (
    PARTS,
    Step,
    collect_settings,
    folder_option,
    json_option,
    names_of,
    path_setting,
    run_or_show_all,
    set_option,
    show_option,
    threshold_option,
    threshold_setting,
    trained_root,
    tta_option,
)
from monai_tumor.cli.output import put_json
from monai_tumor.errors import WrongCallError

_AUTO = "auto"


@click.command(
    "evaluate", epilog="Example: monai-tumor evaluate runs/brain/001 --dataset-dir kaggle_3m --threshold auto"
)
@click.argument("run", metavar="RUN", type=click.Path())
@click.option("--part", type=click.Choice(PARTS), help="Part of the run's split.  [default: test]")
@folder_option
@click.option("--external", metavar="DIR", type=click.Path(), help="Test on all of another data set, once: sealed.")
@click.option(
    "--dataset",
    metavar="NAME",
    help="Layout of the external folder.  [default: guessed]",
    shell_complete=names_of("datasets"),
)
@threshold_option
@tta_option
@set_option
@show_option
@json_option
def evaluate_command(run: str, words: tuple[str, ...], show: bool, as_json: bool, **given: Any) -> None:
    """Compare the masks that a run predicts with the references of one part of its split.

    Writes RUN/evaluation/NNN-PART: report.html, figures with n and interval, one row a case, and masks. An evaluation that
    was stopped goes on. A fold set ('train --folds') has every fold tested, and the cases of all folds pooled.
    """
    root = trained_root(run)
    steps = _steps(root, given, words)
    run_or_show_all("evaluating", steps, show, as_json)
    if as_json:
        from monai_tumor.training.run_folder import claimed_folders

        metrics = json.loads((claimed_folders[-1] / "metrics.json").read_text(encoding="utf-8"))
        put_json({"folder": str(claimed_folders[-1]), **metrics})


def evaluation_files(root: Path) -> list[Path]:
    """Return the configuration files of an evaluation."""
    from monai_tumor.bundles.find import config_file

    return [config_file(root, name) for name in ("train", "evaluate")]


def external_dataset(name: str | None, folder: str) -> str:
    """Return the name of the data set in a folder that the run was not made from."""
    from monai_tumor.datasets.guess import guess_dataset

    return name or guess_dataset(folder)


def _steps(root: Path, given: dict[str, Any], words: tuple[str, ...]) -> list[Step]:
    if given["external"] is not None:
        return [_external(root, given, words)]
    if given["dataset"] is not None:
        raise WrongCallError("--dataset belongs to --external: the data set of a run is known from its training")
    common = {"dataset_dir": path_setting(given["dataset_dir"]), "tta": given["tta"] or None}
    threshold = threshold_setting(given["threshold"])
    from monai_tumor.training.run_folder import fold_count

    if fold_count(root) is not None:
        return _fold_steps(root, given["part"], {**common, "threshold": threshold}, words)
    part = given["part"] or "test"
    steps = _choice(root, common, words) if threshold == _AUTO and part == "test" else []
    settings = collect_settings({"part": part, **common, "threshold": threshold}, words)
    return [*steps, (evaluation_files(root), settings)]


def _external(root: Path, given: dict[str, Any], words: tuple[str, ...]) -> Step:
    for option in ("part", "dataset_dir"):
        if given[option] is not None:
            raise WrongCallError(
                f"--external and --{option.replace('_', '-')} exclude each other: all of DIR is tested"
            )
    settings = {
        "part": "external",
        "dataset_dir": path_setting(given["external"]),
        "dataset_name": external_dataset(given["dataset"], given["external"]),
        "tta": given["tta"] or None,
        "threshold": threshold_setting(given["threshold"]),
    }
    return evaluation_files(root), collect_settings(settings, words)


def _fold_steps(root: Path, part: str | None, common: dict[str, Any], words: tuple[str, ...]) -> list[Step]:
    """Test the folds that have no such test yet, then pool all tests."""
    from monai_tumor.evaluation.parts import OUT_OF_FOLD, point_for
    from monai_tumor.evaluation.pool import finished_test, fold_runs

    if part is not None:
        raise WrongCallError(f"{root} is a fold set, whose cases are all tested out-of-fold; leave --part out")
    settings = collect_settings({"part": "test", **common}, words)
    tta, area = bool(settings.get("tta")), settings.get("smallest_area")
    point = point_for(OUT_OF_FOLD, str(root), settings.get("threshold", 0.5), area, tta)
    steps: list[Step] = []
    for fold in fold_runs(root):
        if finished_test(fold, tta, point) is None:
            if settings.get("threshold") == _AUTO:
                steps += _choice(fold, {**common, "threshold": None}, words)
            steps.append((evaluation_files(fold), settings))
    return [*steps, (evaluation_files(root), {**settings, "part": OUT_OF_FOLD})]


def _choice(root: Path, common: dict[str, Any], words: tuple[str, ...]) -> list[Step]:
    """Return the evaluation of the validation part, which chooses the operating point, unless that was done."""
    from monai_tumor.errors import WrongDataError
    from monai_tumor.inference.operating_point import own_file, read_point

    settings = collect_settings({"part": "validation", **common}, words)
    tta = bool(settings.get("tta"))
    try:
        read_point(own_file(root, tta), root, tta)
    except WrongDataError:
        return [(evaluation_files(root), settings)]
    return []
