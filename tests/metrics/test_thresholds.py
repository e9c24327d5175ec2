"""The choice of threshold and smallest area: by hand, against a search over masks, and how far it may be trusted."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import ndimage

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.metrics.levels import SMALLEST_AREAS, THRESHOLDS, CaseLevels, case_levels
from monai_tumor.metrics.thresholds import choice_spread, choose_threshold

SHAPE = (30, 40)


def case(best: float, seed: int, group: str = "", speck: float = 0.0) -> CaseLevels:
    """A lesion that is outlined best at about the probability ``best``, and a speck of 2 x 2 pixels beside it."""
    random = np.random.default_rng(seed)
    distance = np.hypot(*np.meshgrid(np.arange(40) - 22, np.arange(30) - 13)) + random.normal(0, 0.3, SHAPE)
    chance = 1 / (1 + np.exp((distance - 8) / 2 - np.log(best / (1 - best))))
    chance[1:3, 1:3] = speck
    return case_levels(chance, distance < 8, group or f"p{seed}")


def cases(best: Sequence[float], speck: float = 0.0) -> list[CaseLevels]:
    return [case(one, seed, speck=speck) for seed, one in enumerate(best)]


@pytest.mark.parametrize("best", [0.2, 0.5, 0.8])
def test_the_threshold_that_is_best_is_chosen(best: float) -> None:
    found = choose_threshold(cases([best] * 12))
    assert (found.threshold, found.smallest_area) == (pytest.approx(best, abs=0.03), 0)
    assert found.dice.mean > 0.98 and found.dice.groups == 12


def test_a_speck_is_removed_where_that_pays() -> None:
    # 4 of 1200 pixels: more than 0.002, less than 0.005.
    assert choose_threshold(cases([0.5] * 3, speck=0.99)).smallest_area == 0.005
    assert choose_threshold(cases([0.5] * 3)).smallest_area == 0


def test_the_choice_is_that_of_a_search_over_masks() -> None:
    random = np.random.default_rng(0)
    pictures = []
    for _ in range(5):
        reference = ndimage.gaussian_filter(random.normal(size=SHAPE), 3) > 0.05
        chance = 1 / (1 + np.exp(-3 * reference + 1.0 - 6 * ndimage.gaussian_filter(random.normal(size=SHAPE), 1)))
        pictures.append((chance, reference))
    found = choose_threshold([case_levels(*picture, f"p{k}") for k, picture in enumerate(pictures)])

    def mean_dice(smallest: float, threshold: float) -> float:
        scores = []
        for chance, reference in pictures:
            labels, _ = ndimage.label(chance >= threshold, structure=np.ones((3, 3)))
            kept = np.bincount(labels.ravel()) >= smallest * reference.size
            kept[0] = False
            mask = kept[labels]
            scores.append(2 * (mask & reference).sum() / (mask.sum() + reference.sum()))
        return float(np.mean(scores))

    grid = {(area, one): mean_dice(area, one) for area in SMALLEST_AREAS for one in THRESHOLDS}
    assert found.dice.mean == pytest.approx(max(grid.values()))
    assert grid[found.smallest_area, found.threshold] == pytest.approx(found.dice.mean)


def test_of_equally_good_choices_the_plainest_is_taken() -> None:
    sure = np.zeros(SHAPE)
    sure[4:20, 7:31] = 1
    found = choose_threshold([case_levels(sure, sure > 0, "p1")])
    assert (found.threshold, found.smallest_area, found.dice.mean) == (0.5, 0, 1)


@pytest.mark.parametrize("count", range(1, 8))
def test_of_two_thresholds_as_near_to_a_half_the_lower_is_taken(count: int) -> None:
    # The first kind loses a lesion pixel above 0.48, the other one has a wrong pixel up to 0.52: each Dice 2/3 or 1.
    low = case_levels(np.array([[1.0, 0.48, 0]]), np.array([[True, True, False]]), "p1")
    high = case_levels(np.array([[1.0, 0.52, 0]]), np.array([[True, False, False]]), "p2")
    assert choose_threshold([low] * count + [high] * count).threshold == THRESHOLDS[8] == 115 / 256


def test_lesion_free_cases_have_no_say_and_are_counted() -> None:
    free = case_levels(np.full(SHAPE, 0.9), np.zeros(SHAPE, dtype=bool), "p99")
    some = cases([0.2] * 3)
    found = choose_threshold([*some, free])
    assert (found.threshold, found.lesion_free) == (choose_threshold(some).threshold, 1)
    with pytest.raises(WrongDataError, match="none of 1 cases has a lesion"):
        choose_threshold([free])


def test_cases_that_agree_leave_no_doubt() -> None:
    found = choice_spread(cases([0.5] * 12))
    assert found.threshold == (0.5, 0.5, 0.5) and found.mean_regret == found.regret_95 == 0


def test_cases_that_differ_leave_a_spread_that_narrows_with_their_number() -> None:
    many = cases(np.random.default_rng(0).uniform(0.1, 0.9, 60).tolist())
    full, few = choice_spread(many), choice_spread(many, groups_drawn=5)
    assert full.threshold is not None and few.threshold is not None
    low, middle, high = full.threshold
    assert low <= middle <= high and few.threshold[2] - few.threshold[0] > high - low
    assert few.mean_regret > full.mean_regret >= 0  # type: ignore[operator]
    assert (full.groups, full.groups_drawn, few.groups_drawn, full.n) == (60, 60, 5, 60)


def test_the_spread_is_that_of_draws_made_one_by_one() -> None:
    many = [case(best, seed, f"p{seed // 2}") for seed, best in enumerate(np.linspace(0.2, 0.8, 24))]
    random = np.random.default_rng(5)
    mean = np.mean([one.dice for one in many], axis=0)
    regrets = []
    for _ in range(400):
        drawn = [one for g in random.integers(0, 12, 12) for one in many if one.group == f"p{g}"]
        best = choose_threshold(drawn)
        place = SMALLEST_AREAS.index(best.smallest_area), THRESHOLDS.index(best.threshold)
        regrets.append(mean.max() - mean[place])
    found = choice_spread(many)
    assert found.mean_regret == pytest.approx(np.mean(regrets), rel=0.25)
    assert found == choice_spread(many)


def test_more_slices_of_the_same_patients_tell_nothing_new() -> None:
    best = np.linspace(0.2, 0.8, 12)
    once = [case(one, seed) for seed, one in enumerate(best)]
    assert choice_spread(once * 5).regret_95 == pytest.approx(choice_spread(once).regret_95)


def test_below_ten_groups_nothing_is_said() -> None:
    found = choice_spread(cases([0.3, 0.5, 0.7] * 3))
    assert (found.threshold, found.mean_regret, found.draws, found.groups) == (None, None, 0, 9)


def test_results_are_json() -> None:
    some = cases([0.5] * 12)
    assert json.loads(json.dumps(choose_threshold(some).plain(), allow_nan=False))["dice"]["n"] == 12
    assert json.loads(json.dumps(choice_spread(some).plain()))["threshold"] == [0.5, 0.5, 0.5]


def test_no_group_to_draw_is_refused() -> None:
    with pytest.raises(WrongCallError, match="groups_drawn is 0, expected at least 1"):
        choice_spread(cases([0.5] * 12), groups_drawn=0)
