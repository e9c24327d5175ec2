"""Explanations of the cases of a data set, as reports show them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from monai_tumor.imaging.prepare import PrepareSettings, restore_probability
from monai_tumor.pipeline import PrepareCase
from monai_tumor.training.checkpoint import read_checkpoint
from tumor_mask_classifier.explanation import explain
from tumor_mask_classifier.source import DiagnosisSource


class ExplainCase:
    """What speaks for a class in a case, in the eyes of the network that tested it.

    Args:
        bundle_root: The run; its weights are loaded at the first use.
        network: Its network, or that of a fold set.
        source: Images and masks.
        settings: How they are prepared.
        prepare_batch: Makes the network's input.
        device: Where to.
    """

    def __init__(
        self,
        bundle_root: str,
        network: nn.Module,
        source: DiagnosisSource,
        settings: PrepareSettings,
        prepare_batch: Any,
        device: Any,
    ) -> None:
        self.weights, self.network, self.settings = Path(bundle_root) / "models" / "model.pt", network, settings
        self.prepare, self.prepare_batch, self.device = PrepareCase(settings, source), prepare_batch, device
        self.source = source
        self._loaded = False

    def __call__(self, case: str, class_index: int, fold: int | None = None) -> NDArray[np.float32]:
        """Return float32 (rows, columns) in 0..1 in the geometry of ``source.load(case)``; see ``explain``.

        Args:
            case: Its id.
            class_index: The class in question.
            fold: The fold that tested it, where the network is that of a fold set: the others learnt from the case.
        """
        if not self._loaded:
            self.network.load_state_dict(read_checkpoint(self.weights, self.device))
            self._loaded = True
        [item] = self.source.items_of([case])
        prepared = self.prepare(item)
        batch = {name: torch.as_tensor(prepared[name])[None] for name in ("image", "label") if name in prepared}
        network = self.network[fold] if fold is not None and isinstance(self.network, nn.ModuleList) else self.network
        [heat] = explain(network, self.prepare_batch(batch, self.device)[0], [class_index])
        rows, columns = (int(size) for size in prepared["source_shape"])
        restored: NDArray[np.float32] = restore_probability(heat, (rows, columns), self.settings)
        return restored
