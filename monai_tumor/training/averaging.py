"""The average of the weights along the training, which generalises better than the last ones."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
import torch.distributed as dist
from ignite.engine import Engine, Events
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from monai_tumor.errors import WrongCallError


class WeightAverage:
    """Exponential moving average of a network's weights and batch statistics (Polyak and Juditsky, 1992).

    The decay rises as ``(1 + step) / (10 + step)`` to its full value, so that the random beginning is soon forgotten.

    Args:
        network: What is trained.
        decay: Share of the average that a step keeps, 0.99 for about the last 100 steps; None for no average.

    Attributes:
        network: The network to validate and to keep: a copy with the averaged weights, or without ``decay`` the one that is
            trained.
    """

    def __init__(self, network: nn.Module, decay: float | None = None) -> None:
        if decay is not None and not 0 < decay < 1:
            raise WrongCallError(f"average_decay is {decay}, expected between 0 and 1, for example 0.99, or null")
        self.decay = decay
        self.trained = network.module if isinstance(network, nn.parallel.DistributedDataParallel) else network
        self.network = self.trained if decay is None else copy.deepcopy(self.trained)

    def attach(self, engine: Engine) -> None:
        """Follow the trainer ``engine``; stands before the validation."""
        if self.decay is not None:
            engine.add_event_handler(Events.STARTED, self.begin)
            engine.add_event_handler(Events.ITERATION_COMPLETED, self.add)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.share_statistics)

    @torch.no_grad()
    def begin(self, engine: Engine) -> None:
        """Begin with the weights of the trained network, which a federated server may have set since the last run."""
        for kept, new in zip(self.network.state_dict().values(), self.trained.state_dict().values(), strict=True):
            kept.copy_(new)

    def share_statistics(self, engine: Engine) -> None:
        """Give all processes the batch statistics of the first one, whose weights are kept: all then validate the same."""
        if dist.is_initialized():
            for statistics in self.network.buffers():
                dist.broadcast(statistics, src=0)

    @torch.no_grad()
    def add(self, engine: Engine) -> None:
        """Add the weights after the step that is completed."""
        step = engine.state.iteration
        decay = min(self.decay or 0.0, (1 + step) / (10 + step))
        pairs = list(zip(self.network.state_dict().values(), self.trained.state_dict().values(), strict=True))
        floating = [(kept, new) for kept, new in pairs if kept.is_floating_point()]
        average = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        average([kept for kept, _ in floating], [new for _, new in floating], None)
        for kept, new in pairs:
            if not kept.is_floating_point():  # how many batches batch normalisation has seen
                kept.copy_(new)

    def state_dict(self) -> dict[str, Any]:
        """Return the averaged weights; nothing where there is no average."""
        return {} if self.decay is None else self.network.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the averaged weights of the run that is resumed."""
        if self.decay is not None:
            self.network.load_state_dict(state)
