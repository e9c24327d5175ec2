"""How far a predicted mask and a reference mask agree, counted in pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongDataError


@dataclass(frozen=True, slots=True)
class Overlap:
    """Pixel counts of one case, and the scores that follow from them.

    A score that has no meaning is NaN, never 0 or 1: Dice, IoU, recall and area error of an empty reference, and the
    precision of an empty prediction.

    Attributes:
        true_positive: Pixels that are lesion in both masks.
        false_positive: Pixels that are lesion in the prediction only.
        false_negative: Pixels that are lesion in the reference only.
        true_negative: Pixels that are lesion in neither.
    """

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @property
    def has_reference_lesion(self) -> bool:
        """Whether the reference has any lesion pixel."""
        return self.true_positive + self.false_negative > 0

    @property
    def has_prediction(self) -> bool:
        """Whether any pixel was predicted."""
        return self.true_positive + self.false_positive > 0

    @property
    def is_missed(self) -> bool:
        """Whether there is a lesion and no pixel of it was predicted."""
        return self.has_reference_lesion and self.true_positive == 0

    @property
    def false_positive_area(self) -> int:
        """Predicted area outside of the reference, in pixels."""
        return self.false_positive

    @property
    def dice(self) -> float:
        """``2 TP / (2 TP + FP + FN)``; NaN when the reference is empty, whatever was predicted."""
        double = 2 * self.true_positive
        return _ratio(double, double + self.false_positive + self.false_negative, self.has_reference_lesion)

    @property
    def iou(self) -> float:
        """``TP / (TP + FP + FN)``; NaN when the reference is empty, whatever was predicted."""
        union = self.true_positive + self.false_positive + self.false_negative
        return _ratio(self.true_positive, union, self.has_reference_lesion)

    @property
    def precision(self) -> float:
        """``TP / (TP + FP)``; NaN when nothing was predicted."""
        return _ratio(self.true_positive, self.true_positive + self.false_positive, self.has_prediction)

    @property
    def recall(self) -> float:
        """``TP / (TP + FN)``; NaN when the reference is empty."""
        return _ratio(self.true_positive, self.true_positive + self.false_negative, self.has_reference_lesion)

    @property
    def pixel_accuracy(self) -> float:
        """``(TP + TN) / all``; high where lesions are small, whatever was predicted."""
        agreeing = self.true_positive + self.true_negative
        pixels = agreeing + self.false_positive + self.false_negative
        return _ratio(agreeing, pixels, pixels > 0)

    @property
    def area_error(self) -> float:
        """``(FP - FN) / (TP + FN)``: predicted area minus that of the reference, as a share of the latter; -1 for nothing."""
        difference = self.false_positive - self.false_negative
        return _ratio(difference, self.true_positive + self.false_negative, self.has_reference_lesion)

    @property
    def reference_share(self) -> float:
        """``(TP + FN) / all``: the share of the image that is lesion."""
        lesion = self.true_positive + self.false_negative
        pixels = lesion + self.false_positive + self.true_negative
        return _ratio(lesion, pixels, pixels > 0)


def overlap(prediction: NDArray[Any], reference: NDArray[Any]) -> Overlap:
    """Count how two masks agree.

    Args:
        prediction: bool, any shape, usually (rows, columns).
        reference: bool, same shape.

    Raises:
        TypeError: A mask is not bool: a probability needs a threshold first.
        WrongDataError: The shapes differ.
    """
    check_masks(prediction, reference)
    both = int(np.count_nonzero(prediction & reference))
    predicted = int(np.count_nonzero(prediction))
    lesion = int(np.count_nonzero(reference))
    return Overlap(both, predicted - both, lesion - both, reference.size - predicted - lesion + both)


def check_masks(prediction: NDArray[Any], reference: NDArray[Any]) -> None:
    """Refuse what is not two bool masks of one shape.

    Raises:
        TypeError: A mask is not bool: a probability needs a threshold first.
        WrongDataError: The shapes differ.
    """
    for name, mask in (("prediction", prediction), ("reference", reference)):
        if mask.dtype != np.bool_:
            raise TypeError(f"{name} has dtype {mask.dtype}, expected bool; apply a threshold first")
    if prediction.shape != reference.shape:
        raise WrongDataError(
            f"prediction has shape {prediction.shape}, its reference {reference.shape}; "
            "bring the prediction back to the size of the source image"
        )


def _ratio(part: int, whole: int, defined: bool) -> float:
    return part / whole if defined else math.nan
