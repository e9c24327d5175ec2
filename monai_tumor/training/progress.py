"""The progress bar of a training."""

from __future__ import annotations

import sys
import time
from typing import Any

from ignite.engine import Engine, Events
from tqdm import tqdm

from monai_tumor.training.handlers import loss_of
from monai_tumor.training.process import rank
from monai_tumor.wording import figure_words


class TrainingProgress:
    """One bar over all epochs on stderr: loss, validation figure, images a second, time left.

    Where stderr is no terminal it is one line an epoch.

    Args:
        evaluator: Whose metrics are shown.
        metric: Which of them; how many cases it is about stands in the metrics as ``<metric>_lesion_cases`` or
            ``<metric>_cases``.
        batch_size: Images in an iteration.
    """

    def __init__(self, evaluator: Engine, metric: str, batch_size: int) -> None:
        self.evaluator, self.metric, self.batch_size = evaluator, metric, batch_size
        self._bar: Any = None
        self._shown = self._epoch_started = 0.0
        self._is_fresh = True

    def attach(self, engine: Engine) -> None:
        """Follow the trainer ``engine``."""
        engine.add_event_handler(Events.STARTED, self._open)
        engine.add_event_handler(Events.EPOCH_STARTED, self._start_epoch)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._step)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._end_epoch)
        engine.add_event_handler(Events.COMPLETED, self._close)
        engine.add_event_handler(Events.TERMINATE, self._close)

    def _open(self, engine: Engine) -> None:
        total = (engine.state.max_epochs or 0) * (engine.state.epoch_length or 0)
        hidden = rank() != 0 or not sys.stderr.isatty()
        self._bar = tqdm(total=total, initial=engine.state.iteration, unit="batch", disable=hidden, dynamic_ncols=True)

    def _start_epoch(self, engine: Engine) -> None:
        self._epoch_started = time.perf_counter()
        self._bar.total = (engine.state.max_epochs or 0) * (
            engine.state.epoch_length or 0
        )  # minutes: planned anew each epoch
        self._bar.set_description(f"epoch {engine.state.epoch}/{engine.state.max_epochs}", refresh=False)

    def _step(self, engine: Engine) -> None:
        now = time.perf_counter()
        if not self._bar.disable and now - self._shown > 0.3:  # reading the loss waits for a GPU: not at every step
            self._shown = now
            done = (engine.state.iteration - 1) % (engine.state.epoch_length or 1) + 1
            speed = done * self.batch_size / (now - self._epoch_started)
            loss = float(loss_of(engine))
            self._bar.set_postfix_str(f"loss {loss:.3f}, {self._figure()}, {speed:.1f} images/s", refresh=False)
        self._bar.update()

    def _end_epoch(self, engine: Engine) -> None:
        self._is_fresh = self.evaluator.state.epoch == engine.state.epoch  # not validated in every epoch
        seconds = time.perf_counter() - self._epoch_started
        left = seconds * ((engine.state.max_epochs or 0) - engine.state.epoch)
        images = (engine.state.epoch_length or 0) * self.batch_size
        if self._bar.disable and rank() == 0:
            print(
                f"epoch {engine.state.epoch}/{engine.state.max_epochs}: loss {engine.state.metrics.get('loss', 0):.3f}, "
                f"{self._figure()}, {images / seconds:.1f} images/s with validation, {left / 60:.1f} min left",
                file=sys.stderr,
                flush=True,
            )

    def _figure(self) -> str:
        words, metrics = figure_words(self.metric), self.evaluator.state.metrics
        value = metrics.get(self.metric)
        if value is None or not self._is_fresh:
            return f"{words} -"
        counted = [metrics[name] for name in (f"{self.metric}_lesion_cases", f"{self.metric}_cases") if name in metrics]
        return f"validation {words} {value:.3f}" + "".join(f" (n = {count:.0f})" for count in counted)

    def _close(self, engine: Engine) -> None:
        self._bar.close()
