"""``monai-tumor train --folds``."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monai_tumor.cli.output import put_json, stdout_for_json
from monai_tumor.errors import WrongCallError

if TYPE_CHECKING:
    from monai_tumor.folds.plan import FoldPlan

_INTERRUPTED = 130  # what a shell expects of a program that ended on Ctrl-C
_CODES = {"finished": 0, "failed": 1, "interrupted": _INTERRUPTED}


@dataclass(frozen=True, slots=True)
class FoldsAsked:
    """What the options of ``train`` say about a fold set.

    Attributes:
        bundle: BUNDLE, or None with ``--resume``.
        recipe: Name or file of a recipe, or None.
        folds: How many folds, or None with ``--resume``.
        settings: All other options, as settings.
    """

    bundle: str | None
    recipe: str | None
    folds: int | None
    settings: dict[str, Any]


def train_fold_set(asked: FoldsAsked, show: bool, as_json: bool) -> int:
    """Train a fold set, or print the plain MONAI commands that train its folds; return the exit code."""
    settings = dict(asked.settings)
    if settings.pop("fold", None) is not None:
        raise WrongCallError("--folds and --fold exclude each other: every fold is trained")
    resume, path = settings.pop("resume", None), settings.pop("run_dir", None)
    if resume is not None and path is not None:
        raise WrongCallError("--resume and --run-dir exclude each other: a resumed fold set stays in its own folder")
    plan = _new_plan(asked, settings) if resume is None else _begun_plan(asked, settings, resume)
    if show:
        _show(plan, resume or path)
        return 0
    from monai_tumor.folds.train import train_folds

    with stdout_for_json(as_json):
        told = train_folds(plan, resume or path)
    if as_json:
        put_json(told)
    return _CODES[told["status"]]


def _new_plan(asked: FoldsAsked, settings: dict[str, Any]) -> FoldPlan:
    from monai_tumor.bundles.find import recipe_file, resolve
    from monai_tumor.folds.folder import refuse_fold_set
    from monai_tumor.folds.plan import FoldPlan

    if asked.bundle is None or asked.folds is None:
        raise WrongCallError("give BUNDLE and --folds K, for example: monai-tumor train breast --folds 5")
    root = resolve(asked.bundle)
    refuse_fold_set(root)
    recipe = None if asked.recipe is None else recipe_file(asked.recipe)
    return FoldPlan(root, settings, asked.folds, recipe, **_data(settings))


def _begun_plan(asked: FoldsAsked, settings: dict[str, Any], path: str) -> FoldPlan:
    """Return the plan that a fold set was begun with, and what is given beside it, which must be the same."""
    from monai_tumor.bundles.find import recipe_file, resolve
    from monai_tumor.folds.folder import read_fold_set
    from monai_tumor.folds.plan import FoldPlan

    folder = read_fold_set(path)
    root = folder.bundle if asked.bundle is None else resolve(asked.bundle)
    recipe = folder.recipe if asked.recipe is None else recipe_file(asked.recipe)
    data = _data(settings)
    known = {**folder.begun["set"], **settings}
    data["dataset"] = data["dataset"] or folder.begun["dataset"]
    return FoldPlan(root, known, asked.folds or folder.begun["folds"], recipe, **data)


def _data(settings: dict[str, Any]) -> dict[str, Any]:
    """Take what says which data are divided out of the settings."""
    names = {"dataset_dir": "dataset_dir", "dataset": "dataset_name", "split": "split_file"}
    return {name: settings.pop(setting, None) for name, setting in names.items()}


def _show(plan: FoldPlan, path: str | None) -> None:
    from monai_tumor.bundles.find import bundle_name
    from monai_tumor.folds.commands import plain_commands
    from monai_tumor.training.run_folder import next_number

    plan.check()
    bundle = Path("runs", str(bundle_name(plan.bundle)))
    folder = bundle / f"{next_number(bundle):03d}" if path is None else Path(path)
    split = plan.split or str(folder / "split.json")
    for line in plain_commands(plan, folder, split, plan.dataset):
        click.echo(line)
    if not Path(split).is_file():
        data = [] if plan.dataset_dir is None else [plan.dataset_dir]
        cut = ["--dataset", plan.dataset_name(), "--folds", str(plan.folds), "--seed", str(plan.seed()), "-o", split]
        line = shlex.join(["monai-tumor", "data", "split", *data, *cut])
        click.echo(f"NOTE: these lines read {split}; make it first with: {line}", err=True)
