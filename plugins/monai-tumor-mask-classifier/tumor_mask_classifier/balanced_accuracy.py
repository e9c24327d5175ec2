"""The figure that chooses the best epoch: every class counts the same, however many cases it has."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from ignite.engine import Engine
from ignite.metrics import Metric

from monai_tumor.training.process import rank


class BalancedAccuracy(Metric):
    """Mean recall over the classes that have a case; calling everything by the commonest name gives 1 / classes.

    It is not defined where a class has no case. Then it is the mean over the classes present, which is said once on stderr
    and counted beside it. Under the name it is attached as stand ``<name>_cases``, ``<name>_classes`` (with a case) and
    ``<name>_recall_<class>`` (NaN without a case).

    Args:
        classes: The labels in the order of the logits.
        device: Where counts are kept.
    """

    def __init__(self, classes: Sequence[str], device: torch.device | str = "cpu") -> None:
        self.classes = tuple(classes)
        self._told = False
        super().__init__(lambda output: (output["pred"], output["label"]), device=device)

    def reset(self) -> None:
        """Forget all cases."""
        self._confusion = torch.zeros(len(self.classes), len(self.classes), dtype=torch.int64, device=self._device)

    def update(self, output: tuple[torch.Tensor, torch.Tensor]) -> None:
        """Add one batch: logits (batch, classes) and targets (batch,) int64."""
        logits, targets = (one.detach().as_subclass(torch.Tensor) for one in output)
        places = targets.to(self._device) * len(self.classes) + logits.argmax(dim=1).to(self._device)
        self._confusion += torch.bincount(places, minlength=len(self.classes) ** 2).view_as(self._confusion)

    def compute(self) -> float:
        """Return the mean recall over the classes present; NaN without any case."""
        recalls = self._recalls()[0]
        return float(recalls[~recalls.isnan()].mean())

    def completed(self, engine: Engine, name: str) -> None:
        """Write the figure as ``name``, and the counts and recalls beside it."""
        recalls, cases = self._recalls()
        present = ~recalls.isnan()
        figures: dict[str, Any] = {"": float(recalls[present].mean()), "_cases": cases, "_classes": int(present.sum())}
        figures |= {f"_recall_{label}": float(recall) for label, recall in zip(self.classes, recalls, strict=True)}
        engine.state.metrics.update({f"{name}{suffix}": float(value) for suffix, value in figures.items()})
        absent = [label for label, here in zip(self.classes, present, strict=True) if not here]
        if absent and not self._told and rank() == 0:
            self._told = True
            print(
                f"NOTE: no validation case is {' or '.join(absent)}; balanced accuracy is the mean over the other classes.",
                file=sys.stderr,
            )

    def _recalls(self) -> tuple[torch.Tensor, int]:
        """Return the recall of each class, NaN without a case, and the number of cases, over all processes."""
        confusion = self._confusion.clone()
        if dist.is_initialized():
            dist.all_reduce(confusion)
        return confusion.diagonal().double() / confusion.sum(dim=1), int(confusion.sum())
