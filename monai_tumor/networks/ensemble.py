"""The networks of several folds as one network: one map of logits each, or the mean of their class logits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from monai_tumor.errors import WrongCallError
from monai_tumor.networks.normalisation import normalisation_of


class FoldEnsemble(nn.ModuleList):
    """Networks that see the same image and give one map each; what reads them takes the mean of the probabilities.

    The keys of its ``state_dict`` are those of the members after ``"0."``, ``"1."`` and so on. ``normalisation`` and
    ``encoder_source`` are those of the members.

    Args:
        members: Networks that map (batch, channels, rows, columns) to logits (batch, 1, rows, columns).

    Raises:
        WrongCallError: There are none, or their inputs are normalised with different values.
    """

    def __init__(self, members: Iterable[nn.Module]) -> None:
        super().__init__(members)
        found = {normalisation_of(member) for member in self}
        if len(found) != 1:
            raise WrongCallError(
                f"an ensemble of {len(self)} networks has {len(found)} normalisations; expected networks of one kind, "
                "trained with the same setting of network_def#normalisation"
            )
        self.normalisation: Any = found.pop()
        self.encoder_source: Any = getattr(self[0], "encoder_source", {})

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the logits (batch, members, rows, columns) of an image (batch, channels, rows, columns)."""
        return torch.cat([member(image) for member in self], dim=1)


class ClassFoldEnsemble(FoldEnsemble):
    """Classifiers that see the same input; their logits are averaged, so that there is one vector of logits as of one of them.

    Args:
        members: Networks that map their input to logits (batch, classes).

    Raises:
        WrongCallError: As of ``FoldEnsemble``.
    """

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the logits (batch, classes), the mean over the members."""
        return torch.stack([member(image) for member in self]).mean(dim=0)
