"""How much each class counts in the loss."""

from __future__ import annotations

import torch

from monai_tumor.errors import WrongDataError, unknown_name
from tumor_mask_classifier.source import DiagnosisSource

KINDS = ("balanced", "none")


def class_weights(source: DiagnosisSource, kind: str, device: torch.device | str = "cpu") -> torch.Tensor | None:
    """Return the weights of the classes for ``torch.nn.CrossEntropyLoss``; configurations call this.

    Args:
        source: The training part is counted.
        kind: ``balanced``: n / (classes * n of the class), so that every class counts the same; or ``none``.
        device: Where they go.

    Returns:
        float32 (classes,), or None.

    Raises:
        WrongCallError: Unknown kind.
        WrongDataError: A class has no training case, so it cannot be balanced or learnt.
    """
    if kind not in KINDS:
        raise unknown_name("class_weights", kind, KINDS)
    if kind == "none":
        return None
    targets = torch.tensor([item["target"] for item in source.items("training")])
    counts = torch.bincount(targets, minlength=len(source.classes))
    if not counts.all():
        absent = source.classes[int(counts.argmin())]
        raise WrongDataError(
            f"class {absent!r} has no case in the training part of data set {source.name!r}; leave it out of classes"
        )
    return (len(targets) / (len(counts) * counts.float())).to(device)
