"""The operating point of a classifier: temperature, threshold, three answers, and from where on an image is out of place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.imaging.write import write_text
from monai_tumor.inference.operating_point import AUTO, advice, own_file, weights_digest
from monai_tumor.metrics.diagnosis_answers import ConformalSet, choose_conformal_set
from monai_tumor.metrics.diagnosis_classes import class_probabilities, fit_class_temperature
from monai_tumor.metrics.diagnosis_points import choose_sensitivity_point
from monai_tumor.metrics.plain import PlainResult
from tumor_mask_classifier.cases_table import DiagnosedCases

FALSE_ALARMS = 0.02
"""Share of images of the right kind that may be called out of place."""
PREDICTION = "prediction_sha256"
"""Key of the digest of the settings that predictions are made with."""
_LEAST_ALARMED = 20  # fewer distances say nothing about their highest ones

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DiagnosisPoint(PlainResult):
    """How the logits of a classifier become decisions.

    Attributes:
        positive: The class that must not be missed.
        temperature: What logits are divided by; 1 where none could be fitted.
        threshold: A case is called positive when the probability of ``positive`` is at least this.
        sensitivity: The share of positive cases that the threshold was chosen to find.
        answers: Which classes stay possible; one is an answer, else the case is referred.
        distance: Above this an image is out of place (see ``TypicalFeatures``); None where nobody measured.
        chosen_on: The cases that all of it was chosen on, in words.
    """

    positive: str
    temperature: float
    threshold: float
    sensitivity: float
    answers: ConformalSet
    distance: float | None
    chosen_on: str

    def probabilities(self, logits: Floats) -> Floats:
        """Return calibrated probabilities (cases, classes) of logits (cases, classes)."""
        return class_probabilities(logits, self.temperature)

    def called(self, logits: Floats) -> Bools:
        """Return which cases are called positive, bool (cases,)."""
        place = self.answers.classes.index(self.positive)
        called: Bools = self.probabilities(logits)[:, place] >= self.threshold
        return called

    def out_of_place(self, distances: Floats) -> Bools:
        """Return which images are out of place, bool (cases,); none where it is not known from where on."""
        limit = np.inf if self.distance is None else self.distance
        far: Bools = np.asarray(distances) > limit
        return far


@dataclass(frozen=True, slots=True)
class DiagnosisWish:
    """What a point is chosen for.

    Attributes:
        classes: The labels in the order of the logits.
        positive: The class that must not be missed.
        sensitivity: Share of its cases that the threshold finds, above 0 and up to 1.
        alpha: Share of groups of each class that may be answered wrongly, 0 to 1; see ``choose_conformal_set``.

    Raises:
        WrongCallError: ``positive`` is none of the classes, or a share is no share.
    """

    classes: tuple[str, ...]
    positive: str = "malignant"
    sensitivity: float = 0.95
    alpha: float = 0.1

    def __post_init__(self) -> None:
        if self.positive not in self.classes:
            raise WrongCallError(
                f"positive is {self.positive!r}, expected one of the classes {', '.join(self.classes)}"
            )
        if not _is_number(self.sensitivity) or not 0 < self.sensitivity <= 1:
            raise WrongCallError(f"sensitivity is {self.sensitivity!r}, expected above 0 and up to 1")
        if not _is_number(self.alpha) or not 0 < self.alpha < 1:
            raise WrongCallError(f"alpha is {self.alpha!r}, expected a share between 0 and 1")


def choose_diagnosis_point(cases: DiagnosedCases, asked: DiagnosisWish, chosen_on: str) -> DiagnosisPoint:
    """Choose temperature, threshold, answers and distance on cases that the network did not learn from.

    Args:
        cases: The cases.
        asked: What is asked of the point.
        chosen_on: The cases in words.

    Raises:
        WrongDataError: No case is of the positive class.
    """
    fitted = fit_class_temperature(cases.logits, cases.targets)
    temperature = 1.0 if fitted.note else fitted.value
    shares, place = class_probabilities(cases.logits, temperature), asked.classes.index(asked.positive)
    found = choose_sensitivity_point(shares[:, place], cases.targets == place, cases.groups, asked.sensitivity)
    answers = choose_conformal_set(shares, cases.targets, cases.groups, asked.classes, asked.alpha)
    limit = None if cases.distances is None else farthest(cases.distances)
    return DiagnosisPoint(asked.positive, temperature, found.threshold, asked.sensitivity, answers, limit, chosen_on)


def farthest(distances: Floats) -> float | None:
    """Return the distance that a share of ``FALSE_ALARMS`` of new images of the same kind exceeds; None of too few.

    The split-conformal quantile: of n distances the ceil((n + 1) * (1 - share))-th smallest, at most the largest.
    """
    known = np.sort(distances[np.isfinite(distances)])
    if len(known) < _LEAST_ALARMED:
        return None
    place = min(int(np.ceil((len(known) + 1) * (1 - FALSE_ALARMS))), len(known))
    return float(known[place - 1])


def write_diagnosis_point(path: Path, point: DiagnosisPoint, bundle_root: Path, prediction: str | None = None) -> None:
    """Write a point of a run, and the digest of the settings it was chosen with; an earlier one is replaced."""
    content = {
        "task": "diagnosis",
        **point.plain(),
        "weights_sha256": weights_digest(bundle_root),
        PREDICTION: prediction,
        "text": told(point),
    }
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n", overwrite=True)


def told(point: DiagnosisPoint) -> str:
    """Return a point in words."""
    least = ", ".join(
        f"{name} {share:.3g}" for name, share in zip(point.answers.classes, point.answers.least, strict=True)
    )
    far = "" if point.distance is None else f"; out of place above a distance of {point.distance:.3g}"
    return (
        f"Called {point.positive} from a probability of {point.threshold:.4f} on (chosen to find "
        f"{100 * point.sensitivity:g} %); a class stays possible from: {least} on; temperature {point.temperature:.3f}{far}. "
        f"Chosen on {point.chosen_on}."
    )


def find_diagnosis_point(
    bundle_root: Path, threshold: Any, classes: Sequence[str], prediction: str | None = None
) -> DiagnosisPoint | None:
    """Return the operating point that a configuration asks for.

    Args:
        bundle_root: The run.
        threshold: None for the run's own point where there is one, ``auto`` where it must be there, or a file.
        classes: The labels in the order of the logits.
        prediction: Digest of the settings that predictions are made with; those it was chosen with must be the same.

    Raises:
        WrongCallError: It is a number, or ``auto`` and none was chosen.
        WrongDataError: The file is damaged, or was chosen for other weights or classes, or another way to predict.
    """
    if threshold is not None and not isinstance(threshold, str):
        raise WrongCallError(
            f"threshold is {threshold!r}; a classifier takes null, {AUTO!r} or the file of a chosen operating point"
        )
    path = own_file(bundle_root, False) if threshold in (None, AUTO) else Path(str(threshold))
    if not path.is_file():
        if threshold is None:
            return None
        raise WrongCallError(f"threshold {threshold!r}: {path} does not exist; {advice(bundle_root, False)}")
    return _read(path, bundle_root, classes, prediction)


def _read(path: Path, bundle_root: Path, classes: Sequence[str], prediction: str | None) -> DiagnosisPoint:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        answers = content["answers"]
        sets = ConformalSet(
            tuple(answers["classes"]),
            tuple(map(float, answers["least"])),
            tuple(answers["groups"]),
            float(answers["alpha"]),
            str(answers["guarantee"]),
        )
        names = ("positive", "temperature", "threshold", "sensitivity", "distance", "chosen_on")
        point = DiagnosisPoint(answers=sets, **{name: content[name] for name in names})
        _check(point)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WrongDataError(
            f"{path} is no operating point of a classifier ({error}); {advice(bundle_root, False)}"
        ) from error
    other = ""
    if content.get("weights_sha256") != weights_digest(bundle_root) or sets.classes != tuple(classes):
        other = "for other weights or classes"
    elif prediction is not None and content.get(PREDICTION) not in (None, prediction):
        other = "with another prepare, network_def, precision, mask_source or crop"
    if other:
        raise WrongDataError(f"{path} was chosen {other}; {advice(bundle_root, False)}")
    return point


def _check(point: DiagnosisPoint) -> None:
    sets, distance = point.answers, 0.0 if point.distance is None else point.distance
    shares = [point.threshold, point.sensitivity, sets.alpha, *sets.least]
    numbers = [point.temperature, distance, *shares]
    if not all(_is_number(value) and np.isfinite(value) for value in numbers):
        raise ValueError("a value is no number")
    if not point.temperature > 0 or not distance >= 0 or not all(0 <= share <= 1 for share in shares):
        raise ValueError("a value is out of range")
    if point.positive not in sets.classes or not len(sets.classes) == len(sets.least) == len(sets.groups):
        raise ValueError("the classes do not belong together")
    if not isinstance(point.chosen_on, str):
        raise ValueError("chosen_on is no text")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
