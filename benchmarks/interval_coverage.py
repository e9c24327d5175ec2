"""How often does a 95 % interval hold the true mean?

Studies are simulated: groups of unequal size, cases alike within a group, skewed values. The true mean is known, so the
intervals that hold it can be counted. Three intervals of the same data:

- ours: ``mean_interval``, bootstrap-t by group, for shares Korn and Graubard's; none below 10 groups
- groups: the percentile bootstrap of whole groups
- cases: the percentile bootstrap of cases, as if all were independent

Writes benchmarks/results/interval_coverage.json; one thread.
"""

from __future__ import annotations

import os
import time

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before numpy starts its own

from collections.abc import Callable  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
from burned_in_marks import share  # noqa: E402
from common import arguments, load_average, report  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from monai_tumor.metrics.summary import MIN_GROUPS, mean_interval  # noqa: E402

Floats = NDArray[np.float64]
Random = np.random.Generator

GROUPS = (8, 10, 15, 20, 30, 50, 100)
MANY = 30
LARGEST_GROUP = 20
RESAMPLES = 1000
REPETITIONS = {"full": 2000, "quick": 20}
LEVEL = 0.95


@dataclass(frozen=True)
class Population:
    """What a study samples from.

    Attributes:
        draw: Draws one value for each case; ``place`` (cases,) is the group of each, counted from 0.
        truth: The mean over all cases there could be.
        limits: Smallest and largest possible value.
        about: The same in words.
    """

    draw: Callable[[NDArray[np.int64], Random], Floats]
    truth: float
    limits: tuple[float, float]
    about: str


def dice(place: NDArray[np.int64], random: Random) -> Floats:
    """Draw beta values whose mean differs from group to group."""
    means = random.beta(12, 2.5, place.max() + 1)[place]
    return random.beta(20 * means, 20 * (1 - means))


def dice_with_misses(place: NDArray[np.int64], random: Random) -> Floats:
    """Draw such Dice values, of which some are 0, in some groups more often."""
    return np.where(share_of(0.1, place, random) == 1, 0.0, dice(place, random))


def share_of(mean: float, place: NDArray[np.int64], random: Random) -> Floats:
    """Draw 0 and 1 with an intra-group correlation of 0.2."""
    chance = random.beta(4 * mean, 4 * (1 - mean), place.max() + 1)
    return (random.random(len(place)) < chance[place]).astype(float)


def distance(place: NDArray[np.int64], random: Random) -> Floats:
    """Draw log-normal values, as HD95 in pixels may be."""
    return np.exp(2 + 0.7 * random.standard_normal(place.max() + 1)[place] + 0.5 * random.standard_normal(len(place)))


POPULATIONS = {
    "dice": Population(dice, 12 / 14.5, (0, 1), "Dice, no lesion missed"),
    "dice with misses": Population(dice_with_misses, 0.9 * 12 / 14.5, (0, 1), "Dice, of which one in ten is 0"),
    "share 0.9": Population(lambda *of: share_of(0.9, *of), 0.9, (0, 1), "0 or 1, such as found or missed"),
    "share 0.5": Population(lambda *of: share_of(0.5, *of), 0.5, (0, 1), "0 or 1, equally often"),
    "distance": Population(distance, float(np.exp(2 + (0.49 + 0.25) / 2)), (0, np.inf), "log-normal, as HD95 may be"),
}


def main() -> None:
    """Count for every population and number of groups how often each interval holds the truth."""
    options = arguments((__doc__ or "").partition("\n")[0]).parse_args()
    repetitions, started, loads = (
        REPETITIONS["quick" if options.quick else "full"],
        time.perf_counter(),
        [load_average()],
    )
    found: dict[str, Any] = {}
    for name, population in POPULATIONS.items():
        found[name] = {
            "about": population.about,
            "truth": population.truth,
            "correlation": correlation(population),
            "groups": {str(count): coverage(population, count, repetitions) for count in GROUPS},
        }
        loads.append(load_average())
    result = {
        "repetitions": repetitions,
        "level": LEVEL,
        "resamples": RESAMPLES,
        "cases_per_group": mean_group_size(),
        "populations": found,
        "ours": {
            "from_30_groups": {
                name: spread([entry], *[n for n in GROUPS if n >= MANY]) for name, entry in found.items()
            },
            **{f"at_{count}_groups": spread(list(found.values()), count) for count in (10, 15, 20)},
        },
        "seconds": time.perf_counter() - started,
        "threads": 1,
        "load_average": {"lowest": min(loads), "highest": max(loads)},
    }
    report("interval_coverage", result, lines(result), options.out, options.quick)


def coverage(population: Population, count: int, repetitions: int) -> dict[str, Any]:
    """Return for each kind of interval how often it held the truth, lay below or above it, and how wide it was."""
    random = np.random.default_rng(count)
    ends: dict[str, list[tuple[float, float]]] = {}
    for number in range(repetitions):
        place = np.repeat(np.arange(count), group_sizes(count, random))
        values = population.draw(place, random)
        ends.setdefault("groups", []).append(percentile_by_groups(values, place, random))
        ends.setdefault("cases", []).append(percentile_by_cases(values, random))
        if count >= MIN_GROUPS:
            mine = mean_interval(values, place.astype(str).tolist(), number, LEVEL, population.limits)
            none = mine.low is None or mine.high is None
            ends.setdefault("ours", []).append((np.nan, np.nan) if none else (mine.low, mine.high))  # type: ignore[arg-type]
    return {name: counted(np.array(found), population.truth) for name, found in ends.items()}


def counted(ends: Floats, truth: float) -> dict[str, Any]:
    """Count (repetitions, 2) ends; an interval that could not be given holds nothing."""
    low, high = ends.T
    return {
        **share(int(((low <= truth) & (truth <= high)).sum()), len(ends)),
        "too_low": int((high < truth).sum()),
        "too_high": int((low > truth).sum()),
        "none": int(np.isnan(low).sum()),
        "median_width": float(np.nanmedian(high - low)),
    }


def percentile_by_groups(values: Floats, place: NDArray[np.int64], random: Random) -> tuple[float, float]:
    """Return the percentile interval of the mean over cases when whole groups are resampled."""
    sums, sizes = np.bincount(place, weights=values), np.bincount(place)
    drawn = random.integers(0, len(sums), (RESAMPLES, len(sums)))
    return middle(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))


def percentile_by_cases(values: Floats, random: Random) -> tuple[float, float]:
    """Return the percentile interval of the mean when cases are resampled, whatever group they are of."""
    return middle(values[random.integers(0, len(values), (RESAMPLES, len(values)))].mean(axis=1))


def middle(means: Floats) -> tuple[float, float]:
    """Return the ends between which the middle 95 of 100 means lie."""
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def group_sizes(count: int, random: Random) -> NDArray[np.int64]:
    """Draw how many cases each group has: one in most, many in a few."""
    return np.minimum(random.geometric(0.3, count), LARGEST_GROUP)


def mean_group_size() -> float:
    """Return the mean number of cases a group."""
    return float(group_sizes(100_000, np.random.default_rng(0)).mean())


def correlation(population: Population) -> float:
    """Return the intra-group correlation: that of two cases of one group, over many groups."""
    pairs = population.draw(np.repeat(np.arange(200_000), 2), np.random.default_rng(0)).reshape(-1, 2)
    return float(np.corrcoef(pairs.T)[0, 1])


def spread(entries: list[dict[str, Any]], *counts: int) -> dict[str, float]:
    """Return the lowest and the highest coverage of our interval over populations and numbers of groups."""
    shares = [entry["groups"][str(count)]["ours"]["share"] for entry in entries for count in counts]
    return {"lowest": min(shares), "highest": max(shares)}


def lines(result: dict[str, Any]) -> list[str]:
    """Return the shares in words, one population and number of groups a line."""
    text = [f"{result['repetitions']} repetitions each: share of 95 % intervals that hold the true mean"]
    for name, entry in result["populations"].items():
        for count, ways in entry["groups"].items():
            shares = ", ".join(f"{way} {ways[way]['share']:.3f}" for way in ("ours", "groups", "cases") if way in ways)
            text.append(f"{name}, {count} groups: {shares}")
    for name, ends in result["ours"]["from_30_groups"].items():
        text.append(f"ours, {name}, from 30 groups: {ends['lowest']:.3f} to {ends['highest']:.3f}")
    return [*text, f"{result['seconds']:.0f} s"]


if __name__ == "__main__":
    main()
