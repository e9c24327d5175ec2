"""Best weights and an exact resume, each file whole or absent."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events

from monai_tumor.errors import ToolkitError, WrongCallError
from monai_tumor.training.averaging import WeightAverage
from monai_tumor.training.budget import TrainingBudget
from monai_tumor.training.lesion_dice import better
from monai_tumor.training.process import rank
from monai_tumor.training.run_folder import WEIGHTS, RunFolder


def save_whole(content: Any, path: Path) -> None:
    """Write ``content`` with ``torch.save`` beside ``path``, then rename: the former file stays whole until then.

    MONAI 1.6.1's ``CheckpointSaver`` writes in place, so that a full disk costs the former checkpoint too.

    Raises:
        ToolkitError: The disk is full or not writable; the former file is still there.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file, _checksums(path.name == WEIGHTS.name):
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:  # torch reports a failed write as RuntimeError
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise ToolkitError(
            f"{path} cannot be written ({error}); the former file is untouched. Make room and go on with "
            f"--resume {path.parent.parent}"
        ) from error


@contextlib.contextmanager
def _checksums(wanted: bool) -> Iterator[None]:
    """Leave torch's checksums out of a checkpoint, which nobody but ``torch.load`` reads: they take most of the time."""
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(wanted)
    try:
        yield
    finally:
        torch.serialization.set_crc32_options(before)


class SaveCheckpoint:
    """After each epoch: ``models/checkpoint.pt``, and ``models/model.pt`` when the validation figure is the best so far.

    Stands after the schedule and the validation in the list of handlers. Before the first epoch it saves the beginning, or
    loads the checkpoint of a resumed run. A checkpoint holds tensors, numbers and text only.

    Args:
        folder: The run.
        average: The network that is trained, and the one whose weights are kept as the best.
        budget: How long the training lasts.
        parts: What else has a state, by name: optimiser and schedule.
        evaluator: Whose metrics choose the best epoch.
        metric: Which of them; larger is better, NaN never is the best.
    """

    def __init__(
        self,
        folder: RunFolder,
        average: WeightAverage,
        budget: TrainingBudget,
        parts: Mapping[str, Any],
        evaluator: Engine,
        metric: str,
    ) -> None:
        self.folder, self.budget, self.evaluator, self.metric = folder, budget, evaluator, metric
        self.kept = average.network
        self.parts = {"network": average.trained, "average": average, "budget": budget, **parts}
        self.best: float | None = None
        self.best_epoch = 0
        self.history: list[dict[str, float]] = []

    def attach(self, engine: Engine) -> None:
        """Follow the trainer ``engine``."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.save)

    def start(self, engine: Engine) -> None:
        """Claim the run folder, then load the checkpoint or save the beginning."""
        self.folder.claim()
        if self.folder.checkpoint.is_file() and engine.state.epoch == 0 and self.folder.resume is not None:
            self._load(engine)
        elif rank() == 0 and not self.folder.checkpoint.is_file():
            save_whole(self._content(engine), self.folder.checkpoint)

    def save(self, engine: Engine) -> None:
        """Save the epoch that has just been completed."""
        current = float(self.evaluator.state.metrics.get(self.metric, float("nan")))
        validated = self.evaluator.state.epoch == engine.state.epoch
        is_best = validated and better(current, self.best)
        if is_best:
            self.best, self.best_epoch = current, engine.state.epoch
        figures = {name: float(value) for name, value in self.evaluator.state.metrics.items()} if validated else {}
        loss = float(engine.state.metrics.get("loss", float("nan")))
        seconds = round(self.budget.seconds, 1)
        self.history.append({"epoch": engine.state.epoch, "seconds": seconds, "loss": loss, **figures})
        if rank() == 0:
            # Weights first: killed between the two, a resume repeats the epoch and writes the same weights again.
            if is_best or self.best is None:
                save_whole(self.kept.state_dict(), self.folder.weights)
            save_whole(self._content(engine), self.folder.checkpoint)
        self.folder.update(metric=self.metric, best=self.best, best_epoch=self.best_epoch, history=self.history)

    def _content(self, engine: Engine) -> dict[str, Any]:
        return {
            **{name: part.state_dict() for name, part in self.parts.items()},
            "epoch": engine.state.epoch,
            "epoch_length": engine.state.epoch_length,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "history": self.history,
        }

    def _load(self, engine: Engine) -> None:
        content = read_checkpoint(self.folder.checkpoint, engine.state.device)
        self.budget.check_resume(content["epoch"], str(self.folder.path))
        if content["epoch_length"] != engine.state.epoch_length:
            raise WrongCallError(
                f"{self.folder.path} was trained with {content['epoch_length']} batches an epoch, now there are "
                f"{engine.state.epoch_length}; resume with the same data and batch size"
            )
        try:
            for name, part in self.parts.items():
                part.load_state_dict(content[name])
        except (RuntimeError, ValueError, KeyError) as error:
            raise WrongCallError(
                f"the checkpoint of {self.folder.path} does not fit this configuration "
                f"({str(error).splitlines()[0]}); resume with the settings in its configs/train.json"
            ) from error
        self.best, self.best_epoch, self.history = content["best"], content["best_epoch"], content["history"]
        engine.state.epoch = content["epoch"]
        engine.state.iteration = content["epoch"] * content["epoch_length"]


def read_checkpoint(path: Path, device: Any = "cpu") -> Mapping[str, Any]:
    """Return the content of a checkpoint, tensors on ``device``.

    Raises:
        WrongCallError: The file is missing, damaged, or holds more than tensors, numbers and text.
    """
    try:
        content: Mapping[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError as error:
        raise WrongCallError(f"{path} does not exist; give the folder of a run") from error
    except Exception as error:  # zip, pickle and end-of-file errors alike
        raise WrongCallError(f"{path} cannot be read ({type(error).__name__}): it is damaged or not ours") from error
    return content
