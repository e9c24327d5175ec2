"""Train and test one method on one fold, each in a process of its own, going on where an earlier call stopped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from monai_tumor.comparison.folder import ComparisonFolder
from monai_tumor.comparison.methods import ComparedMethod
from monai_tumor.comparison.plan import Plan
from monai_tumor.folds.child import (
    PROGRAM,
    call_program,
    is_finished,
    is_local,
    log_of,
    read_record,
    set_words,
    training_words,
)

__all__ = ["PROGRAM", "FoldTrainer", "evaluation_of", "is_finished", "log_of", "read_record"]


@dataclass(frozen=True, slots=True)
class FoldTrainer:
    """Runs ``monai-tumor train`` and ``monai-tumor evaluate`` for the runs of a comparison.

    A process each: memory is that of one training, and a crash costs one training.

    Attributes:
        folder: Where the runs lie.
        plan: What they share.
        program: How the program is called.
    """

    folder: ComparisonFolder
    plan: Plan
    program: Sequence[str] = PROGRAM

    def complete(self, method: ComparedMethod, fold: int) -> str | None:
        """Train and test what is not yet trained and tested.

        Returns:
            Why it failed, in one line; None when the fold is complete.

        Raises:
            KeyboardInterrupt: A process was interrupted; what it had trained is kept.
        """
        run = self.folder.run(method.name, fold)
        if evaluation_of(run) is not None:
            return None
        failure = None if is_finished(run) else self._call(self._training(method, fold, run), run, "training")
        if failure is not None:
            return failure
        failure = self._call(["evaluate", str(run), "--part", "test", *self._place()], run, "test")
        if failure is None and evaluation_of(run) is None:
            return f"the test left no figures in {run / 'evaluation'} (see {log_of(run)})"
        return failure

    def _training(self, method: ComparedMethod, fold: int, run: Path) -> list[str]:
        minutes, epochs = self.plan.minutes, self.plan.epochs
        budget = ["--minutes", str(minutes)]
        if minutes is None:  # those of a recipe would win over the epochs
            budget = ["--epochs", str(epochs), *set_words(["minutes=null"])]
        begin = [
            *[str(self.folder.bundle), "--dataset", self.folder.begun["dataset"]],
            *["--split", str(self.folder.split_file), "--fold", str(fold), "--run-dir", str(run)],
            *[*self.folder.method(method).words, *budget, *set_words([f"seed={self.plan.seed}"])],
            *self._folder_of_data(),
            *set_words(self.plan.words),
        ]
        return training_words(run, begin, self._place())

    def _place(self) -> list[str]:
        """What a run does not remember because it belongs to this machine: where the data lie, the device, the cache."""
        local = [word for word in self.plan.words if is_local(word.partition("=")[0], self.folder.bundle)]
        return [*self._folder_of_data(), *set_words(local)]

    def _folder_of_data(self) -> list[str]:
        return [] if self.plan.dataset_dir is None else ["--dataset-dir", self.plan.dataset_dir]

    def _call(self, words: Sequence[str], run: Path, what: str) -> str | None:
        return call_program(words, log_of(run), what, self.program, self.folder.inherited)


def evaluation_of(run: Path) -> Path | None:
    """Return the first complete evaluation of the test part with the weights that a finished run has, or None."""
    weights = read_record(run).get("weights_sha256") if is_finished(run) else None
    for metrics in sorted((run / "evaluation").glob("*-test/metrics.json")):
        if weights is not None and json.loads(metrics.read_text(encoding="utf-8"))["weights_sha256"] == weights:
            return metrics.parent
    return None
