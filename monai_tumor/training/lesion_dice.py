"""The figure that chooses the best epoch: mean Dice over cases with a lesion; lesion-free cases are counted apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from ignite.engine import Engine
from ignite.metrics import Metric


class LesionDice(Metric):
    """Mean Dice per case over the cases whose reference has a lesion.

    MONAI 1.6.1's ``MeanDice`` drops cases with an empty reference without counting them and returns 0.0 when there is
    nothing else, which then becomes "best". This returns NaN then, and puts beside it, under the name it is attached as:
    ``<name>_lesion_cases``, ``<name>_lesion_free_cases`` and ``<name>_false_positive_px`` (mean area marked by mistake on
    lesion-free cases, NaN when there is none).

    Args:
        output_transform: Takes the engine's output; the default reads ``pred`` and ``label``, (batch, 1, rows, columns) of
            0 and 1, or a list of such items without the batch axis.
        device: Where counts are kept.
    """

    def __init__(self, output_transform: Callable[[Any], Any] | None = None, device: str = "cpu") -> None:
        self._counts: list[torch.Tensor] = []
        super().__init__(output_transform or _masks, device=device)

    def reset(self) -> None:
        """Forget all cases."""
        self._counts = []

    def update(self, output: tuple[torch.Tensor, torch.Tensor]) -> None:
        """Add the cases of one batch: prediction and reference, (batch, 1, rows, columns), non-zero is lesion."""
        # Zeros and ones as float32: sums are exact up to 4096x4096 pixels and twice as fast as counting booleans.
        prediction, reference = (_plain(mask).flatten(1).round() for mask in output)
        overlap = torch.linalg.vecdot(prediction, reference)
        counts = torch.stack([overlap, prediction.sum(1), reference.sum(1)], dim=1)
        self._counts.append(counts.to(self._device))

    def compute(self) -> float:
        """Return the mean Dice over cases with a lesion; NaN when there is none."""
        return self._figures()[""]

    def completed(self, engine: Engine, name: str) -> None:
        """Write the Dice as ``name``, and the counts beside it."""
        for suffix, value in self._figures().items():
            engine.state.metrics[f"{name}{suffix}"] = value

    def _figures(self) -> dict[str, float]:
        counts = torch.cat(self._counts).double() if self._counts else torch.zeros(0, 3, dtype=torch.float64)
        overlap, predicted, expected = _gather(counts).unbind(dim=1)
        lesion = expected > 0
        dice = 2 * overlap[lesion] / (predicted[lesion] + expected[lesion])
        return {
            "": float(dice.mean()),
            "_lesion_cases": float(lesion.sum()),
            "_lesion_free_cases": float((~lesion).sum()),
            "_false_positive_px": float(predicted[~lesion].mean()),
        }


def better(current: float, best: float | None) -> bool:
    """Return whether ``current`` is a new best: NaN never is, and the first number always is."""
    return current == current and (best is None or current > best)


def _masks(output: Any) -> tuple[torch.Tensor, torch.Tensor]:
    if isinstance(output, dict):
        return output["pred"], output["label"]
    return torch.stack([item["pred"] for item in output]), torch.stack([item["label"] for item in output])


def _plain(mask: torch.Tensor) -> torch.Tensor:
    """Return float32 without MONAI's metadata, whose bookkeeping costs more than the counting."""
    return mask.detach().as_subclass(torch.Tensor).float()


def _gather(counts: torch.Tensor) -> torch.Tensor:
    if not dist.is_initialized():
        return counts
    parts: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(parts, counts.cpu())
    return torch.cat(parts)
