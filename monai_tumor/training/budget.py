"""How long a training lasts, and the learning rate that follows from it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from ignite.engine import Engine, Events

from monai_tumor.errors import WrongCallError, unknown_name
from monai_tumor.training.process import same_on_all

SHAPES = ("cosine", "polynomial", "constant")
_POWER = 0.9  # of the polynomial, as in DeepLab (Chen et al., 2017)


class TrainingBudget:
    """So many epochs, or as many whole epochs as fit into so many minutes.

    With ``minutes``, how many epochs fit is estimated from the steps of the first one, and anew after each, validation and
    saving included. A resumed run has the minutes that are left. Stands behind the checkpoint in the list of handlers.

    Args:
        epochs: Passes over the training part; None with ``minutes``.
        minutes: Wall-clock time instead; the epoch that ends nearest to it is the last, and one is always trained.

    Raises:
        WrongCallError: Both are given, or neither, or one is not above 0.
    """

    def __init__(self, epochs: int | None, minutes: float | None = None) -> None:
        if (epochs is None) == (minutes is None):
            raise WrongCallError(
                f"epochs is {epochs} and minutes is {minutes}: give one of them, and null for the other "
                "(plain MONAI command: '$None')"
            )
        if epochs is not None and epochs < 1:
            raise WrongCallError(f"epochs is {epochs}, expected 1 or more")
        if minutes is not None and not 0 < minutes < math.inf:
            raise WrongCallError(f"minutes is {minutes}, expected more than 0")
        self.epochs, self.minutes = epochs, minutes
        self._planned = epochs
        self._spent, self._started = 0.0, time.perf_counter()
        self._first = 0  # epochs before those that ``seconds`` counts

    def attach(self, engine: Engine) -> None:
        """Follow the trainer ``engine``."""
        engine.add_event_handler(Events.STARTED, self._start)
        if self.minutes is not None:
            engine.add_event_handler(Events.EPOCH_COMPLETED, self._plan)

    @property
    def seconds(self) -> float:
        """Seconds trained so far, those before a resume included."""
        return self._spent + time.perf_counter() - self._started

    def progress(self, engine: Engine) -> float:
        """Return the share of the training that is done before the present step, from 0 to below 1.

        A trainer that is run for more epochs than were planned (a client in federated learning) begins anew.
        """
        length, state = engine.state.epoch_length or 1, engine.state
        done = state.iteration - 1 - self._first * length
        if self.minutes is None:
            epochs = self._planned or 1
        elif state.epoch <= self._first + 1:
            epochs = self._fitting(done / length)
        else:
            epochs = (state.max_epochs or 1) - self._first
        return float(done % (epochs * length) / (epochs * length))

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs."""
        return {"epochs": self._planned, "seconds": self.seconds}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the state of the run that is resumed.

        Raises:
            WrongCallError: More epochs are asked for than the schedule was planned for.
        """
        if self.epochs is not None and self.epochs > (state["epochs"] or 0):
            raise WrongCallError(
                f"the learning-rate schedule of this run was planned for {state['epochs']} epochs and has nothing to say "
                f"about {self.epochs}; start a new run with --epochs {self.epochs}"
            )
        self._planned, self._spent = state["epochs"], state["seconds"]

    def check_resume(self, epochs: int, run: str) -> None:
        """Refuse to go on with a run that has been trained for more ``epochs`` than are asked for.

        Raises:
            WrongCallError: It has.
        """
        if self.epochs is not None and epochs > self.epochs:
            raise WrongCallError(
                f"{run} has already been trained for {epochs} epochs, asked for are {self.epochs}; give --epochs {epochs} or "
                "more"
            )

    def _start(self, engine: Engine) -> None:
        self._started = time.perf_counter()
        if self._spent == 0:
            self._first = engine.state.epoch
        if self.minutes is not None:
            engine.state.max_epochs = engine.state.epoch + 1
            if engine.state.epoch > self._first:
                self._plan(engine)

    def _plan(self, engine: Engine) -> None:
        done = engine.state.epoch - self._first
        engine.state.max_epochs = self._first + max(done, self._fitting(done))

    def _fitting(self, done: float) -> int:
        """Return how many epochs fit, as fast as the ``done`` ones were; the same on all processes."""
        seconds = float(same_on_all(self.seconds))
        return max(1, round(60 * (self.minutes or 0) / seconds * done)) if done else 1


class LearningRateSchedule:
    """Set the learning rate before each step: a straight rise from 0 during the warm-up, then the shape down to 0.

    Cosine: Loshchilov and Hutter (2017). It keeps no state: what it sets follows from the step alone.

    Args:
        optimizer: Whose groups are set; what they begin with is the peak.
        budget: Says how much of the training is done.
        shape: ``cosine``, ``polynomial`` (power 0.9) or ``constant``.
        warmup: Share of the training for the rise.
    """

    def __init__(self, optimizer: Any, budget: TrainingBudget, shape: str = "cosine", warmup: float = 0.0) -> None:
        if shape not in SHAPES:
            raise unknown_name("shape of the learning-rate schedule", shape, SHAPES)
        if not 0 <= warmup < 1:
            raise WrongCallError(f"warmup is {warmup}, expected a share of the training from 0 to below 1")
        self.optimizer, self.budget, self.shape, self.warmup = optimizer, budget, shape, warmup
        self.peaks = [float(group["lr"]) for group in optimizer.param_groups]

    def attach(self, engine: Engine) -> None:
        """Follow the trainer ``engine``."""
        engine.add_event_handler(Events.ITERATION_STARTED, self.set)

    def set(self, engine: Engine) -> None:
        """Set the rate of the step that is starting."""
        share = self.share(self.budget.progress(engine))
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * share

    def share(self, progress: float) -> float:
        """Return the share of the peak after ``progress`` (0 to 1) of the training."""
        if progress < self.warmup:
            return progress / self.warmup
        rest = (progress - self.warmup) / (1 - self.warmup)
        if self.shape == "cosine":
            return (1 + math.cos(math.pi * rest)) / 2
        return float((1 - rest) ** _POWER) if self.shape == "polynomial" else 1.0

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: there is no state."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take nothing."""
