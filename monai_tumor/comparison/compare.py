"""The whole comparison: fold after fold under every method, then figures, table and picture."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai_tumor.comparison.figures import Folds, method_figures, paired_difference
from monai_tumor.comparison.folder import ComparisonFolder
from monai_tumor.comparison.forward_time import forward_times
from monai_tumor.comparison.methods import SETTINGS_FOLDER
from monai_tumor.comparison.picture import picture_of
from monai_tumor.comparison.plan import Plan
from monai_tumor.comparison.results import read_fold
from monai_tumor.comparison.table import markdown
from monai_tumor.comparison.training import FoldTrainer, evaluation_of, log_of
from monai_tumor.errors import ToolkitError
from monai_tumor.imaging.write import write_picture, write_text

Failures = list[dict[str, Any]]


def compare_methods(plan: Plan, output: str, only_folds: Sequence[int] | None = None) -> dict[str, Any]:
    """Train, test and compare; what an earlier call has completed in ``output`` is not done again.

    Args:
        plan: What to compare.
        output: Folder of the comparison, new or one that was begun with the same plan.
        only_folds: Folds to run; None for all.

    Returns:
        What ``comparison.json`` holds: ``settings``, ``methods`` (name to figures), ``failed``, the ``threads`` that
        computed ``cpu_ms_per_image``, and ``trained_on``: versions and hardware, more than one entry where they changed.

    Raises:
        WrongCallError: The plan cannot be run, or ``output`` was begun with another one.
    """
    folder = ComparisonFolder(output)
    folder.open(plan, only_folds)
    if plan.dataset_dir is None:
        _say("NOTE: no --dataset-dir given: the cases are synthetic phantoms, not patients")
    with folder.locked():
        folds = range(folder.begun["folds"]) if only_folds is None else sorted(set(only_folds))
        failed = _run_folds(folder, plan, folds)
        results = _results(folder)
        _measure(folder, results)
        _draw(folder, plan, results)
        return _write(folder, results, failed)


def _run_folds(folder: ComparisonFolder, plan: Plan, folds: Sequence[int]) -> Failures:
    """Run fold 0 of every method, then fold 1: after each fold there is a fair table."""
    trainer, failed = FoldTrainer(folder, plan), Failures()
    for fold in folds:
        for method in plan.methods:
            run = folder.run(method.name, fold)
            if evaluation_of(run) is None:
                _say(f"fold {fold}: {method.name} (output: {log_of(run)})")
            error = trainer.complete(method, fold)
            if error is not None:
                failed.append({"method": method.name, "fold": fold, "error": error})
                _say(f"FAILED: {method.name}, fold {fold}: {error}")
        _write(folder, _results(folder), failed)
    return failed


def _results(folder: ComparisonFolder) -> dict[str, Folds]:
    """Return the tested folds of every method that has any, in the order in which they were first named."""
    found = {}
    for method in folder.methods:
        folds = {fold: read_fold(folder.run(method, fold)) for fold in range(folder.begun["folds"])}
        found[method] = {fold: result for fold, result in folds.items() if result is not None}
    return {method: folds for method, folds in found.items() if folds}


def _write(folder: ComparisonFolder, results: Mapping[str, Folds], failed: Failures) -> dict[str, Any]:
    """Write ``comparison.json`` and ``comparison.md``, and return what the first one holds."""
    seed, first = folder.begun["seed"], next(iter(results.values()), {})
    times = _known_times(folder, results)
    methods = {
        name: {
            **method_figures(folds, seed),
            "difference": None if folds is first else paired_difference(first, folds, seed=seed),
            "cpu_ms_per_image": times["milliseconds"].get(name),
        }
        for name, folds in results.items()
    }
    settings = {name: value for name, value in folder.begun.items() if name != "methods"}
    content = {
        "settings": settings,
        "methods": methods,
        "failed": failed,
        "threads": times["threads"],
        "trained_on": _surroundings(results),
    }
    _renew(folder.path / "comparison.json", json.dumps(content, indent=1) + "\n")
    _renew(folder.path / "comparison.md", markdown(content))
    return content


def _measure(folder: ComparisonFolder, results: Mapping[str, Folds]) -> None:
    """Time the forward passes of all methods together, unless these very networks have been timed."""
    if not results or _known_times(folder, results)["milliseconds"]:
        return
    runs = {name: folds[min(folds)].run for name, folds in results.items()}
    _say("timing the forward pass of one image")
    try:
        times = forward_times(runs)
    except ToolkitError as error:
        _say(f"NOTE: {error}")
        return
    content = {"weights": _weights(results), **times}
    write_text(_times_file(folder), json.dumps(content, indent=1) + "\n", overwrite=True)


def _known_times(folder: ComparisonFolder, results: Mapping[str, Folds]) -> dict[str, Any]:
    """Return what was timed before, if it was all of these networks: times of different minutes do not compare."""
    file = _times_file(folder)
    known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return known if known.get("weights") == _weights(results) else {"milliseconds": {}, "threads": None}


def _surroundings(results: Mapping[str, Folds]) -> list[dict[str, Any]]:
    """Return the versions and the hardware of the trainings, each combination once."""
    found = []
    for folds in results.values():
        for fold in folds.values():
            one = {name: fold.record.get(name) for name in ("versions", "hardware")}
            found += [] if one in found else [one]
    return found


def _weights(results: Mapping[str, Folds]) -> dict[str, str]:
    return {name: folds[min(folds)].record["weights_sha256"] for name, folds in results.items()}


def _times_file(folder: ComparisonFolder) -> Path:
    return folder.path / SETTINGS_FOLDER / "forward-times.json"


def _draw(folder: ComparisonFolder, plan: Plan, results: Mapping[str, Folds]) -> None:
    picture = picture_of(results, folder.begun["dataset"], plan.dataset_dir) if results else None
    if picture is not None:
        write_picture(folder.path / "comparison.png", picture, overwrite=True)


def _renew(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text, overwrite=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
