"""What an evaluated classifier decides, and what that is worth: the frozen threshold, the answers, the alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from monai_tumor.metrics.diagnosis import summarise_diagnosis
from monai_tumor.metrics.diagnosis_answers import measure_sets
from monai_tumor.metrics.summary import mean_interval
from tumor_mask_classifier.cases_table import DiagnosedCases
from tumor_mask_classifier.diagnosis_point import (
    FALSE_ALARMS,
    Bools,
    DiagnosisPoint,
    DiagnosisWish,
    Floats,
    choose_diagnosis_point,
)


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """What operating points make of cases that had no say in them.

    Attributes:
        logits: float64 (cases, classes), divided by the temperature.
        called: bool (cases,), who is called positive.
        possible: bool (cases, classes), which classes stay possible.
        far: bool (cases,), which images are out of place; None where nobody measured.
    """

    logits: Floats
    called: Bools
    possible: Bools
    far: Bools | None


def decide(point: DiagnosisPoint, cases: DiagnosedCases) -> Decisions:
    """Return what one point decides."""
    shares = point.probabilities(cases.logits)
    far = None if cases.distances is None or point.distance is None else point.out_of_place(cases.distances)
    return Decisions(cases.logits / point.temperature, point.called(cases.logits), point.answers.sets(shares), far)


def decide_out_of_fold(cases: DiagnosedCases, asked: DiagnosisWish) -> Decisions:
    """Return what is decided about the cases of each fold by a point that was chosen on the other folds.

    Args:
        cases: The tests of all folds, see ``pool_tables``.
        asked: What the points are chosen for.

    Raises:
        WrongDataError: The other folds have no positive case.
    """
    folds = np.zeros(len(cases.names), np.int64) if cases.folds is None else cases.folds
    logits, called, possible = cases.logits.copy(), np.zeros(len(folds), bool), np.zeros(cases.logits.shape, bool)
    far = None if cases.distances is None else np.zeros(len(folds), bool)
    for fold in np.unique(folds):
        own = folds == fold
        others = cases.chosen(~own)
        point = choose_diagnosis_point(others, asked, "the other folds")
        decided = decide(point, cases.chosen(own))
        logits[own], called[own], possible[own] = decided.logits, decided.called, decided.possible
        if far is not None:  # a fold that nobody could decide about would count as one without false alarms
            far = None if decided.far is None else far
        if far is not None and decided.far is not None:
            far[own] = decided.far
    return Decisions(logits, called, possible, far)


def diagnosis_figures(
    cases: DiagnosedCases, decisions: Decisions | None, chosen_on: str, asked: DiagnosisWish, seed: int
) -> dict[str, Any]:
    """Return all figures of tested cases as JSON-able values.

    Args:
        cases: The cases.
        decisions: What points decided that were chosen on others; None without one.
        chosen_on: What they were chosen on, in words.
        asked: What those were chosen for.
        seed: Seed of the intervals.

    Returns:
        What ``summarise_diagnosis`` returns, of calibrated logits where there are decisions; and with them ``point``
        (``sensitivity``, ``specificity`` over all others and ``specificity_to`` each other class), ``answers`` (see
        ``measure_sets``) and ``out_of_place`` (``alarms``); each has ``text``, whose lines are among those of ``text``.
    """
    logits = cases.logits if decisions is None else decisions.logits
    figures = summarise_diagnosis(logits, cases.targets, cases.groups, asked.classes, seed, positive=asked.positive)
    if decisions is None:
        return figures
    measured = {
        "point": {**_point(cases, decisions, asked, seed), "chosen_on": chosen_on},
        "answers": measure_sets(decisions.possible, asked.classes, cases.targets, cases.groups, seed),
        "out_of_place": _alarms(cases, decisions, seed),
    }
    about = {name: found for name, found in measured.items() if found is not None}
    return {**figures, **about, "text": [*figures["text"], *(line for one in about.values() for line in one["text"])]}


def _point(cases: DiagnosedCases, decisions: Decisions, asked: DiagnosisWish, seed: int) -> dict[str, Any]:
    place = asked.classes.index(asked.positive)
    truth = cases.targets == place
    others = {name: cases.targets == k for k, name in enumerate(asked.classes) if k != place}
    share = _Share(cases.groups, seed)
    found: dict[str, Any] = {
        "asked_sensitivity": asked.sensitivity,
        "sensitivity": share.of(decisions.called, truth),
        "specificity": share.of(~decisions.called, ~truth),
        "specificity_to": {name: share.of(~decisions.called, own) for name, own in others.items() if own.any()},
    }
    head = f"{asked.positive} at the chosen threshold (asked: {100 * asked.sensitivity:g} %)"
    lines = [f"{head}, {name}: {found[name]['text']}" for name in ("sensitivity", "specificity")]
    lines += [f"{head}, specificity to {name}: {one['text']}" for name, one in found["specificity_to"].items()]
    return {**found, "text": lines}


def _alarms(cases: DiagnosedCases, decisions: Decisions, seed: int) -> dict[str, Any] | None:
    if decisions.far is None:
        return None
    alarms = _Share(cases.groups, seed).of(decisions.far, np.ones(len(cases.targets), bool))
    line = f"called out of place (asked: {100 * FALSE_ALARMS:g} %): {alarms['text']}"
    return {"asked": FALSE_ALARMS, "alarms": alarms, "text": [line]}


@dataclass(frozen=True, slots=True)
class _Share:
    groups: Sequence[str]
    seed: int

    def of(self, flags: Bools, among: Bools) -> Mapping[str, Any]:
        groups = [self.groups[k] for k in np.flatnonzero(among).tolist()]
        found = mean_interval(flags[among].astype(np.float64), groups, self.seed, limits=(0.0, 1.0))
        return found.plain()
