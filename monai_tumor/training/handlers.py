"""What watches a training: exact repetition, guards against NaN and steep gradients, early stopping, Ctrl-C."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.engines.utils import IterationEvents
from monai.transforms import Compose
from torch import nn

from monai_tumor.errors import ToolkitError, WrongCallError
from monai_tumor.training.process import rank
from monai_tumor.training.run_folder import RunFolder


class ReseedEpoch:
    """Seed everything that draws from (seed, epoch, process) at the start of each epoch.

    A resumed run then repeats an uninterrupted one bit for bit, with any number of workers, and no random state has to be
    saved. Ignite makes the loader's iterator after this event, so that order and worker seeds follow.

    Args:
        seed: The seed of the run.
        transform: The random transforms of the training part.
    """

    def __init__(self, seed: int, transform: Compose) -> None:
        self.seed, self.transform = seed, transform

    def attach(self, engine: Engine) -> None:
        """Follow the trainer ``engine``."""
        engine.add_event_handler(Events.EPOCH_STARTED, self.reseed)

    def reseed(self, engine: Engine) -> None:
        """Seed for the epoch that is starting."""
        sequence = np.random.SeedSequence([self.seed, engine.state.epoch, rank()])
        state = int(sequence.generate_state(1, np.uint32)[0])
        random.seed(state)
        np.random.seed(state)
        torch.manual_seed(state)
        self.transform.set_random_state(seed=state)


class StopAtNaN:
    """End the training with a clear error when the loss is not a number, instead of spoiling every weight silently."""

    def attach(self, engine: Engine) -> None:
        """Follow the trainer ``engine``."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.check)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.check_epoch)
        self._total: torch.Tensor | None = None

    def check(self, engine: Engine) -> None:
        """Add the loss; on a CPU look at it at once, elsewhere at the end of the epoch so as not to wait for the device."""
        loss = loss_of(engine)
        self._total = loss if self._total is None else self._total + loss
        if loss.device.type == "cpu" and not bool(torch.isfinite(loss)):
            self._stop(engine)

    def check_epoch(self, engine: Engine) -> None:
        """Write the mean loss of the epoch into the trainer's metrics, or stop."""
        if self._total is not None:
            mean = float(self._total) / engine.state.epoch_length
            self._total = None
            if not np.isfinite(mean):
                self._stop(engine)
            engine.state.metrics["loss"] = mean

    def _stop(self, engine: Engine) -> None:
        raise ToolkitError(
            f"the loss is not a number in epoch {engine.state.epoch}, iteration {engine.state.iteration}; nothing of this "
            "epoch was saved. Lower the learning rate (setting lr), or set precision to fp32"
        )


class StopEarly:
    """End the training when the validation figure has not been better for some epochs; the best weights are on disk.

    Stands behind the checkpoint in the list of handlers. It counts from the best epoch in ``run.json``, so a resumed run
    goes on counting.

    Args:
        folder: The run.
        patience: Epochs without a better figure; None never ends the training.
    """

    def __init__(self, folder: RunFolder, patience: int | None = None) -> None:
        if patience is not None and patience < 1:
            raise WrongCallError(f"patience is {patience}, expected 1 epoch or more, or null")
        self.folder, self.patience = folder, patience

    def attach(self, engine: Engine) -> None:
        """Follow the trainer ``engine``."""
        if self.patience is not None:
            engine.add_event_handler(Events.STARTED, self.look)  # a resumed run may have ended so
            engine.add_event_handler(Events.EPOCH_COMPLETED, self.look)

    def look(self, engine: Engine) -> None:
        """Count the epochs from the best one to the last that was validated."""
        record = self.folder.record
        validated = [entry["epoch"] for entry in record.get("history", []) if record.get("metric") in entry]
        if record.get("best") is not None and validated[-1] - record["best_epoch"] >= (self.patience or 0):
            engine.terminate()


class ClipGradients:
    """Scale the gradients of a step down to a largest norm over all weights (Pascanu et al., 2013).

    Args:
        network: What is trained.
        max_norm: Largest norm; None leaves gradients as they are.
    """

    def __init__(self, network: nn.Module, max_norm: float | None = None) -> None:
        if max_norm is not None and not max_norm > 0:
            raise WrongCallError(f"max_gradient_norm is {max_norm}, expected more than 0, or null")
        self.network, self.max_norm = network, max_norm

    def attach(self, engine: Engine) -> None:
        """Follow the trainer ``engine``, one of MONAI's: Ignite has no event between gradients and step."""
        if self.max_norm is not None:
            engine.add_event_handler(IterationEvents.BACKWARD_COMPLETED, self.clip)

    def clip(self, engine: Engine) -> None:
        """Scale the gradients that have just been computed."""
        nn.utils.clip_grad_norm_(self.network.parameters(), float(self.max_norm or 0.0))


class StopOnInterrupt:
    """Ctrl-C ends the training after the current iteration; the last complete epoch is on disk. A second one ends it at once.

    Args:
        folder: The run; ``status`` in its ``run.json`` becomes ``interrupted``.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._before: Any = None
        self._pressed = False

    def attach(self, engine: Engine) -> None:
        """Follow the trainer ``engine``; the signal is taken only while it runs, and only in the main thread."""
        engine.add_event_handler(Events.STARTED, self._take)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._look)
        for event in (Events.COMPLETED, Events.EXCEPTION_RAISED):
            engine.add_event_handler(event, self._give_back)

    def _take(self, engine: Engine) -> None:
        self._pressed = False
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._press)

    def _press(self, number: int, frame: FrameType | None) -> None:
        if self._pressed:
            raise KeyboardInterrupt
        self._pressed = True

    def _look(self, engine: Engine) -> None:
        if self._pressed:
            self.folder.update(status="interrupted")
            engine.terminate()

    def _give_back(self, engine: Engine, error: BaseException | None = None) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None
        if error is not None:
            if self.folder.is_claimed:
                self.folder.update(status="interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
            raise error


def as_handler(part: Any) -> Any:
    """Return ``part`` as it is: MONAI 1.6.1 reads the target of every handler, so a list cannot hold a mere reference."""
    return part


def latest_figure(evaluator: Engine, metric: str) -> Callable[[Engine], float]:
    """Return a function of the trainer that reads ``metric`` of the last validation, for schedules that look at it."""

    def read(engine: Engine) -> float:
        return float(evaluator.state.metrics.get(metric, float("nan")))  # before the first validation

    return read


def loss_of(engine: Engine) -> torch.Tensor:
    """Return the loss of the step that is completed, decollated or not."""
    output = engine.state.output
    loss: torch.Tensor = output[0]["loss"] if isinstance(output, list) else output["loss"]
    return loss.detach()
