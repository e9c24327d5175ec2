"""Both stages, one process a training; what is there is not done again."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monai_tumor.errors import WrongCallError
from monai_tumor.evaluation.folder import evaluations, identity_of
from monai_tumor.evaluation.folder import is_finished as is_evaluated
from monai_tumor.folds.child import call_program, is_finished, log_of, set_words, training_words
from monai_tumor.folds.join import join_folds
from monai_tumor.inference.operating_point import weights_digest
from monai_tumor.splits.split import write_split
from tumor_mask_classifier.crossfit import Pair, pairs
from tumor_mask_classifier.folder import DiagnosisFolder

WAYS: Mapping[str, Mapping[str, Any]] = {
    "image-only": {"mask_source": "none", "network_def#mask": "none"},
    "predicted-mask": {"mask_source": "out_of_fold"},
    "reference-mask": {"mask_source": "reference"},
    "predicted-crop": {"mask_source": "out_of_fold", "crop": 0.25},
}
"""How a classifier sees the lesion, by name, and the settings that say so."""
BUNDLE = "breast_diagnosis"


@dataclass(frozen=True, slots=True)
class Stages:
    """What both stages are trained with.

    Attributes:
        folder: Where everything lies.
        dataset_dir: Folder of the data; None for phantoms.
        dataset: Name of the data set.
        bundle: Stage one: a segmentation bundle.
        recipe: Recipe of stage one, or None.
        budgets: Words that bound a training, for stage one and for the classifiers, such as ``["--epochs", "3"]``.
        words: Further settings ``KEY=VALUE`` of stage one and of the classifiers.
    """

    folder: DiagnosisFolder
    dataset_dir: str | None
    dataset: str
    bundle: str
    recipe: str | None
    budgets: tuple[Sequence[str], Sequence[str]]
    words: tuple[Sequence[str], Sequence[str]] = field(default=((), ()))

    def draw_masks(self) -> None:
        """Train the network of every pair of folds, let it draw the masks of both, and gather them.

        Raises:
            WrongCallError: A training or an evaluation failed; the log is named.
        """
        for pair in pairs(self.folder.split.folds):
            self._draw_pair(pair)
        for fold in range(self.folder.split.folds):
            self.folder.gather_masks(fold)

    def classify(self, way: str, fold: int) -> Path:
        """Train and test the classifier of one way and fold, and return the folder of its test.

        Raises:
            WrongCallError: The training or the test failed; the log is named.
        """
        run, settings = self.folder.classifier(way, fold), dict(WAYS[way])
        if settings["mask_source"] == "out_of_fold":
            settings["masks"] = str(self.folder.masks(fold))
        own = [f"{name}={json.dumps(value)}" for name, value in settings.items()]
        begin = [BUNDLE, *self._data(), "--split", str(self.folder.split_file), "--fold", str(fold)]
        begin += [*self.budgets[1], *set_words([*own, *self.words[1]]), "--run-dir", str(run)]
        masks = set_words([f"masks={json.dumps(settings['masks'])}"] if "masks" in settings else [])
        self._train(run, begin, masks)
        return self._test(run, masks)

    def join(self, way: str, sensitivity: float) -> Path:
        """Make the classifiers of a way one bundle, and return the folder of its out-of-fold figures.

        Its operating point is chosen on all of these cases, for a sensitivity to malignant ones.

        Raises:
            WrongCallError: The evaluation failed; the log is named.
        """
        run, split = self.folder.path / way, self.folder.split
        if not (run / "split.json").is_file():
            write_split(run / "split.json", split)
        join_folds(run, [self.folder.classifier(way, fold) for fold in range(split.folds)], split)
        if _pooled(run, sensitivity) is None:
            data = [] if self.dataset_dir is None else ["--dataset-dir", self.dataset_dir]
            words = ["evaluate", str(run), *data, "--set", f"sensitivity={sensitivity}"]
            _call(words, log_of(run), f"the out-of-fold evaluation of {run}")
        found = _pooled(run, sensitivity)
        if found is None:
            raise WrongCallError(f"{run} has no out-of-fold figures (see {log_of(run)}); give another folder")
        return found

    def _draw_pair(self, pair: Pair) -> None:
        run = self.folder.stage_one(pair)
        recipe = [] if self.recipe is None else ["--recipe", self.recipe]
        begin = [self.bundle, *recipe, *self._data(), "--split", str(self.folder.pair_file(pair)), *self.budgets[0]]
        self._train(run, [*begin, *set_words(self.words[0]), "--run-dir", str(run)], [])
        self._test(run, [])

    def _train(self, run: Path, begin: Sequence[str], local: Sequence[str]) -> None:
        if not is_finished(run):
            _say(f"{run.parent.name}, {run.name} (output: {log_of(run)})")
            data = [] if self.dataset_dir is None else ["--dataset-dir", self.dataset_dir]
            _call(training_words(run, begin, [*data, *local]), log_of(run), f"the training of {run}")

    def _test(self, run: Path, local: Sequence[str]) -> Path:
        if not list(run.glob("evaluation/*-test/metrics.json")):
            data = [] if self.dataset_dir is None else ["--dataset-dir", self.dataset_dir]
            _call(["evaluate", str(run), *data, *local], log_of(run), f"the test of {run}")
        return max(path.parent for path in run.glob("evaluation/*-test/metrics.json"))

    def _data(self) -> list[str]:
        data = [] if self.dataset_dir is None else ["--dataset-dir", self.dataset_dir]
        return ["--dataset", self.dataset, *data]


def _pooled(run: Path, sensitivity: float) -> Path | None:
    """Return the newest finished out-of-fold evaluation of a run as it is now, or None."""
    asked = {"weights_sha256": weights_digest(run), "asked_sensitivity": sensitivity}
    for folder in reversed(evaluations(run, "out_of_fold")):
        if is_evaluated(folder) and asked.items() <= identity_of(folder).items():
            return folder
    return None


def _call(words: Sequence[str], log: Path, what: str, call: Callable[..., str | None] = call_program) -> None:
    error = call(words, log, what)
    if error is not None:
        raise WrongCallError(error)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
