"""The tests of all folds of a fold set, together: every case once, by a network that saw neither it nor its group."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

from monai_tumor.errors import WrongCallError
from monai_tumor.evaluation.figures import pixel_counts
from monai_tumor.evaluation.folder import EvaluationFolder, evaluations, identity_of, is_finished, read_cases
from monai_tumor.imaging.write import write_bytes
from monai_tumor.inference.operating_point import OperatingPoint, weights_digest
from monai_tumor.metrics.calibration import fit_temperature
from monai_tumor.metrics.logits import LogitCounts, no_pixels
from monai_tumor.training.run_folder import fold_count


def fold_runs(root: Path) -> list[Path]:
    """Return the runs of a fold set, fold 0 first.

    Raises:
        WrongCallError: It is none, or not all of its folds are trained.
    """
    folds = fold_count(root)
    if folds is None:
        raise WrongCallError(f"{root} is no fold set; make one with: monai-tumor train BUNDLE --folds 5")
    runs = [root / f"fold-{fold}" for fold in range(folds)]
    missing = next((run for run in runs if weights_digest(run) is None), None)
    if missing is not None:
        raise WrongCallError(f"{missing} is not trained; go on with: monai-tumor train --resume {root}")
    return runs


def finished_test(run: Path, tta: bool, point: OperatingPoint) -> Path | None:
    """Return the newest finished test of one fold with its present weights, or None.

    Args:
        run: The fold.
        tta: Whether over mirrored images.
        point: Threshold and area, or ``PER_FOLD`` where the fold's own validation part has chosen them.
    """
    asked: dict[str, Any] = {"weights_sha256": weights_digest(run), "tta": tta}
    if not point.chosen_on:
        asked |= {"threshold": point.threshold, "smallest_area": point.smallest_area}
    for folder in reversed(evaluations(run, "test")):
        found = identity_of(folder)
        # An evaluation that knows no such choice, as that of a classifier, cannot differ in it.
        same = all(found.get(name, value) == value for name, value in asked.items())
        if same and bool(found.get("chosen_on")) == bool(point.chosen_on) and is_finished(folder):
            return folder
    return None


def pool_folds(root: Path, pooled: EvaluationFolder, tta: bool, point: OperatingPoint) -> LogitCounts | None:
    """Copy cases and masks of the folds' tests into one folder.

    Returns:
        The logits of all pixels, each fold's divided by the temperature of the other folds; None where one of these is
        undefined.

    Raises:
        WrongCallError: A fold has not been tested in this way.
    """
    tests = {run: finished_test(run, tta, point) for run in fold_runs(root)}
    missing = next((run for run, test in tests.items() if test is None), None)
    if missing is not None:
        raise WrongCallError(
            f"{missing} has no finished test like this; monai-tumor evaluate {root} tests all folds first"
        )
    if len({identity_of(test).get("prediction_sha256") for test in tests.values() if test is not None}) > 1:
        raise WrongCallError(
            f"the folds of {root} were tested with different settings; give the same line to all of them"
        )
    done = pooled.done()
    counts = []
    for test in filter(None, tests.values()):
        cases = read_cases(test)
        counts.append(pixel_counts(cases))
        for case in cases:
            if case.id not in done:
                _copy(test / "predictions" / f"{case.id}.png", pooled.mask_file(case.id))
                _copy(test / "cases" / f"{case.id}.npz", pooled.case_file(case.id))
    return _calibrated_by_others(counts)


def _calibrated_by_others(counts: Sequence[LogitCounts]) -> LogitCounts | None:
    """Return all logits, those of each fold divided by the temperature that fits the other folds."""
    total, divided = reduce(add, counts), no_pixels()
    for one in counts:
        fitted = fit_temperature(total - one)
        if fitted.note:
            return None
        divided += one.divided(fitted.value)
    return divided


def _copy(source: Path, target: Path) -> None:
    write_bytes(target, source.read_bytes(), overwrite=True)
