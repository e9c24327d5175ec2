"""What is measured of a case: one row here is a column of ``cases.csv``, a mean with its interval, and a line of text."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from monai_tumor.metrics.boundary import Boundary, boundary
from monai_tumor.metrics.lesions import LesionCounts, lesion_counts
from monai_tumor.metrics.overlap import Overlap, overlap

# A convention. Where the distance between two readers' outlines is known, give that to ``Boundary.nsd`` instead.
NSD_TOLERANCE_PX = 2.0


@dataclass(frozen=True, slots=True)
class ScoredCase:
    """One case with a reference, and how the prediction agrees with it.

    Attributes:
        id: Case id.
        group: Its group: patient or near-duplicate cluster.
        overlap: Pixel counts.
        boundary: Distances between the edges, in pixels; left out, every score that follows from them is undefined.
        lesions: Counts of lesions; left out, every figure that follows from them is undefined.
        label: Diagnosis in the words of the data set, or None.
        scanner: What the image was taken with, or None.
        dataset: Name of the data set, or None.
    """

    id: str
    group: str
    overlap: Overlap
    boundary: Boundary = field(default_factory=Boundary)
    lesions: LesionCounts | None = None
    label: str | None = None
    scanner: str | None = None
    dataset: str | None = None

    @property
    def nsd(self) -> float:
        """NSD at ``NSD_TOLERANCE_PX``: 0 where a lesion has no prediction at all; NaN when the reference is empty."""
        if self.overlap.has_reference_lesion and not self.overlap.has_prediction:
            return 0.0
        return self.boundary.nsd(NSD_TOLERANCE_PX)

    @property
    def lesion_recall(self) -> float:
        """The share of the lesions that was found; NaN when the reference is empty."""
        return math.nan if self.lesions is None else self.lesions.recall

    @property
    def false_lesions(self) -> float:
        """Predicted components that touch no found lesion."""
        return math.nan if self.lesions is None else float(self.lesions.false)


def score_case(
    case_id: str, group: str, prediction: NDArray[np.bool_], reference: NDArray[np.bool_], **about: str | None
) -> ScoredCase:
    """Measure everything of one case.

    Args:
        case_id: Case id.
        group: Its group: patient or near-duplicate cluster.
        prediction: bool (rows, columns).
        reference: bool, same shape.
        **about: ``label``, ``scanner`` and ``dataset`` of a ``ScoredCase``.

    Raises:
        TypeError: A mask is not bool: a probability needs a threshold first.
        WrongDataError: The shapes differ or are not (rows, columns).
    """
    pair = prediction, reference
    return ScoredCase(case_id, group, overlap(*pair), boundary(*pair), lesion_counts(*pair), **about)


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a case.

    Attributes:
        name: Its key in tables and summaries, with the unit where there is one.
        label: Its name in a sentence.
        of: The figure of a case, NaN where it is undefined.
        largest: Its largest possible value.
        smallest: Its smallest possible value.
    """

    name: str
    label: str
    of: Callable[[ScoredCase], float]
    largest: float = 1.0
    smallest: float = 0.0


COUNTS = ("true_positive", "false_positive", "false_negative", "true_negative")
LESION_COUNTS = ("reference", "found", "missed", "false")
# How well masks agree: every table of cases ever written has these columns, and methods are compared by them.
LESION_MEASURES = (
    Measure("dice", "dice", attrgetter("overlap.dice")),
    Measure("iou", "iou", attrgetter("overlap.iou")),
    Measure("precision", "precision", attrgetter("overlap.precision")),
    Measure("recall", "recall", attrgetter("overlap.recall")),
    Measure("hd95_px", "hd95 in pixels", attrgetter("boundary.hd95"), math.inf),
    Measure("assd_px", "assd in pixels", attrgetter("boundary.assd"), math.inf),
)
FURTHER_LESION_MEASURES = (
    Measure(f"nsd_{NSD_TOLERANCE_PX:g}px", f"nsd within {NSD_TOLERANCE_PX:g} pixels", attrgetter("nsd")),
    Measure("area_error", "relative area error", attrgetter("overlap.area_error"), math.inf, -1.0),
    Measure("lesion_recall", "share of the lesions of a case that was found", attrgetter("lesion_recall")),
)
ALL_CASE_MEASURES = (
    Measure("false_lesions", "false lesions of a case", attrgetter("false_lesions"), math.inf),
    Measure("pixel_accuracy", "pixel accuracy", attrgetter("overlap.pixel_accuracy")),
)
MEASURES = LESION_MEASURES + FURTHER_LESION_MEASURES + ALL_CASE_MEASURES
