"""All figures of a classifier, each with its n and interval, and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from monai_tumor.errors import WrongDataError, unknown_name
from monai_tumor.metrics.calibration import measure_calibration
from monai_tumor.metrics.diagnosis_auroc import auroc_interval
from monai_tumor.metrics.diagnosis_classes import balanced_accuracy, checked_classes, class_log_odds, count_confusion
from monai_tumor.metrics.diagnosis_decision import decision_curve
from monai_tumor.metrics.diagnosis_intervals import group_places
from monai_tumor.metrics.diagnosis_points import sensitivity_at_specificity, specificity_at_sensitivity
from monai_tumor.metrics.logits import case_logits
from monai_tumor.metrics.summary import mean_interval
from monai_tumor.wording import count_of

SPECIFICITY, SENSITIVITY = 0.9, 0.95
REST = "rest"
DIAGNOSIS_POLICY = (
    "The predicted class is that with the largest logit. Sensitivity of a class is the share of its cases predicted as such, "
    "specificity the share of all other cases predicted as another one. Accuracy is the share predicted right; balanced "
    "accuracy is the mean sensitivity of the classes that the reference has. "
    "AUROC is the share of pairs in which the positive case has the higher score, ties counting half; the score is the "
    "class's probability among all classes, the negative cases are all others (rest), or those of one class only: "
    "where one class is told by an empty mask, that figure is the one to read. "
    f"Sensitivity at {100 * SPECIFICITY:g} % specificity and specificity at {100 * SENSITIVITY:g} % sensitivity have their "
    "threshold from these very cases; a threshold that was chosen before is measured apart. "
    "ECE has no interval: it is never below 0, and grows when cases are drawn anew. "
    "A class without a case has no figure. Intervals are resampled by group."
)

_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Cases:
    """What all figures are made of: log-odds (cases, classes), predicted and true class (cases,), groups and their seed."""

    odds: _Floats
    predicted: NDArray[np.int64]
    targets: NDArray[np.int64]
    groups: NDArray[np.str_]
    seed: int

    def share(self, flags: _Bools, among: _Bools) -> dict[str, Any]:
        values, groups = flags[among].astype(np.float64), self.groups[among].tolist()
        return mean_interval(values, groups, self.seed, limits=(0.0, 1.0)).plain()


def summarise_diagnosis(
    logits: ArrayLike,
    targets: ArrayLike,
    groups: Sequence[str],
    classes: Sequence[str],
    seed: int,
    temperature: float = 1.0,
    positive: str = "malignant",
) -> dict[str, Any]:
    """Summarise a classifier as JSON-able values, with the policy in words.

    Args:
        logits: float64 (cases, classes).
        targets: int (cases,), index of the class of each case.
        groups: Group of each case.
        classes: Names of the classes, none of them ``rest``.
        seed: Seed of the intervals.
        temperature: What the logits are divided by; chosen on other cases.
        positive: The class that must not be missed.

    Returns:
        ``policy``; ``classes``, ``positive``, ``temperature``, ``cases``, ``groups``; ``confusion`` (rows: reference,
        columns: predicted); ``accuracy``; ``balanced_accuracy`` with the ``classes`` it is over; ``per_class``: for each
        class ``n``, ``sensitivity``, ``specificity`` and ``auroc`` against all others; ``against``: of the positive class
        against ``rest`` and against each other class ``auroc``, ``sensitivity_at_specificity`` and
        ``specificity_at_sensitivity``; ``calibration`` of the positive class: ``figures`` (``Calibration.plain``), ``brier``
        and ``bias`` (mean probability minus share); ``decision_curve``; ``text``: lines in words. A mean is what
        ``Interval.plain`` returns.

    Raises:
        WrongCallError: The temperature is not greater than 0, or ``positive`` is none of the classes.
        WrongDataError: The shapes do not go together, a logit is not finite, or there is not one group for each case.
    """
    values, wanted = checked_classes(logits, targets)
    _, count = group_places(groups, len(values))
    if len(classes) != values.shape[1] or REST in classes:
        raise WrongDataError(
            f"{values.shape[1]} logits a case for the classes {', '.join(classes)}; one each, none {REST!r}"
        )
    if positive not in classes:
        raise unknown_name("class", positive, classes)
    names = np.array(list(groups), dtype=str)
    cases = _Cases(class_log_odds(values, temperature), values.argmax(axis=1), wanted, names, seed)
    place = list(classes).index(positive)
    found = {
        "policy": DIAGNOSIS_POLICY,
        "classes": list(classes),
        "positive": positive,
        "temperature": temperature,
        "cases": len(values),
        "groups": count,
        "confusion": count_confusion(values, wanted).tolist(),
        "accuracy": cases.share(cases.predicted == wanted, np.ones(len(wanted), bool)),
        "balanced_accuracy": {
            **balanced_accuracy(values, wanted, groups).plain(),
            "classes": [classes[k] for k in np.unique(wanted)],
        },
        "per_class": {name: _of_class(cases, number) for number, name in enumerate(classes)},
        "against": {name: _against(cases, place, mask) for name, mask in _negatives(cases, place, classes)},
        "calibration": _calibration(cases, place, temperature),
        "decision_curve": [
            one.plain()
            for one in decision_curve(expit(cases.odds[:, place]), wanted == place, names.tolist(), seed=seed)
        ],
    }
    return {**found, "text": diagnosis_lines(found)}


def diagnosis_lines(summary: Mapping[str, Any]) -> list[str]:
    """Return the summary in words, one figure a line, each with n and interval."""
    classes, positive = summary["classes"], summary["positive"]
    size = f"{count_of(summary['cases'], 'case', 'cases')}, {count_of(summary['groups'], 'group', 'groups')}"
    lines = [f"cases: {size}; temperature {summary['temperature']:.3g}"]
    for name, row in zip(classes, summary["confusion"], strict=True):
        taken = ", ".join(f"{number} {other}" for number, other in zip(row, classes, strict=True))
        lines.append(f"reference {name}: {summary['per_class'][name]['n']}, predicted: {taken}")
    balanced = summary["balanced_accuracy"]
    lines.append(f"accuracy: {summary['accuracy']['text']}")
    lines.append(f"balanced accuracy ({', '.join(balanced['classes'])}): {balanced['text']}")
    for name, one in summary["per_class"].items():
        lines += [f"{name} {key}: {one[key]['text']}" for key in ("sensitivity", "specificity")]
        lines.append(f"{name} AUROC against the rest: {one['auroc']['text']}")
    for name, one in summary["against"].items():
        title = f"{positive} against {'the rest' if name == REST else name}"
        if name != REST:
            lines.append(f"{title}, AUROC: {one['auroc']['text']}")
        at = one["sensitivity_at_specificity"], one["specificity_at_sensitivity"]
        lines.append(f"{title}, sensitivity at {100 * SPECIFICITY:g} % specificity: {at[0]['text']}")
        lines.append(f"{title}, specificity at {100 * SENSITIVITY:g} % sensitivity: {at[1]['text']}")
    return [*lines, *_calibration_lines(positive, summary["calibration"]), *_decision_lines(summary["decision_curve"])]


def _of_class(cases: _Cases, number: int) -> dict[str, Any]:
    own, called = cases.targets == number, cases.predicted == number
    return {
        "n": int(own.sum()),
        "sensitivity": cases.share(called, own),
        "specificity": cases.share(~called, ~own),
        "auroc": auroc_interval(cases.odds[:, number], own, cases.groups.tolist()).plain(),
    }


def _negatives(cases: _Cases, place: int, classes: Sequence[str]) -> Iterator[tuple[str, _Bools]]:
    yield REST, np.ones(len(cases.targets), bool)
    for number, name in enumerate(classes):
        if number != place:
            yield name, (cases.targets == place) | (cases.targets == number)


def _against(cases: _Cases, place: int, mask: _Bools) -> dict[str, Any]:
    scores, flags, groups = cases.odds[mask, place], cases.targets[mask] == place, cases.groups[mask].tolist()
    return {
        "auroc": auroc_interval(scores, flags, groups).plain(),
        "sensitivity_at_specificity": sensitivity_at_specificity(
            scores, flags, groups, SPECIFICITY, cases.seed
        ).plain(),
        "specificity_at_sensitivity": specificity_at_sensitivity(
            scores, flags, groups, SENSITIVITY, cases.seed
        ).plain(),
    }


def _calibration(cases: _Cases, place: int, temperature: float) -> dict[str, Any]:
    odds, flags, groups = cases.odds[:, place], cases.targets == place, cases.groups.tolist()
    # The log-odds are divided already.
    figures = replace(measure_calibration(case_logits(odds, flags)), temperature=temperature)
    off = expit(odds) - flags
    return {
        "figures": figures.plain(),
        "brier": mean_interval(off**2, groups, cases.seed, limits=(0.0, 1.0)).plain(),
        "bias": replace(mean_interval(off, groups, cases.seed, limits=(-1.0, 1.0)), median=None).plain(),
    }


def _calibration_lines(positive: str, calibration: Mapping[str, Any]) -> Iterator[str]:
    figures = calibration["figures"]
    yield f"{positive} Brier score: {calibration['brier']['text']}"
    yield f"{positive} mean probability minus share: {calibration['bias']['text']}"
    if figures["ece"] is not None:
        yield f"{positive} ECE: {figures['ece']:.3f} (no interval, {figures['bins']} bins, n = {figures['n']})"


def _decision_lines(curve: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one in curve:
        title = f"acting from {100 * one['threshold']:g} % on"
        yield f"{title}, net benefit: {one['net_benefit']['text']}"
        yield f"{title}, more than acting on all: {one['over_all']['text']}"
