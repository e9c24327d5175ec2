"""What the report of an evaluation is made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from monai_tumor.evaluation.evaluated_case import EvaluatedCase
from monai_tumor.metrics.measures import Measure


@dataclass(frozen=True, slots=True)
class ReportContent:
    """An evaluation, and how its pictures are found.

    Attributes:
        metrics: What ``metrics.json`` of the evaluation holds.
        cases: Every evaluated case.
        record: What ``run.json`` of the run holds; what is not in it is said to be not recorded.
        load: Case id to its image, (rows, columns) or (rows, columns, 3), uint8 or uint16, and its reference, bool (rows,
            columns), or None.
        prediction: Case id to its predicted mask, bool (rows, columns).
        beside: Title to ``metrics.json`` of other evaluations of the same run, such as the internal one beside an external one.
    """

    metrics: Mapping[str, Any]
    cases: Sequence[EvaluatedCase]
    record: Mapping[str, Any]
    load: Callable[[str], tuple[NDArray[Any], NDArray[Any] | None]]
    prediction: Callable[[str], NDArray[Any]]
    beside: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def lesion_cases(self) -> list[EvaluatedCase]:
        """The cases whose reference has a lesion, from the worst to the best Dice, equal ones by id."""
        found = [case for case in self.cases if case.scored.overlap.has_reference_lesion]
        return sorted(found, key=lambda case: (case.scored.overlap.dice, case.id))

    @property
    def lesion_free_cases(self) -> list[EvaluatedCase]:
        """The cases whose reference is empty, the largest false-positive area first, equal ones by id."""
        found = [case for case in self.cases if not case.scored.overlap.has_reference_lesion]
        return sorted(found, key=lambda case: (-case.scored.overlap.false_positive_area, case.id))

    def values(self, measure: Measure) -> list[float]:
        """Return the defined values of a measure of the lesion cases."""
        found = (float(measure.of(case.scored)) for case in self.lesion_cases)
        return [value for value in found if not math.isnan(value)]
