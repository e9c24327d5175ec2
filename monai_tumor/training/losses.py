"""Losses of one lesion channel by name. A configuration may name any loss of MONAI or torch instead."""

from __future__ import annotations

from collections.abc import Callable

from monai.losses import DiceFocalLoss
from torch import nn

from monai_tumor.errors import WrongCallError, unknown_name
from monai_tumor.training.dice_bce import DiceBceLoss
from monai_tumor.training.dice_boundary import DiceBoundaryLoss


def build_loss(name: str = "dice_bce", weight: float = 1.0) -> nn.Module:
    """Return a loss of logits and reference, both (batch, 1, rows, columns) float32, the reference of 0 and 1.

    ============= ===================================================================================================
    dice_bce      Dice + weight * BCE
    bce           BCE alone; ``weight`` has no meaning
    dice_focal    Dice + weight * focal loss (Lin et al., 2017, gamma 2): pixels that are sure count for little
    dice_boundary Dice + weight * boundary loss (Kervadec et al., 2019): pixels count by their distance to the contour
    ============= ===================================================================================================

    Dice is that of the whole batch, with probabilities; the second terms are means over the pixels.

    Args:
        name: One of those above.
        weight: Weight of the second term, the lambda of the formula.

    Raises:
        WrongCallError: Unknown name, or a negative weight.
    """
    if name not in _LOSSES:
        raise unknown_name("loss", name, list(_LOSSES))
    if not weight >= 0:
        raise WrongCallError(f"loss {name!r}: the weight is {weight}, expected 0 or more")
    return _LOSSES[name](weight)


def _dice_focal(weight: float) -> nn.Module:
    loss: nn.Module = DiceFocalLoss(sigmoid=True, batch=True, lambda_focal=weight)
    return loss


_LOSSES: dict[str, Callable[[float], nn.Module]] = {
    "dice_bce": DiceBceLoss,
    "bce": lambda _: nn.BCEWithLogitsLoss(),
    "dice_focal": _dice_focal,
    "dice_boundary": DiceBoundaryLoss,
}
