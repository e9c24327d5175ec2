"""How many lesions of a case were found, missed, and marked where there is none, by connected components."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongDataError
from monai_tumor.metrics.overlap import check_masks

# The overlap from which a rough localisation counts in medical detection: nnDetection (Baumgartner et al., MICCAI 2021) and
# the PI-CAI challenge (Saha et al., Lancet Oncology 2024) take IoU 0.1.
LEAST_IOU = 0.1

_EIGHT = 8


@dataclass(frozen=True, slots=True)
class LesionCounts:
    """Lesions of one case, each a connected component (neighbours share a side or a corner).

    Attributes:
        reference: Lesions of the reference.
        found: Of these, how many were found.
        predicted: Components of the prediction.
        false: Of these, how many touch no found lesion.
    """

    reference: int
    found: int
    predicted: int
    false: int

    @property
    def missed(self) -> int:
        """Lesions of the reference that were not found."""
        return self.reference - self.found

    @property
    def recall(self) -> float:
        """The share of the lesions that was found; NaN when the reference is empty."""
        return self.found / self.reference if self.reference else math.nan


def lesion_counts(
    prediction: NDArray[np.bool_], reference: NDArray[np.bool_], least_iou: float = LEAST_IOU
) -> LesionCounts:
    """Count lesions that were found, missed and falsely marked.

    A lesion of the reference is *found* when its IoU with the predicted components that share a pixel with it, taken
    together, is at least ``least_iou``; else it is *missed*. A predicted component is *false* when it shares no pixel with a
    found lesion. So one predicted component may find several lesions, and several may find one together (as in the
    lesion-wise scores of BraTS 2023); a mark that is far too large or hardly touches finds nothing, and is false. Every
    component counts, be it one pixel: what removes small ones belongs before this, where it changes the mask itself.

    Args:
        prediction: bool (rows, columns).
        reference: bool, same shape.
        least_iou: The IoU from which a lesion is found, greater than 0.

    Raises:
        TypeError: A mask is not bool: a probability needs a threshold first.
        WrongDataError: The shapes differ or are not (rows, columns).
    """
    check_masks(prediction, reference)
    if prediction.ndim != 2:
        raise WrongDataError(f"masks have shape {prediction.shape}, expected (rows, columns); measure slice by slice")
    marks, mark_areas = _components(prediction)
    lesions, lesion_areas = _components(reference)
    both = prediction & reference
    # Only pairs that meet are listed: noise has components by the thousand.
    pairs, shared = np.unique(lesions[both] * len(mark_areas) + marks[both], return_counts=True)
    lesion, mark = np.divmod(pairs, len(mark_areas))
    overlap = np.bincount(lesion, shared, len(lesion_areas))
    touching = np.bincount(lesion, mark_areas[mark], len(lesion_areas))
    found = overlap / (lesion_areas + touching - overlap) >= least_iou
    true = np.unique(mark[found[lesion]])
    predicted = len(mark_areas) - 1
    return LesionCounts(len(lesion_areas) - 1, int(found[1:].sum()), predicted, predicted - len(true))


def _components(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of each pixel's component, from 1 (0 is outside), and the areas by number (that of 0 is not 0)."""
    labels = cv2.connectedComponents(np.ascontiguousarray(mask).view(np.uint8), connectivity=_EIGHT)[1].astype(np.int64)
    areas = np.bincount(labels.ravel(), minlength=1).astype(np.int64)
    areas[0] = max(areas[0], 1)
    return labels, areas
