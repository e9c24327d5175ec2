"""What is measured of a case: one row here is a column of ``cases.csv``, a mean with its interval, and a line of text."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter

from monai_tumor.metrics.boundary import Boundary
from monai_tumor.metrics.overlap import Overlap


@dataclass(frozen=True, slots=True)
class ScoredCase:
    """One case with a reference, and how the prediction agrees with it.

    Attributes:
        id: Case id.
        group: Its group: patient or near-duplicate cluster.
        overlap: Pixel counts.
        boundary: Distances between the edges, in pixels; left out, every score that follows from them is undefined.
    """

    id: str
    group: str
    overlap: Overlap
    boundary: Boundary = field(default_factory=Boundary)


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a case.

    Attributes:
        name: Its key in tables and summaries, with the unit where there is one.
        label: Its name in a sentence.
        of: The figure of a case, NaN where it is undefined.
        largest: Its largest possible value; the smallest is 0.
    """

    name: str
    label: str
    of: Callable[[ScoredCase], float]
    largest: float = 1.0


COUNTS = ("true_positive", "false_positive", "false_negative", "true_negative")
LESION_MEASURES = (
    Measure("dice", "dice", attrgetter("overlap.dice")),
    Measure("iou", "iou", attrgetter("overlap.iou")),
    Measure("precision", "precision", attrgetter("overlap.precision")),
    Measure("recall", "recall", attrgetter("overlap.recall")),
    Measure("hd95_px", "hd95 in pixels", attrgetter("boundary.hd95"), math.inf),
    Measure("assd_px", "assd in pixels", attrgetter("boundary.assd"), math.inf),
)
ALL_CASE_MEASURES = (Measure("pixel_accuracy", "pixel accuracy", attrgetter("overlap.pixel_accuracy")),)
