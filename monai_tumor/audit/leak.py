"""What a random split would leak: how many images it parts from their twins."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from monai_tumor.cases import Case, natural_key

SEEDS = range(100)
RULE = (
    "image by image, whoever the patient is: case ids in natural order, shuffled by Python's random.Random(seed); "
    "the first 70 % are training, the next 20 % validation, the rest test"
)

_SHARES = (("training", 0.7), ("validation", 0.2))
_REST = "test"


@dataclass(frozen=True, slots=True)
class LeakCount:
    """Images that a split parts from a picture of the same patient or frame.

    Attributes:
        images: Images with such a picture on the other side of the border between training and the other two parts.
        held_out: Those of them that are in validation or test: learnt before they are tested.
        of_held_out: All images in validation and test.
    """

    images: int
    held_out: int
    of_held_out: int


@dataclass(frozen=True, slots=True)
class RandomLeak:
    """What random splits leak.

    Attributes:
        total: Number of images that were divided.
        counts: The count of each seed, in the order of the seeds.
    """

    total: int
    counts: tuple[LeakCount, ...]

    def content(self) -> dict[str, Any]:
        """Return the first seed's count, and mean and range over all seeds, as JSON-able values."""
        return {
            "rule": RULE,
            "total": self.total,
            "seeds": len(self.counts),
            "first_seed": self._figures(0),
            "images": self._spread([count.images for count in self.counts], self.total),
            "held_out": self._spread([count.held_out for count in self.counts], self.counts[0].of_held_out),
        }

    def _figures(self, place: int) -> dict[str, Any]:
        count = self.counts[place]
        return {
            "images": count.images,
            "images_percent": _percent(count.images, self.total),
            "held_out": count.held_out,
            "of_held_out": count.of_held_out,
            "held_out_percent": _percent(count.held_out, count.of_held_out),
        }

    @staticmethod
    def _spread(counts: Sequence[int], total: int) -> dict[str, Any]:
        figures = {"mean": round(mean(counts), 1), "least": min(counts), "most": max(counts)}
        return {**figures, **{f"{name}_percent": _percent(value, total) for name, value in figures.items()}}


def random_split_leak(cases: Sequence[Case], cluster_of: Mapping[str, str], seeds: Sequence[int] = SEEDS) -> RandomLeak:
    """Count what random splits leak that divide images one by one, as ``RULE`` says.

    Args:
        cases: The cases, one at least.
        cluster_of: Group to its cluster, from ``clusters_of``.
        seeds: One split a seed.
    """
    clusters = {case.id: cluster_of[case.group] for case in cases}
    return RandomLeak(len(cases), tuple(leak_of(random_parts(list(clusters), seed), clusters) for seed in seeds))


def random_parts(ids: Sequence[str], seed: int) -> dict[str, str]:
    """Return case id to its part, divided as ``RULE`` says."""
    order = sorted(ids, key=natural_key)
    random.Random(seed).shuffle(order)
    parts = [name for name, share in _SHARES for _ in range(round(share * len(order)))]
    parts += [_REST] * (len(order) - len(parts))
    return dict(zip(order, parts, strict=False))


def leak_of(parts: Mapping[str, str], clusters: Mapping[str, str]) -> LeakCount:
    """Count the images whose cluster is on both sides of the border of training.

    Args:
        parts: Case id to its part; what is no case of ``parts`` is on no side.
        clusters: Case id to its cluster.
    """
    training = {clusters[name] for name, part in parts.items() if part == _SHARES[0][0]}
    held_out = [clusters[name] for name, part in parts.items() if part != _SHARES[0][0]]
    divided = training & set(held_out)
    leaked = sum(clusters[name] in divided for name in parts)
    return LeakCount(leaked, sum(cluster in divided for cluster in held_out), len(held_out))


def _percent(count: float, total: int) -> float:
    return round(100 * count / total, 1) if total else 0.0
