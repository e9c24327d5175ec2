"""From evaluated cases to everything that ``metrics.json`` says of them, and to an operating point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from monai_tumor.evaluation.evaluated_case import EvaluatedCase
from monai_tumor.inference.operating_point import OperatingPoint
from monai_tumor.metrics.calibration import Calibration, fit_temperature, measure_calibration
from monai_tumor.metrics.logits import LogitCounts, no_pixels
from monai_tumor.metrics.precision_recall import precision_recall
from monai_tumor.metrics.summary import summarise_cases
from monai_tumor.metrics.thresholds import choice_spread, choose_threshold
from monai_tumor.metrics.uncertainty import referral_curve
from monai_tumor.wording import count_of


def evaluation_figures(
    cases: Sequence[EvaluatedCase], point: OperatingPoint, seed: int, calibrated: LogitCounts | None = None
) -> dict[str, Any]:
    """Return the figures of an evaluation as JSON-able values.

    Args:
        cases: All cases with a reference.
        point: What masks were made with.
        seed: Seed of the intervals.
        calibrated: Logits that were divided by temperatures already, where folds have one each; None for one temperature.

    Returns:
        What ``summarise_cases`` returns, ``maps`` (predictions of a case), ``operating_point`` (None where nothing was
        chosen), ``calibration`` (of pixels), ``precision_recall`` and ``referral`` (None where there is nothing to show).
    """
    lesion = [case for case in cases if case.levels.has_lesion]
    curve = precision_recall([case.levels for case in cases]).plain() if lesion else None
    return {
        **summarise_cases([case.scored for case in cases], seed),
        "maps": max((case.uncertainty.maps for case in cases if case.uncertainty is not None), default=1),
        "operating_point": point.plain() if point.chosen_on else None,
        "calibration": _calibration(pixel_counts(cases), point, calibrated),
        "precision_recall": curve,
        "referral": _referral(lesion),
    }


def pixel_counts(cases: Sequence[EvaluatedCase]) -> LogitCounts:
    """Return the logits of the pixels of all cases together."""
    return reduce(add, (case.logits for case in cases), no_pixels())


def choose_operating_point(
    cases: Sequence[EvaluatedCase], words: str, seed: int
) -> tuple[OperatingPoint, dict[str, Any]]:
    """Choose threshold, smallest area and temperature.

    Args:
        cases: Validation or out-of-fold cases; never those that a result is then stated on.
        words: What these cases are, for example ``validation part``.
        seed: Seed of intervals and draws.

    Returns:
        The operating point, and what else is to be known of the choice: ``choice``, ``spread`` and ``temperature_fit``.

    Raises:
        WrongDataError: No case has a lesion.
    """
    levels = [case.levels for case in cases]
    choice, spread = choose_threshold(levels, seed), choice_spread(levels, seed=seed)
    fitted = fit_temperature(pixel_counts(cases))
    groups = count_of(choice.dice.groups, "group", "groups")
    on = f"{words}: {count_of(choice.dice.n, 'lesion case', 'lesion cases')}, {groups}"
    known = not math.isnan(fitted.value)
    point = OperatingPoint(
        choice.threshold, choice.smallest_area, fitted.value if known else None, on, on if known else ""
    )
    return point, {"choice": choice.plain(), "spread": spread.plain(), "temperature_fit": fitted.plain()}


def point_lines(point: OperatingPoint, about: dict[str, Any]) -> list[str]:
    """Return an operating point and how far it can be trusted, in words."""
    spread = about["spread"]
    lines = [
        f"threshold {point.threshold:g}, smallest lesion {100 * point.smallest_area:g} % of the image "
        f"({point.chosen_on}; Dice on these {about['choice']['dice']['text']})"
    ]
    if spread["threshold"] is None:
        lines.append(f"how far this choice is by chance cannot be said below 10 groups (there are {spread['groups']})")
    else:
        low, middle, high = spread["threshold"]
        lines.append(
            f"chosen on other samples of {spread['groups_drawn']} groups the threshold would lie between {low:g} and {high:g} "
            f"(median {middle:g}), and the choice would cost {spread['mean_regret']:.3f} Dice on average, "
            f"{spread['regret_95']:.3f} at the 95th percentile"
        )
    fitted = about["temperature_fit"]
    told = (
        fitted["note"]
        or f"{fitted['value']:.3f} (log-likelihood loss {fitted['nll_before']:.4f} to {fitted['nll_after']:.4f})"
    )
    return [*lines, f"temperature of pixels: {told}"]


def calibration_lines(calibration: dict[str, Any]) -> list[str]:
    """Return the calibration of pixels in words."""
    before, after = calibration["before"], calibration["after"]
    if not before["n"]:
        return []
    lines = [f"calibration of pixels: ECE {before['ece']:.4f}, Brier {before['brier']:.4f}, without temperature"]
    if after is not None:
        at = (
            f"temperature {calibration['temperature']:.3f}"
            if calibration["temperature"]
            else "a temperature for each fold"
        )
        lines.append(f"calibration of pixels: ECE {after['ece']:.4f}, Brier {after['brier']:.4f}, with {at}")
    return lines


def _calibration(counts: LogitCounts, point: OperatingPoint, calibrated: LogitCounts | None) -> dict[str, Any]:
    after: Calibration | None = None
    if calibrated is not None:
        after = measure_calibration(calibrated)
    elif point.temperature is not None:
        after = measure_calibration(counts, point.temperature)
    return {
        "temperature": None if calibrated is not None else point.temperature,
        "fitted_on": point.calibrated_on,
        "before": measure_calibration(counts).plain(),
        "after": None if after is None else after.plain(),
    }


def _referral(lesion: Sequence[EvaluatedCase]) -> dict[str, Any] | None:
    unsure = np.array([case.unsure for case in lesion])
    if not len(unsure) or np.isnan(unsure).any():
        return None
    return referral_curve([case.scored.overlap.dice for case in lesion], unsure).plain()
