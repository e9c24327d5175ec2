"""Train every fold in a process of its own, then join them; going on where an earlier call stopped."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monai_tumor.bundles.find import bundle_name
from monai_tumor.folds.child import PROGRAM, call_program, is_finished, log_of, read_record
from monai_tumor.folds.commands import fold_words
from monai_tumor.folds.folder import FoldSetFolder
from monai_tumor.folds.join import join_folds
from monai_tumor.folds.plan import FoldPlan
from monai_tumor.wording import count_of, figure_words

Failures = dict[int, str]
_REPORTED = ("best", "best_epoch")


def train_folds(plan: FoldPlan, path: str | Path | None = None, program: Sequence[str] = PROGRAM) -> dict[str, Any]:
    """Train what is not yet trained; when all folds are, the folder becomes a trained bundle.

    Args:
        plan: What to train.
        path: The fold set, new or one that was begun with the same plan; None for the next number in ``runs/BUNDLE``.
        program: How the program is called.

    Returns:
        ``run`` (the folder), ``folds`` (of each its number, ``run``, ``status``, ``best``, ``best_epoch`` and the ``error`` of
        this call or None) and ``status``: ``finished``, ``failed`` or ``interrupted``.

    Raises:
        WrongCallError: The plan cannot be run, or the folder was begun with another one.
    """
    plan.check()
    folder = _opened(plan, path)
    if plan.dataset_dir is None:
        _say("NOTE: no --dataset-dir given: the cases are synthetic phantoms, not patients")
    failed, status = Failures(), "interrupted"
    with folder.locked():
        try:
            _train(folder, plan, program, failed)
            if not failed:
                join_folds(folder.path, folder.runs, folder.split)
            status = "failed" if failed else "finished"
        except KeyboardInterrupt:
            pass  # said below; what is trained is kept
    _tell(folder, plan, status, failed)
    return {"run": str(folder.path), "folds": _folds(folder, failed), "status": status}


def _opened(plan: FoldPlan, path: str | Path | None) -> FoldSetFolder:
    """Return the folder; folds are cut first, which reads every file, and nothing is written where that fails."""
    if path is not None:
        folder = FoldSetFolder(path)
        if folder.is_begun:
            folder.go_on(plan)
            return folder
        folder.refuse_foreign()
    split = plan.divided()
    if path is None:
        from monai_tumor.training.run_folder import claim_number  # torch, which no mistake above needs

        path = claim_number(Path("runs", str(bundle_name(plan.bundle))))
    folder = FoldSetFolder(path)
    folder.start(plan, split)
    return folder


def _train(folder: FoldSetFolder, plan: FoldPlan, program: Sequence[str], failed: Failures) -> None:
    for fold, run in enumerate(folder.runs):
        if is_finished(run):
            continue
        _say(f"fold {fold} (output: {log_of(run)})")
        error = call_program(fold_words(folder, plan, fold), log_of(run), "training", program, folder.inherited)
        if error is None and not is_finished(run):
            error = f"the training left no finished run in {run} (see {log_of(run)})"
        if error is not None:
            failed[fold] = error
            _say(f"FAILED: fold {fold}: {error}")


def _folds(folder: FoldSetFolder, failed: Failures) -> list[dict[str, Any]]:
    found = []
    for fold, run in enumerate(folder.runs):
        record = read_record(run)
        figures = {name: record.get(name) for name in _REPORTED}
        status = record.get("status", "not begun")
        found.append({"fold": fold, "run": str(run), "status": status, **figures, "error": failed.get(fold)})
    return found


def _tell(folder: FoldSetFolder, plan: FoldPlan, status: str, failed: Failures) -> None:
    """Say where everything is, or how to go on."""
    count = len(folder.runs)
    if status == "finished":
        records = [read_record(run) for run in folder.runs]
        bests = [record.get("best") for record in records]
        figures = ", ".join("none" if best is None else f"{best:.3f}" for best in bests)
        words = figure_words(records[0].get("metric", "lesion_dice"))
        _say(f"run: {folder.path} ({count} folds that predict together; validation {words} {figures})")
        return
    data = [] if plan.dataset_dir is None else ["--dataset-dir", plan.dataset_dir]
    command = shlex.join(["monai-tumor", "train", "--resume", str(folder.path), *data])
    done = count - len(folder.unfinished)
    what = f"{count_of(len(failed), 'fold', 'folds')} failed" if status == "failed" else "interrupted"
    _say(f"{what}; trained: {done} of {count}. Go on with: {command}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
