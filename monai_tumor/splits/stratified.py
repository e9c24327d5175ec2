"""Divide groups into parts or folds: no group is ever divided, every part gets its share of every stratum."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.wording import count_of

# Orders of the groups that are tried; the best balanced result wins. More than about 16 gain nothing visible.
_TRIES = 16

_Table = NDArray[np.float64]


def split_groups(groups: Sequence[str], strata: Sequence[str], fractions: Mapping[str, float], seed: int) -> list[str]:
    """Give every case a part so that no group is divided and strata and sizes are balanced.

    The result depends on the groups, strata, fractions and seed, not on the order in which the cases are listed.

    Args:
        groups: Group of each case.
        strata: What should be alike in all parts, for each case: for example its label.
        fractions: Part name to its share of the cases; shares are above 0 and add up to 1.
        seed: Chooses among equally good results.

    Returns:
        The part name of each case, in the order of ``groups``.

    Raises:
        WrongCallError: The fractions are not shares.
        WrongDataError: There are fewer groups than parts.
    """
    shares = np.array(list(fractions.values()), dtype=np.float64)
    if not (shares > 0).all() or not math.isclose(shares.sum(), 1, abs_tol=1e-6):
        raise WrongCallError(f"fractions {dict(fractions)} should be above 0 and add up to 1; give every part a share")
    names = list(fractions)
    return [names[place] for place in _places(groups, strata, shares, seed)]


def fold_groups(groups: Sequence[str], strata: Sequence[str], count: int, seed: int) -> list[int]:
    """Give every case one of ``count`` folds, counted from 0, under the rules of ``split_groups``.

    Raises:
        WrongCallError: ``count`` is below 2.
        WrongDataError: There are fewer groups than folds.
    """
    if count < 2:
        raise WrongCallError(f"{count_of(count, 'fold', 'folds')} cannot test one another; ask for 2 or more")
    return _places(groups, strata, np.full(count, 1 / count), seed)


def _places(groups: Sequence[str], strata: Sequence[str], shares: NDArray[np.float64], seed: int) -> list[int]:
    names = sorted(set(groups))
    if len(names) < len(shares):
        raise WrongDataError(
            f"{count_of(len(names), 'group', 'groups')} (patients or near-duplicate clusters) cannot fill {len(shares)} parts; "
            "add data or ask for fewer parts"
        )
    counts = _count_table(names, groups, strata)
    # The last column balances sizes: without it many small strata would all round in favour of one part.
    counts = np.column_stack([counts, counts.sum(axis=1)])
    targets = shares[:, None] * counts.sum(axis=0)
    tries = (_assign(counts, targets, _seeded_order(names, f"{seed}/{attempt}")) for attempt in range(_TRIES))
    best = min(tries, key=lambda places: _imbalance(counts, targets, places))
    place_of = dict(zip(names, best.tolist(), strict=True))
    return [place_of[group] for group in groups]


def _count_table(names: Sequence[str], groups: Sequence[str], strata: Sequence[str]) -> _Table:
    """Return how many cases each group (row) has in each stratum (column)."""
    row = {name: index for index, name in enumerate(names)}
    column = {name: index for index, name in enumerate(sorted(set(strata)))}
    table = np.zeros((len(row), len(column)))
    for group, stratum in zip(groups, strata, strict=True):
        table[row[group], column[stratum]] += 1
    return table


def _seeded_order(names: Sequence[str], seed: str) -> list[int]:
    """Return positions of ``names`` in an order that only the names and the seed decide, on every platform."""
    keys = [hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest() for name in names]
    return sorted(range(len(names)), key=keys.__getitem__)


def _assign(counts: _Table, targets: _Table, order: Sequence[int]) -> NDArray[np.int64]:
    """Put one group after the other into the part that is least full for what the group holds.

    The part is chosen by how full it would be with half an average group more (Sainte-Lague's rule, which gives every
    part its share). Half of the group itself would send every large group to the largest part, so that tests would
    see small groups only.
    """
    half = counts.sum(axis=0) / np.maximum((counts > 0).sum(axis=0), 1) / 2
    filled = np.zeros_like(targets)
    places = np.zeros(len(counts), dtype=np.int64)
    for group in order:
        fullness = ((filled + half) / targets) @ counts[group]
        places[group] = int(np.argmin(fullness.round(9)))  # rounded: equal parts stay equal on every processor
        filled[places[group]] += counts[group]
    return _fill_empty_parts(counts, places, len(targets))


def _fill_empty_parts(counts: _Table, places: NDArray[np.int64], parts: int) -> NDArray[np.int64]:
    """Give each empty part the smallest group of the part that has most groups."""
    for part in range(parts):
        if not (places == part).any():
            donors = np.flatnonzero(places == np.bincount(places).argmax())
            places[donors[np.argmin(counts[donors, -1])]] = part
    return places


def _imbalance(counts: _Table, targets: _Table, places: NDArray[np.int64]) -> float:
    filled = np.zeros_like(targets)
    np.add.at(filled, places, counts)
    return round(float((np.square(filled - targets) / targets).sum()), 9)
