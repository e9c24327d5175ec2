"""An answer, or none: conformal sets of classes that hold the true one as often as stated, and *refer* otherwise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.metrics.diagnosis_intervals import group_places
from monai_tumor.metrics.plain import PlainResult
from monai_tumor.metrics.summary import mean_interval

REFER = "refer"

# A number of groups that is whole but for the last binary digits counts as whole.
_ROUNDING = 1e-9

_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ConformalSet(PlainResult):
    """From which probability on a class stays possible; one possible class is the answer, else the case is referred.

    Attributes:
        classes: Names of the classes.
        least: Of each class the smallest probability with which it is in the set; 0 when it always is.
        groups: Of each class the groups that the choice was made on.
        alpha: The share of groups of each class in which it may be missing.
        guarantee: What is guaranteed, and on what condition, in words.
    """

    classes: tuple[str, ...]
    least: tuple[float, ...]
    groups: tuple[int, ...]
    alpha: float
    guarantee: str

    def sets(self, probabilities: ArrayLike) -> _Bools:
        """Return which classes are possible, bool (cases, classes), for probabilities (cases, classes).

        Raises:
            WrongDataError: As of ``choose_conformal_set``.
        """
        return _checked(probabilities, self.classes) >= np.asarray(self.least)

    def answers(self, probabilities: ArrayLike) -> list[str]:
        """Return the answer for each case: the class, or ``refer`` where none or several are possible.

        Raises:
            WrongDataError: As of ``choose_conformal_set``.
        """
        return answers_of(self.sets(probabilities), self.classes)


def choose_conformal_set(
    probabilities: ArrayLike, targets: ArrayLike, groups: Sequence[str], classes: Sequence[str], alpha: float = 0.05
) -> ConformalSet:
    """Choose the thresholds so that each class is in the set of its own cases in 1 - alpha of the groups or more.

    Split-conformal, each class for itself (Mondrian; Vovk et al., 2005): from g groups that hold cases of a class, the
    class may be missing in the floor(alpha * (g + 1)) groups that are worst. A group counts with its worst case, the smallest
    probability of the true class. One case drawn from each group would be as valid and refer less, but its promise is about
    one image of a patient only, and another draw would give other thresholds; the worst case promises all of them.
    With fewer than 1 / alpha - 1 groups of a class nothing can be excluded: it is in every set.

    Args:
        probabilities: (cases, classes), of validation or out-of-fold cases, for those classes among which the answer is.
        targets: int (cases,), index of the class of each case.
        groups: Group of each case.
        classes: Names of the classes; ``refer`` is none.
        alpha: Between 0 and 1.

    Raises:
        WrongCallError: ``alpha`` is not between 0 and 1, or a class is named ``refer``.
        WrongDataError: The shapes do not go together, or a probability is not within 0 to 1.
    """
    if not 0 < alpha < 1 or REFER in classes:
        raise WrongCallError(
            f"alpha is {alpha} and the classes are {', '.join(classes)}; expected 0 to 1, and none {REFER!r}"
        )
    values = _checked(probabilities, classes)
    wanted = _checked_targets(targets, values)
    place, count = group_places(groups, len(values))
    least, sizes = [], []
    for number in range(len(classes)):
        worst = np.full(count, math.inf)
        own = wanted == number
        np.minimum.at(worst, place[own], values[own, number])
        worst = np.sort(worst[np.isfinite(worst)])
        missing = _excluded(len(worst), alpha)
        least.append(float(worst[missing - 1]) if missing else 0.0)
        sizes.append(len(worst))
    return ConformalSet(tuple(classes), tuple(least), tuple(sizes), alpha, _guarantee(classes, sizes, alpha))


def measure_answers(
    chosen: ConformalSet, probabilities: ArrayLike, targets: ArrayLike, groups: Sequence[str], seed: int = 0
) -> dict[str, Any]:
    """Return what thresholds that were chosen before are worth on other cases, as JSON-able values.

    Args:
        chosen: Of ``choose_conformal_set``.
        probabilities: (cases, classes).
        targets: int (cases,), index of the class of each case.
        groups: Group of each case.
        seed: Seed of the intervals.

    Returns:
        ``chosen``; ``referred`` (share of all cases) and ``error`` (share of the answered cases with a wrong answer);
        ``per_class``: for each class ``n``, ``answers`` (how often each answer was given), ``right``, ``wrong``, ``referred``
        (shares of its cases) and ``covered`` (share of its groups in which it is in the set of every case: what is
        guaranteed); ``text``, lines in words. A share is what ``Interval.plain`` returns.

    Raises:
        WrongDataError: As of ``choose_conformal_set``.
    """
    found = measure_sets(chosen.sets(probabilities), chosen.classes, targets, groups, seed)
    return {**found, "chosen": chosen.plain(), "text": [chosen.guarantee, *found["text"]]}


def measure_sets(
    possible: ArrayLike, classes: Sequence[str], targets: ArrayLike, groups: Sequence[str], seed: int = 0
) -> dict[str, Any]:
    """Return what sets of possible classes are worth, also where not all cases had the same thresholds (cross-fitting).

    Args:
        possible: bool (cases, classes), of ``ConformalSet.sets``.
        classes: Names of the classes.
        targets: int (cases,), index of the class of each case.
        groups: Group of each case.
        seed: Seed of the intervals.

    Returns:
        What ``measure_answers`` returns, without ``chosen``.

    Raises:
        WrongDataError: As of ``choose_conformal_set``.
    """
    sets = np.asarray(possible, dtype=bool)
    wanted = _checked_targets(targets, sets)
    group_places(groups, len(wanted))
    names = np.array(list(groups), dtype=str)
    answers = np.array(answers_of(sets, classes), dtype=object)
    truth = np.array(classes, dtype=object)[wanted]
    referred, wrong = answers == REFER, (answers != REFER) & (answers != truth)

    def share(flags: _Bools, among: _Bools) -> dict[str, Any]:
        return mean_interval(flags[among].astype(float), names[among].tolist(), seed, limits=(0.0, 1.0)).plain()

    per_class = {}
    for number, name in enumerate(classes):
        own = wanted == number
        owners = np.unique(names[own])
        covered = [float(sets[own & (names == one), number].all()) for one in owners]
        per_class[name] = {
            "n": int(own.sum()),
            "answers": {answer: int((answers[own] == answer).sum()) for answer in (*classes, REFER)},
            "right": share(answers == truth, own),
            "wrong": share(wrong, own),
            "referred": share(referred, own),
            "covered": mean_interval(covered, owners.tolist(), seed, limits=(0.0, 1.0)).plain(),
        }
    found = {
        "referred": share(referred, np.ones(len(wanted), bool)),
        "error": share(wrong, ~referred),
        "per_class": per_class,
    }
    return {**found, "text": _lines(found)}


def answers_of(possible: ArrayLike, classes: Sequence[str]) -> list[str]:
    """Return the answer for each row of ``possible``, bool (cases, classes): the one class, or ``refer``."""
    sets = np.asarray(possible, dtype=bool)
    one, place = sets.sum(axis=1) == 1, sets.argmax(axis=1)
    return [classes[k] if alone else REFER for alone, k in zip(one.tolist(), place.tolist(), strict=True)]


def _excluded(groups: int, alpha: float) -> int:
    """Return in how many of the groups the class may be missing, the new one counted among them."""
    return math.floor(alpha * (groups + 1) + _ROUNDING)


def _guarantee(classes: Sequence[str], sizes: Sequence[int], alpha: float) -> str:
    text = (
        f"Of new groups with cases of a class, in {100 * (1 - alpha):g} % or more on average this class is in the set of all "
        "these cases, so that none of them gets another class as its answer. The condition: new groups are "
        "drawn as those were that the thresholds were chosen on (same hospital, scanner, choice of patients), and scored by "
        "a model that saw neither. With out-of-fold probabilities of several networks it holds nearly, not exactly. "
        "It is a promise for each class, on average over groups, not for one patient, and none about the share referred."
    )
    few = [f"{name} ({size})" for name, size in zip(classes, sizes, strict=True) if not _excluded(size, alpha)]
    return f"{text} Too few groups to exclude: {', '.join(few)}." if few else text


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [
        f"referred: {found['referred']['text']}",
        f"wrong among the answered: {found['error']['text']}",
    ]
    for name, one in found["per_class"].items():
        given = ", ".join(f"{count} {answer}" for answer, count in one["answers"].items())
        lines.append(f"reference {name}: {one['n']} cases, answers: {given}")
        lines += [f"{name} {key}: {one[key]['text']}" for key in ("wrong", "referred", "covered")]
    return lines


def _checked(probabilities: ArrayLike, classes: Sequence[str]) -> _Floats:
    values = np.asarray(probabilities, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != len(classes):
        raise WrongDataError(
            f"probabilities of shape {values.shape}, expected (cases, {len(classes)}): {', '.join(classes)}"
        )
    if not ((values >= 0) & (values <= 1)).all():
        raise WrongDataError("a probability lies outside of 0 to 1; apply class_probabilities to logits first")
    return values


def _checked_targets(targets: ArrayLike, values: _Floats | _Bools) -> NDArray[np.int64]:
    wanted = np.asarray(targets)
    if wanted.shape != (len(values),) or not np.isin(wanted, np.arange(values.shape[1])).all():
        raise WrongDataError(
            f"targets of shape {wanted.shape}, expected the index of a class for each of {len(values)} cases"
        )
    return wanted.astype(np.int64)
