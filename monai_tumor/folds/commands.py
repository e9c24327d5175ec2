"""What trains one fold: the words of our own command, and the equal line of MONAI's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai_tumor.bundles.launch import plain_command
from monai_tumor.folds.child import has_checkpoint, set_words, training_words
from monai_tumor.folds.folder import FoldSetFolder
from monai_tumor.folds.plan import FoldPlan


def fold_words(folder: FoldSetFolder, plan: FoldPlan, fold: int) -> list[str]:
    """Return the words after the program's name that train a fold, or go on with it."""
    run = folder.runs[fold]
    data = [] if plan.dataset_dir is None else ["--dataset-dir", plan.dataset_dir]
    recipe = [] if folder.recipe is None else ["--recipe", str(folder.recipe)]
    begin = [
        *[str(folder.bundle), *recipe, "--dataset", folder.begun["dataset"], *data],
        *["--split", str(folder.split_file), "--fold", str(fold), "--run-dir", str(run)],
        *_set(plan.settings),
    ]
    return training_words(run, begin, [*data, *_set(plan.local)])


def plain_commands(plan: FoldPlan, path: Path, split_file: str, dataset: str | None) -> list[str]:
    """Return the shell lines that train the folds with MONAI's own command; those of finished folds as well.

    Args:
        plan: What is trained.
        path: The fold set, which need not exist.
        split_file: The file with the folds.
        dataset: The data set, or None for the bundle's own.
    """
    data = {"dataset_name": dataset, "dataset_dir": plan.dataset_dir}
    shared = {**{name: value for name, value in data.items() if value is not None}, **plan.settings}
    if plan.recipe is not None and "recipe" not in json.loads(plan.recipe.read_text(encoding="utf-8")):
        shared.setdefault("recipe", plan.recipe.stem)
    lines = []
    for fold in range(plan.folds):
        run = path / f"fold-{fold}"
        if has_checkpoint(run):
            known = {name: value for name, value in shared.items() if name == "dataset_dir" or name in plan.local}
            lines.append(plain_command("training", [run / "configs" / "train.json"], {**known, "resume": str(run)}))
        else:
            own = {"split_file": split_file, "fold": fold, "run_dir": str(run)}
            lines.append(plain_command("training", plan.files, {**shared, **own}))
    return lines


def _set(settings: Mapping[str, Any]) -> list[str]:
    return set_words([f"{name}={json.dumps(value)}" for name, value in settings.items()])
