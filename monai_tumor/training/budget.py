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

    With ``minutes``, how many epochs fit is estimated anew after each of them, validation and saving included. A resumed run
    has the minutes that are left. Stands behind the checkpoint in the list of handlers.

    Args:
        epochs: Passes over the training part, where ``minutes`` is None.
        minutes: Wall-clock time instead; the epoch that ends nearest to it is the last, and one is always trained.
    """

    def __init__(self, epochs: int, minutes: float | None = None) -> None:
        if epochs < 1:
            raise WrongCallError(f"epochs is {epochs}, expected 1 or more")
        if minutes is not None and not minutes > 0:
            raise WrongCallError(f"minutes is {minutes}, expected more than 0")
        self.epochs, self.minutes = epochs, minutes
        self._planned = epochs
        self._spent, self._started = 0.0, time.perf_counter()
        self._is_estimated = True

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
        """Return the share of the training that is done before the present step, 0 to 1."""
        if self.minutes is not None and not self._is_estimated:
            return min(1.0, self.seconds / (60 * self.minutes))  # nothing is known yet of how long an epoch takes
        epochs = self._planned if self.minutes is None else engine.state.max_epochs or 1
        steps: int = epochs * (engine.state.epoch_length or 1)
        return float(min(1.0, (engine.state.iteration - 1) / steps))

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs."""
        return {"epochs": self._planned, "seconds": self.seconds}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the state of the run that is resumed.

        Raises:
            WrongCallError: More epochs are asked for than the schedule was planned for.
        """
        if self.minutes is None and self.epochs > state["epochs"]:
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
        if self.minutes is None and epochs > self.epochs:
            raise WrongCallError(
                f"{run} has already been trained for {epochs} epochs, asked for are {self.epochs}; give --epochs {epochs} or "
                "more"
            )

    def _start(self, engine: Engine) -> None:
        self._started = time.perf_counter()
        if self.minutes is not None:
            self._is_estimated = engine.state.epoch > 0
            engine.state.max_epochs = engine.state.epoch + 1
            if self._is_estimated:
                self._plan(engine)

    def _plan(self, engine: Engine) -> None:
        seconds = float(same_on_all(self.seconds))
        left = 60 * (self.minutes or 0) - seconds
        engine.state.max_epochs = engine.state.epoch + max(0, round(left / (seconds / engine.state.epoch)))
        self._is_estimated = True


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
