"""``monai-tumor train``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from monai_tumor import registry
from monai_tumor.cli.options import (
    collect_settings,
    folder_option,
    json_option,
    names_of,
    path_setting,
    recipe_names,
    run_or_show,
    set_option,
    show_option,
)
from monai_tumor.cli.output import put_json
from monai_tumor.cli.train_folds import FoldsAsked, train_fold_set
from monai_tumor.errors import WrongCallError

# Option to setting where the names differ.
_SETTINGS = {"dataset": "dataset_name", "split": "split_file", "network": "network_def#name"}
_PATHS = ("dataset_dir", "split", "run_dir", "resume")
_REPORTED = ("bundle", "status", "metric", "best_epoch", "best")


@click.command("train", epilog="Example: monai-tumor train brain --dataset-dir kaggle_3m --epochs 50")
@click.argument("bundle", metavar="[BUNDLE]", required=False, shell_complete=names_of("bundles", folders=True))
@folder_option
@click.option("--dataset", metavar="NAME", help="Layout of that folder.", shell_complete=names_of("datasets"))
@click.option("--split", metavar="FILE", type=click.Path(), help="Split or folds made by 'data split'.")
@click.option("--fold", metavar="K", type=int, help="Which fold of the file is the test part, from 0.")
@click.option(
    "--folds",
    metavar="K",
    type=click.IntRange(min=3),
    help="Train on every one of K folds: a set that predicts as one.",
)
@click.option("--epochs", metavar="N", type=click.IntRange(min=1), help="Passes over the training part.")
@click.option("--minutes", metavar="M", type=float, help="Train for so long instead: as many epochs as fit.")
@click.option(
    "--recipe", metavar="NAME", help="Settings of a named method, or a JSON file.", shell_complete=recipe_names
)
@click.option("--network", metavar="NAME", help="Network to train.", shell_complete=names_of("networks"))
@click.option("--run-dir", metavar="DIR", type=click.Path(), help="New folder for the run; default: runs/BUNDLE/NNN.")
@click.option("--resume", metavar="RUN", type=click.Path(), help="Go on with an unfinished run, instead of BUNDLE.")
@set_option
@show_option
@json_option
@click.pass_context
def train_command(ctx: click.Context, /, bundle: str | None, words: tuple[str, ...], **given: Any) -> None:
    """Train a bundle and leave a run: weights, configuration, split, model card.

    BUNDLE is a name ('monai-tumor bundle list') or the folder of a run, whose settings are then used again. Without
    --dataset-dir the data are synthetic phantoms. With --resume the run's own settings hold. With --folds each fold is a
    run of its own, and the folder of all folds is a trained bundle as well; --resume goes on with it too.
    """
    show, as_json, recipe, folds = (given.pop(name) for name in ("show", "as_json", "recipe", "folds"))
    if folds is not None or _is_fold_set(given["resume"]):
        asked = FoldsAsked(bundle, recipe, folds, _settings(given, words))
        ctx.exit(train_fold_set(asked, show, as_json))
    files = _files(bundle, given["resume"], recipe)
    settings = _settings(given, words)
    if recipe is not None and "recipe" not in json.loads(files[1].read_text(encoding="utf-8")):
        settings.setdefault("recipe", files[1].stem)  # a file of one's own: the run says its name
    code = 0
    try:
        run_or_show("training", files, settings, show, as_json)
    except SystemExit as stop:  # interrupted: the run is there all the same
        code = stop.code if isinstance(stop.code, int) else 1
    if as_json:
        put_json(_result(settings))
    ctx.exit(code)


def _files(bundle: str | None, resume: str | None, recipe: str | None) -> list[Path]:
    from monai_tumor.bundles.find import config_file, recipe_file, resolve
    from monai_tumor.folds.folder import refuse_fold_set

    if (bundle is None) == (resume is None):
        raise WrongCallError("give either BUNDLE or --resume RUN, for example: monai-tumor train brain")
    if resume is not None and recipe is not None:
        raise WrongCallError("--resume and --recipe exclude each other: a resumed run keeps its own settings")
    root = resolve(str(bundle or resume))
    refuse_fold_set(root)
    if resume is not None and not (root / "models" / "checkpoint.pt").is_file():
        raise WrongCallError(f"{resume} has no models/checkpoint.pt; give the folder of an unfinished run to --resume")
    return [config_file(root, "train"), *([recipe_file(recipe)] if recipe is not None else [])]


def _is_fold_set(path: str | Path | None) -> bool:
    from monai_tumor.folds.folder import is_fold_set

    return is_fold_set(path)


def _settings(given: dict[str, Any], words: tuple[str, ...]) -> dict[str, Any]:
    from monai_tumor.splits.split import read_split

    for option, kind in (("dataset", "datasets"), ("network", "networks")):
        if given[option] is not None:
            registry.find(kind, given[option])  # an unknown name is answered before anything heavy is imported
    if given["split"] is not None and given["dataset"] is None:
        given["dataset"] = read_split(given["split"]).dataset
    if given["epochs"] is not None and given["minutes"] is not None:
        raise WrongCallError("--epochs and --minutes exclude each other; give one of them")
    plain = {name: path_setting(value) if name in _PATHS else value for name, value in given.items()}
    settings = collect_settings({_SETTINGS.get(name, name): value for name, value in plain.items()}, words)
    for one, other in (("epochs", "minutes"), ("minutes", "epochs")):
        if settings.get(one) is not None:
            settings.setdefault(other, None)  # bundle or recipe may have the other one, and this one was asked for
    return settings


def _result(settings: dict[str, Any]) -> dict[str, Any]:
    from monai_tumor.training.run_folder import claimed_folders

    run = Path(settings.get("resume") or settings.get("run_dir") or claimed_folders[-1])
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    epochs = len(record.get("history", []))
    return {"run": str(run), **{name: record.get(name) for name in _REPORTED}, "epochs": epochs}
