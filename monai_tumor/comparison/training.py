"""Train and test one method on one fold, each in a process of its own, going on where an earlier call stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai_tumor.bundles.finish import INTERRUPTED
from monai_tumor.bundles.running import local_settings
from monai_tumor.comparison.folder import ComparisonFolder
from monai_tumor.comparison.methods import ComparedMethod
from monai_tumor.comparison.plan import Plan

PROGRAM = (sys.executable, "-m", "monai_tumor")


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
        if (run / "models" / "checkpoint.pt").is_file():
            return ["train", "--resume", str(run), *self._place()]
        _set_aside(run)
        minutes, epochs = self.plan.minutes, self.plan.epochs
        budget = ["--minutes", str(minutes)]
        if minutes is None:  # those of a recipe would win over the epochs
            budget = ["--epochs", str(epochs), *_set(["minutes=null"])]
        return [
            *["train", str(self.folder.bundle), "--dataset", self.folder.begun["dataset"]],
            *["--split", str(self.folder.split_file), "--fold", str(fold), "--run-dir", str(run)],
            *[*self.folder.method(method).words, *budget, *_set([f"seed={self.plan.seed}"])],
            *self._folder_of_data(),
            *_set(self.plan.words),
        ]

    def _place(self) -> list[str]:
        """What a run does not remember because it belongs to this machine: where the data lie, the device, the cache."""
        local = local_settings(self.folder.bundle)
        return [*self._folder_of_data(), *_set([word for word in self.plan.words if _top(word) in local])]

    def _folder_of_data(self) -> list[str]:
        return [] if self.plan.dataset_dir is None else ["--dataset-dir", self.plan.dataset_dir]

    def _call(self, words: Sequence[str], run: Path, what: str) -> str | None:
        log = log_of(run)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            former = file.tell()
            process = subprocess.Popen(
                [*self.program, *words],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                pass_fds=self.folder.inherited,
            )
            code = _wait(process)
        if code in (INTERRUPTED, -signal.SIGINT):
            raise KeyboardInterrupt
        ended = f"exit code {code}" if code > 0 else f"signal {-code}"
        return None if code == 0 else f"{what} ended with {ended}: {_last_line(log, former)} (see {log})"


def read_record(run: Path) -> dict[str, Any]:
    """Return ``run.json`` of a run; empty where there is none that can be read."""
    try:
        record: dict[str, Any] = json.loads((run / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record


def is_finished(run: Path) -> bool:
    """Return whether a run was trained to its end."""
    return read_record(run).get("status") == "finished"


def evaluation_of(run: Path) -> Path | None:
    """Return the first complete evaluation of the test part with the weights that a finished run has, or None."""
    weights = read_record(run).get("weights_sha256") if is_finished(run) else None
    for metrics in sorted((run / "evaluation").glob("*-test/metrics.json")):
        if weights is not None and json.loads(metrics.read_text(encoding="utf-8"))["weights_sha256"] == weights:
            return metrics.parent
    return None


def log_of(run: Path) -> Path:
    """Return where the output of the processes of a run stands."""
    return run.with_name(f"{run.name}.log")


def _set(words: Sequence[str]) -> list[str]:
    return [part for word in words for part in ("--set", word)]


def _top(word: str) -> str:
    return word.partition("=")[0].replace("::", "#").partition("#")[0]


def _set_aside(run: Path) -> None:
    """Move a run that ended before its first checkpoint out of the way: nothing is deleted."""
    if run.is_dir() and any(run.iterdir()):
        number = 1
        while run.with_name(f"{run.name}-aborted-{number}").exists():
            number += 1
        run.rename(run.with_name(f"{run.name}-aborted-{number}"))


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process; on Ctrl-C, which it gets as well, let it save its checkpoint first."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.wait()
        raise


def _last_line(log: Path, start: int) -> str:
    """Return the error that a process wrote after the first ``start`` bytes of its log, or its last line."""
    text = log.read_bytes()[start:].decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (errors or lines or ["it said nothing"])[-1]
