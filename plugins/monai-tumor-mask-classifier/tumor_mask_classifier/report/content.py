"""What the report of a classifier is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongDataError
from monai_tumor.metrics.diagnosis import REST
from monai_tumor.metrics.diagnosis_answers import answers_of
from monai_tumor.metrics.diagnosis_classes import class_log_odds, class_probabilities, count_confusion
from tumor_mask_classifier.cases_table import DiagnosedCases

if TYPE_CHECKING:
    from tumor_mask_classifier.figures import Decisions

Picture = Callable[[str], tuple[NDArray[Any], NDArray[np.bool_], NDArray[np.float32] | None]]


@dataclass(frozen=True, slots=True)
class CalledCase:
    """A case, what it is, and what it was called.

    Attributes:
        id: Its id.
        label: Its class.
        called: The class with the largest logit, of equal ones the first.
        chances: Class to its probability, calibrated where there is an operating point.
        odds: Log-odds of the positive class; they rank cases whose probabilities are rounded to 0 or 1, too.
        frozen: Whether it is called positive at the frozen operating point; None without one.
        answer: The one class that is left possible, or ``refer``; None without an operating point.
        far: Whether the image is out of place; None where nobody measured.
    """

    id: str
    label: str
    called: str
    chances: Mapping[str, float]
    odds: float
    frozen: bool | None = None
    answer: str | None = None
    far: bool | None = None

    @property
    def is_right(self) -> bool:
        """Whether it was called what it is."""
        return self.called == self.label


@dataclass(frozen=True, slots=True, eq=False)
class DiagnosisContent:
    """An evaluation of a classifier, and how its pictures are found.

    Attributes:
        metrics: What ``metrics.json`` holds. Optional are ``point`` (the frozen operating point), ``answers``,
            ``out_of_place`` and ``before`` (the first two at the run's own point).
        cases: Every case.
        record: What ``run.json`` of the run holds; what is not in it is said to be not recorded.
        picture: Case id to its image, (rows, columns) or (rows, columns, 3) uint8, the mask that the network was given, bool
            (rows, columns), and a heat map, float32 (rows, columns), or None; None for a page without pictures.
    """

    metrics: Mapping[str, Any]
    cases: Sequence[CalledCase]
    record: Mapping[str, Any]
    picture: Picture | None = None

    @property
    def positive(self) -> str:
        """The class that must not be missed."""
        return str(self.metrics["positive"])

    @property
    def opponents(self) -> list[str]:
        """What the positive class is told from: the other classes, and ``rest`` where they are several."""
        others = [name for name in self.metrics["classes"] if name != self.positive]
        return [*others, REST] if len(others) > 1 else others

    @property
    def missed(self) -> list[CalledCase]:
        """Cases of the positive class that were called another one, the surest first: the lowest log-odds."""
        found = [case for case in self.cases if case.label == self.positive != case.called]
        return sorted(found, key=lambda case: (case.odds, case.id))

    @property
    def false_alarms(self) -> list[CalledCase]:
        """Cases of another class that were called the positive one, the surest first."""
        found = [case for case in self.cases if case.label != self.positive == case.called]
        return sorted(found, key=lambda case: (-case.odds, case.id))

    @property
    def otherwise_wrong(self) -> list[CalledCase]:
        """The other cases that were called wrong, the surest first."""
        found = [case for case in self.cases if not case.is_right and self.positive not in (case.label, case.called)]
        return sorted(found, key=lambda case: (-case.chances[case.called], case.id))

    @property
    def right(self) -> list[CalledCase]:
        """The cases that were called right, the least sure first."""
        found = [case for case in self.cases if case.is_right]
        return sorted(found, key=lambda case: (case.chances[case.label], case.id))


def called_cases(
    metrics: Mapping[str, Any], cases: DiagnosedCases, decisions: Decisions | None = None
) -> list[CalledCase]:
    """Return every case with what it was called.

    Args:
        metrics: The figures of these cases.
        cases: The cases.
        decisions: What was decided about them; None without an operating point.

    Raises:
        WrongDataError: The figures are not those of these cases.
    """
    classes = list(metrics["classes"])
    if not cases.names or count_confusion(cases.logits, cases.targets).tolist() != metrics["confusion"]:
        raise WrongDataError(
            f"the figures ({metrics['cases']} cases) are not those of these {len(cases.names)} cases; evaluate again"
        )
    logits = cases.logits if decisions is None else decisions.logits
    chances, odds = class_probabilities(logits, metrics["temperature"]), class_log_odds(logits, metrics["temperature"])
    return [
        CalledCase(
            name,
            classes[cases.targets[place]],
            classes[int(logits[place].argmax())],
            dict(zip(classes, chances[place].tolist(), strict=True)),
            float(odds[place, classes.index(metrics["positive"])]),
            *_decided(decisions, place, classes),
        )
        for place, name in enumerate(cases.names)
    ]


def _decided(
    decisions: Decisions | None, place: int, classes: Sequence[str]
) -> tuple[bool | None, str | None, bool | None]:
    if decisions is None:
        return None, None, None
    answer = answers_of(decisions.possible[place : place + 1], classes)[0]
    return bool(decisions.called[place]), answer, None if decisions.far is None else bool(decisions.far[place])
