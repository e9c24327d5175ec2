"""A training budget in processor minutes, so that a shared machine trains neither way longer than the other.

Used with one thread: ``--set budget#_target_=cpu_budget.CpuBudget`` and this folder on ``PYTHONPATH``.
"""

from __future__ import annotations

import time
from typing import Any

from monai_tumor.training import TrainingBudget


class CpuBudget(TrainingBudget):
    """``minutes`` are those that this process has computed, all threads together, instead of those on the clock."""

    def __init__(self, *settings: Any, **named: Any) -> None:
        super().__init__(*settings, **named)
        self._cpu_started = time.process_time()

    @property
    def seconds(self) -> float:
        """Processor seconds trained so far."""
        return self._spent + time.process_time() - self._cpu_started

    def _start(self, engine: Any) -> None:
        self._cpu_started = time.process_time()
        super()._start(engine)
