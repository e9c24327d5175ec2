"""The tests of all folds of a fold set, together; and what another way brings, case by case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monai_tumor.errors import WrongCallError
from monai_tumor.evaluation.folder import evaluations, identity_of, is_finished
from monai_tumor.evaluation.pool import fold_runs
from monai_tumor.inference.operating_point import weights_digest
from monai_tumor.metrics.diagnosis_auroc import compare_auroc
from monai_tumor.metrics.diagnosis_classes import class_log_odds
from monai_tumor.metrics.diagnosis_points import compare_at_specificity
from tumor_mask_classifier.cases_table import TABLE, DiagnosedCases, Floats, pool_tables, read_diagnosed
from tumor_mask_classifier.diagnosis_point import PREDICTION
from tumor_mask_classifier.out_of_place import FEATURES, read_features, write_features

_TOLD = ("mask_source", "crop", "inputs_sha256")  # an older test may not tell the last one


def pool_tests(root: Path, classes: Sequence[str], asked: Mapping[str, Any]) -> DiagnosedCases:
    """Return the cases of the newest finished test of every fold of a fold set.

    Args:
        root: The fold set.
        classes: The labels in the order of the logits.
        asked: With which ``mask_source``, ``crop`` and ``inputs_sha256`` the folds shall have been tested.

    Raises:
        WrongCallError: It is no fold set, or a fold has not been tested like this with its present weights.
        WrongDataError: A table cannot be read.
    """
    tests = {run: _newest_test(run, asked) for run in fold_runs(root)}
    missing = next((run for run, test in tests.items() if test is None), None)
    if missing is not None:
        raise WrongCallError(
            f"{missing} has no finished test with these settings; give them to each fold: monai-tumor evaluate {missing}"
        )
    if len({identity_of(test).get(PREDICTION) for test in tests.values() if test is not None}) > 1:
        raise WrongCallError(
            f"the folds of {root} were tested with different settings; give the same ones to each fold"
        )
    return pool_tables([read_diagnosed(test / TABLE, classes) for test in tests.values() if test is not None])


def gather_features(root: Path) -> None:
    """Put the typical features of all folds beside the weights of a fold set, where every fold has some."""
    found = [read_features(run / "models" / FEATURES) for run in fold_runs(root)]
    if all(found):
        write_features(root / "models" / FEATURES, [one for members in found for one in members])


def difference(
    first: DiagnosedCases,
    second: DiagnosedCases,
    scaled: tuple[Floats, Floats],
    classes: Sequence[str],
    pair: tuple[str, str],
    seed: int,
) -> dict[str, Any]:
    """Return what the second way brings beside the first: AUROC and sensitivity at 90 % specificity, paired.

    Args:
        first: The cases of a way.
        second: The same cases of another one.
        scaled: The logits of both, each fold's divided by its temperature.
        classes: The labels.
        pair: Negative and positive class; cases of other classes are left out.
        seed: Seed of intervals and tests.

    Raises:
        WrongCallError: They are not the same cases.
    """
    if first.names != second.names or not np.array_equal(first.targets, second.targets):
        raise WrongCallError("the two ways were tested on different cases; test both on the same folds")
    negative, positive = (list(classes).index(name) for name in pair)
    chosen = np.isin(first.targets, (negative, positive))
    one, two = (class_log_odds(logits)[chosen, positive] for logits in scaled)
    truth, groups = first.targets[chosen] == positive, list(first.chosen(chosen).groups)
    return {
        "auroc": compare_auroc(one, two, truth, groups, seed=seed).plain(),
        "sensitivity_at_specificity": compare_at_specificity(one, two, truth, groups, seed=seed).plain(),
    }


def _newest_test(run: Path, asked: Mapping[str, Any]) -> Path | None:
    wanted = {"weights_sha256": weights_digest(run), **{name: asked[name] for name in _TOLD if name in asked}}
    for folder in reversed(evaluations(run, "test")):
        found = identity_of(folder)
        if is_finished(folder) and all(found.get(name, value) == value for name, value in wanted.items()):
            return folder
    return None
