"""Calibration by hand, against scikit-learn, and against a search over raw values; a known temperature comes back."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from monai_tumor.errors import WrongCallError
from monai_tumor.metrics.calibration import ReliabilityBin, fit_temperature, measure_calibration
from monai_tumor.metrics.logits import case_logits, pixel_logits

LOGITS = arrays(np.float64, st.integers(2, 40), elements=st.floats(-30, 30).map(lambda value: round(value, 3)))
SAMPLES = LOGITS.flatmap(lambda values: st.tuples(st.just(values), arrays(np.bool_, values.shape)))
Sample = tuple[np.ndarray, np.ndarray]


def too_sure(temperature: float, shape: tuple[int, ...], seed: int = 0) -> Sample:
    """Draw a calibrated sample, mostly ground as pixels are, then multiply its logits."""
    random = np.random.default_rng(seed)
    honest = random.normal(-2, 2, shape)
    return honest * temperature, random.random(shape) < expit(honest)


def mean_loss(logits: np.ndarray, positive: np.ndarray, temperature: float) -> float:
    z = logits / temperature
    return float(np.mean(np.where(positive, np.logaddexp(0, -z), np.logaddexp(0, z))))


def searched(logits: np.ndarray, positive: np.ndarray) -> float:
    loss = minimize_scalar(
        lambda power: mean_loss(logits, positive, math.exp(power)), bounds=(-12, 12), method="bounded"
    )
    return math.exp(loss.x)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_a_known_temperature_comes_back(temperature: float) -> None:
    pictures = [too_sure(temperature, (211, 307), seed) for seed in range(6)]
    counts = pixel_logits(*pictures[0])
    for picture in pictures[1:]:
        counts += pixel_logits(*picture)
    found = fit_temperature(counts)
    assert found.value == pytest.approx(temperature, rel=0.01)
    assert (found.positive + found.negative, found.note) == (6 * 211 * 307, "")
    assert found.nll_after <= found.nll_before


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_grid_costs_next_to_nothing(temperature: float) -> None:
    sample = too_sure(temperature, (101, 203))
    exact = fit_temperature(case_logits(*sample))
    assert fit_temperature(pixel_logits(*sample)).value == pytest.approx(exact.value, rel=2e-4)


def test_calibration_is_better_at_the_fitted_temperature() -> None:
    counts = pixel_logits(*too_sure(2.5, (211, 307)))
    before, after = measure_calibration(counts), measure_calibration(counts, fit_temperature(counts).value)
    assert before.ece > 0.05 > 0.005 > after.ece and before.ece_equal_mass > 0.05 > 0.005 > after.ece_equal_mass
    assert after.brier < before.brier and after.nll < before.nll


def test_a_temperature_by_hand() -> None:
    # One of four is wrong at logit +-1: sigmoid(1 / T) must be 3 / 4.
    counts = case_logits([1.0, 1, 1, 1, -1], np.array([True, True, True, False, False]))
    assert measure_calibration(counts).n == 5
    even = case_logits([1.0, 1, 1, 1], np.array([True, True, True, False]))
    assert fit_temperature(even).value == pytest.approx(1 / math.log(3))
    assert fit_temperature(even).nll_after == pytest.approx(-(3 * math.log(0.75) + math.log(0.25)) / 4)


@given(SAMPLES)
@settings(max_examples=100, deadline=None)
def test_the_temperature_is_that_of_a_search_over_raw_values(sample: Sample) -> None:
    found = fit_temperature(case_logits(*sample))
    assume(not found.note and 1e-4 < found.value < 1e4)
    assert found.nll_before == pytest.approx(mean_loss(*sample, 1.0))
    assert found.nll_after == pytest.approx(mean_loss(*sample, found.value))
    assert found.nll_after <= mean_loss(*sample, searched(*sample)) + 1e-9


@given(SAMPLES)
@settings(max_examples=100, deadline=None)
def test_without_a_temperature_the_loss_only_falls_or_only_rises(sample: Sample) -> None:
    found = fit_temperature(case_logits(*sample))
    losses = [mean_loss(*sample, temperature) for temperature in np.geomspace(1e-3, 1e3, 25)]
    if "smaller" in found.note:
        assert losses == sorted(losses)
    elif "opposite" in found.note:
        assert losses == pytest.approx(sorted(losses, reverse=True))
    assert math.isnan(found.value) == bool(found.note)


@pytest.mark.parametrize(
    ("logits", "positive", "note"),
    [
        ([2.0, -1.0], [True, True], "the reference has only one class"),
        ([], [], "the reference has only one class"),
        ([2.0, -1.0], [True, False], "no logit is on the wrong side: the smaller the temperature, the better"),
        ([0.0, 0.0], [True, False], "the logits say nothing about the reference, or the opposite"),
        (
            [-2.0, 1.0],
            [True, False],
            "the logits say nothing about the reference, or the opposite",
        ),
    ],
)
def test_there_may_be_no_temperature(logits: list[float], positive: list[bool], note: str) -> None:
    found = fit_temperature(case_logits(logits, np.array(positive, dtype=bool)))
    assert math.isnan(found.value) and found.note == note
    assert json.loads(json.dumps(found.plain(), allow_nan=False))["value"] is None


def test_figures_by_hand() -> None:
    counts = case_logits(logit([0.1, 0.3, 0.6, 0.6, 0.9]), np.array([False, True, False, True, True]))
    found = measure_calibration(counts, bins=2)
    assert found.brier == pytest.approx((0.01 + 0.49 + 0.36 + 0.16 + 0.01) / 5)
    low, high = found.reliability
    assert (low.confidence, low.share, low.n) == (pytest.approx(0.2), 0.5, 2)
    assert (high.confidence, high.share, high.n) == (pytest.approx(0.7), pytest.approx(2 / 3), 3)
    assert found.ece == pytest.approx(0.4 * 0.3 + 0.6 * (0.7 - 2 / 3))
    assert [one.n for one in found.reliability_equal_mass] == [2, 3]  # the two of 0.6 stay together


def test_a_bin_holds_its_upper_end() -> None:
    counts = case_logits([0.0, 0.0, 3.0], np.array([True, False, True]))
    assert measure_calibration(counts, bins=2).reliability[0] == ReliabilityBin(0.5, 0.5, 2)


@given(SAMPLES, st.integers(1, 12), st.sampled_from([0.5, 1.0, 3.0]))
@settings(max_examples=100, deadline=None)
def test_figures_equal_those_of_scikit_learn(sample: Sample, bins: int, temperature: float) -> None:
    sklearn = pytest.importorskip("sklearn")
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import brier_score_loss

    assert sklearn
    chance, positive = expit(sample[0] / temperature), sample[1]
    found = measure_calibration(case_logits(*sample), temperature, bins)
    assert found.brier == pytest.approx(brier_score_loss(positive, chance, pos_label=True))
    share, confidence = calibration_curve(positive, chance, pos_label=True, n_bins=bins)
    assert [one.share for one in found.reliability] == pytest.approx(share)
    assert [one.confidence for one in found.reliability] == pytest.approx(confidence)


@pytest.mark.parametrize("bins", [1, 3, 10])
def test_bins_of_equal_mass_equal_those_of_scikit_learn(bins: int) -> None:
    calibration = pytest.importorskip("sklearn.calibration")
    logits, positive = too_sure(2.0, (60,))
    share, confidence = calibration.calibration_curve(positive, expit(logits), n_bins=bins, strategy="quantile")
    found = measure_calibration(case_logits(logits, positive), bins=bins)
    assert [one.n for one in found.reliability_equal_mass] == [60 // bins] * bins
    assert [one.share for one in found.reliability_equal_mass] == pytest.approx(share)
    assert [one.confidence for one in found.reliability_equal_mass] == pytest.approx(confidence)
    gaps = np.abs(share - confidence)
    assert found.ece_equal_mass == pytest.approx(gaps.mean())


@given(SAMPLES, st.sampled_from([0.5, 1.0, 3.0]))
@settings(max_examples=100, deadline=None)
def test_the_error_of_the_grid_is_what_is_said(sample: Sample, temperature: float) -> None:
    grid, exact = (measure_calibration(make(*sample), temperature) for make in (pixel_logits, case_logits))
    assert abs(grid.nll - exact.nll) <= 1 / (128 * temperature) + 1e-12
    assert abs(grid.brier - exact.brier) <= 1 / (432 * temperature) + 1e-12


@given(SAMPLES, st.integers(1, 20))
@settings(max_examples=50, deadline=None)
def test_every_case_is_in_one_bin_and_the_error_is_a_share(sample: Sample, bins: int) -> None:
    found = measure_calibration(case_logits(*sample), bins=bins)
    for curve, error in ((found.reliability, found.ece), (found.reliability_equal_mass, found.ece_equal_mass)):
        assert sum(one.n for one in curve) == found.n == len(sample[0]) and len(curve) <= bins
        assert 0 <= error <= 1
        assert [one.confidence for one in curve] == sorted(one.confidence for one in curve)


def test_nothing_counted_gives_undefined_figures_and_they_are_json() -> None:
    nothing = measure_calibration(case_logits([], np.empty(0, dtype=bool)))
    assert json.loads(json.dumps(nothing.plain(), allow_nan=False))["ece"] is None
    some = measure_calibration(case_logits([1.0], np.array([True])))
    assert json.loads(json.dumps(some.plain()))["reliability"] == [{"confidence": expit(1.0), "share": 1.0, "n": 1}]


@pytest.mark.parametrize(("temperature", "bins"), [(0.0, 15), (-1.0, 15), (math.nan, 15), (1.0, 0)])
def test_a_temperature_must_be_positive_and_a_bin_there(temperature: float, bins: int) -> None:
    with pytest.raises(WrongCallError, match="expected more than 0 and at least one bin"):
        measure_calibration(case_logits([1.0], np.array([True])), temperature, bins)
