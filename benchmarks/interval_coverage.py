"""How often does a 95 % interval hold the true mean?

Studies are simulated: groups of unequal size, cases alike within a group, skewed values. The true mean is known, so the
intervals that hold it can be counted. Three intervals of the same data:

- ours: ``mean_interval``, bootstrap-t by group, for shares Korn and Graubard's; none below 10 groups
- groups: the percentile bootstrap of whole groups
- cases: the percentile bootstrap of cases, as if all were independent

Figures of a classifier are no means over cases and have intervals of their own (``auroc_interval``, ``balanced_accuracy``,
``sensitivity_at_specificity``, ``compare_auroc``). They are counted in studies of 15, 30 and 60 groups with one to four images
each, the percentile bootstrap of whole groups beside those of AUROC and balanced accuracy.

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
from scipy.special import ndtr, ndtri  # noqa: E402

from monai_tumor.metrics.diagnosis_auroc import auroc_interval, compare_auroc  # noqa: E402
from monai_tumor.metrics.diagnosis_classes import balanced_accuracy  # noqa: E402
from monai_tumor.metrics.diagnosis_points import sensitivity_at_specificity  # noqa: E402
from monai_tumor.metrics.summary import MIN_GROUPS, Interval, mean_interval  # noqa: E402

Floats = NDArray[np.float64]
Random = np.random.Generator

GROUPS = (8, 10, 15, 20, 30, 50, 100)
MANY = 30
LARGEST_GROUP = 20
RESAMPLES = 1000
REPETITIONS = {"full": 2000, "quick": 20}
LEVEL = 0.95

DIAGNOSIS_GROUPS = (15, 30, 60)
MOST_IMAGES = 4
ALIKE = 0.5  # correlation of the scores of two images of one group and class
DIAGNOSIS_REPETITIONS = {"full": 1000, "quick": 10}


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
    kind, started, loads = "quick" if options.quick else "full", time.perf_counter(), [load_average()]
    repetitions = REPETITIONS[kind]
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
        "diagnosis": diagnosis_coverage(DIAGNOSIS_REPETITIONS[kind]),
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


@dataclass(frozen=True)
class Study:
    """Images that a classifier has scored.

    Attributes:
        place: The group of each image, (images,), counted from 0.
        kinds: Its class.
        scores: (images, scores); of several classes the logits, of two the score of one classifier or of two.
    """

    place: NDArray[np.int64]
    kinds: NDArray[np.int64]
    scores: Floats

    @property
    def groups(self) -> list[str]:
        return self.place.astype(str).tolist()


@dataclass(frozen=True)
class Classifier:
    """A classifier in a population, and the figure of it that is known.

    Attributes:
        draw: Draws a study of so many groups.
        truth: The figure over all images there could be.
        interval: Our interval for it.
        about: The same in words.
        resampled: The figure for weights of the images, (resamples, images); None where nothing is compared with ours.
    """

    draw: Callable[[int, Random], Study]
    truth: float
    interval: Callable[[Study, int], Interval]
    about: str
    resampled: Callable[[Study, Floats], Floats] | None = None


def images(
    count: int, shares: tuple[float, ...], random: Random, by_image: bool = False
) -> tuple[NDArray[np.int64], ...]:
    """Draw groups of one to four images and a class for each group or image; all classes occur."""
    while True:
        place = np.repeat(np.arange(count), random.integers(1, MOST_IMAGES + 1, count))
        kinds = random.choice(len(shares), len(place) if by_image else count, p=shares)
        kinds = kinds if by_image else kinds[place]
        if len(np.unique(kinds)) == len(shares):
            return place, kinds


def noise(place: NDArray[np.int64], random: Random) -> Floats:
    """Draw standard normal values that are alike within a group."""
    own = random.standard_normal(len(place))
    return ALIKE**0.5 * random.standard_normal(place.max() + 1)[place] + (1 - ALIKE) ** 0.5 * own


def binormal(*areas: float, positive: float = 1 / 3, by_image: bool = False) -> Callable[[int, Random], Study]:
    """Return what draws a score for each AUROC; the scores of one image are alike."""

    def draw(count: int, random: Random) -> Study:
        place, kinds = images(count, (1 - positive, positive), random, by_image)
        shared = noise(place, random)
        lead = [2**0.5 * ndtri(area) * kinds for area in areas]
        rest = (1 - ALIKE * (len(areas) > 1)) ** 0.5
        scores = [one + (1 - rest**2) ** 0.5 * shared + rest * noise(place, random) for one in lead]
        return Study(place, kinds, np.stack(scores, axis=1))

    return draw


def right_or_wrong(*sensitivities: float) -> Callable[[int, Random], Study]:
    """Return what draws three classes, each found with its sensitivity and otherwise taken for the next one."""

    def draw(count: int, random: Random) -> Study:
        place, kinds = images(count, (0.2, 0.5, 0.3), random)
        right = noise(place, random) < ndtri(sensitivities)[kinds]
        return Study(place, kinds, np.eye(3)[np.where(right, kinds, (kinds + 1) % 3)])

    return draw


def areas_resampled(study: Study, weights: Floats) -> Floats:
    """Return the AUROC for each row of weights; the scores have no ties."""
    flags, score = study.kinds == 1, study.scores[:, 0]
    won = (score[flags][:, None] > score[~flags]).astype(float)
    first, second = weights[:, flags], weights[:, ~flags]
    with np.errstate(invalid="ignore"):
        return ((first @ won) * second).sum(axis=1) / (first.sum(axis=1) * second.sum(axis=1))


def balanced_resampled(study: Study, weights: Floats) -> Floats:
    """Return the balanced accuracy for each row of weights."""
    right, own = study.scores.argmax(axis=1) == study.kinds, np.eye(3)[study.kinds]
    with np.errstate(invalid="ignore"):
        return np.nanmean((weights * right) @ own / (weights @ own), axis=1)


def area_ours(study: Study, seed: int) -> Interval:
    return auroc_interval(study.scores[:, 0], study.kinds == 1, study.groups)


def balanced_ours(study: Study, seed: int) -> Interval:
    return balanced_accuracy(study.scores, study.kinds, study.groups)


def point_ours(study: Study, seed: int) -> Interval:
    return sensitivity_at_specificity(study.scores[:, 0], study.kinds == 1, study.groups, 0.9, seed)


def difference_ours(study: Study, seed: int) -> Interval:
    return compare_auroc(*study.scores.T, study.kinds == 1, study.groups, seed).difference


def area(value: float, about: str, **settings: Any) -> Classifier:
    return Classifier(binormal(value, **settings), value, area_ours, f"AUROC {value:.2f}, {about}", areas_resampled)


def balanced(*sensitivities: float) -> Classifier:
    about = f"balanced accuracy, three classes with sensitivity {', '.join(map(str, sensitivities))}"
    return Classifier(
        right_or_wrong(*sensitivities), float(np.mean(sensitivities)), balanced_ours, about, balanced_resampled
    )


CLASSIFIERS = {
    "AUROC 0.80": area(0.8, "a third positive"),
    "AUROC 0.93": area(0.93, "a third positive"),
    "AUROC 0.98": area(0.98, "a third positive"),
    "AUROC 0.93, mixed": area(0.93, "a third positive, both classes in one group", by_image=True),
    "AUROC 0.93, rare": area(0.93, "one in eight positive", positive=1 / 8),
    "balanced accuracy 0.82": balanced(0.9, 0.85, 0.7),
    "balanced accuracy 0.95": balanced(0.97, 0.95, 0.93),
    "sensitivity at 90 %": Classifier(
        binormal(0.93),
        float(ndtr(2**0.5 * ndtri(0.93) - ndtri(0.9))),
        point_ours,
        "sensitivity at 90 % specificity, AUROC 0.93",
    ),
    "difference of AUROC": Classifier(
        binormal(0.85, 0.9), 0.05, difference_ours, "AUROC 0.90 minus 0.85, the same images"
    ),
}


def diagnosis_coverage(repetitions: int) -> dict[str, Any]:
    """Count for every classifier and number of groups how often each interval holds the truth."""
    entries = {
        name: {
            "about": one.about,
            "truth": one.truth,
            "groups": {str(count): classifier_coverage(one, count, repetitions) for count in DIAGNOSIS_GROUPS},
        }
        for name, one in CLASSIFIERS.items()
    }
    lowest = min(ways["ours"]["share"] for entry in entries.values() for ways in entry["groups"].values())
    return {"repetitions": repetitions, "most_images": MOST_IMAGES, "ours_lowest": lowest, "populations": entries}


def classifier_coverage(one: Classifier, count: int, repetitions: int) -> dict[str, Any]:
    """Return for each kind of interval how often it held the truth, lay below or above it, and how wide it was."""
    random = np.random.default_rng(count)
    ends: dict[str, list[tuple[float, float]]] = {}
    for number in range(repetitions):
        study = one.draw(count, random)
        mine = one.interval(study, number)
        none = mine.low is None or mine.high is None
        ends.setdefault("ours", []).append((np.nan, np.nan) if none else (mine.low, mine.high))  # type: ignore[arg-type]
        if one.resampled:
            times = random.multinomial(count, np.full(count, 1 / count), RESAMPLES)[:, study.place].astype(float)
            found = one.resampled(study, times)
            ends.setdefault("groups", []).append(middle(found[~np.isnan(found)]))
    return {name: counted(np.array(found), one.truth) for name, found in ends.items()}


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
    text.append(f"{result['diagnosis']['repetitions']} repetitions each: figures of a classifier")
    for name, entry in result["diagnosis"]["populations"].items():
        for count, ways in entry["groups"].items():
            text.append(
                f"{name}, {count} groups: " + ", ".join(f"{way} {one['share']:.3f}" for way, one in ways.items())
            )
    return [*text, f"{result['seconds']:.0f} s"]


if __name__ == "__main__":
    main()
