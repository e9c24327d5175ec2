"""Two evaluated runs, case by case: every measure in both, the paired difference, and the cases that changed most."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from statistics import fmean
from typing import Any

from monai_tumor.comparison.evaluations import EvaluatedRun
from monai_tumor.errors import WrongCallError, unknown_name
from monai_tumor.metrics.comparison import compare_runs
from monai_tumor.metrics.measures import (
    ALL_CASE_MEASURES,
    FURTHER_LESION_MEASURES,
    LESION_MEASURES,
    Measure,
    ScoredCase,
)

Pair = tuple[EvaluatedRun, EvaluatedRun]

# Named before anything is looked at, so that its p value needs no correction.
PRIMARY = LESION_MEASURES[0]
LESION, LESION_FREE, ALL = "lesion", "lesion-free", "all"
_FALSE_POSITIVE_AREA = Measure(
    "false_positive_area_px", "false-positive area in pixels", attrgetter("overlap.false_positive_area"), math.inf
)
# Which cases a measure is about, and the measures.
PAIRED_MEASURES = {
    LESION: LESION_MEASURES + FURTHER_LESION_MEASURES,
    LESION_FREE: (_FALSE_POSITIVE_AREA,),
    ALL: ALL_CASE_MEASURES,
}
_MOST_CHANGED = 10
_IDENTITY = ("part", "weights_sha256", "threshold", "smallest_area", "chosen_on", "tta", "data_fingerprint")


def measures_called(names: Sequence[str]) -> list[tuple[str, Measure]]:
    """Return which cases each measure is about, and the measure, in the order of ``PAIRED_MEASURES``.

    Args:
        names: Names of measures; ``all`` stands for all of them.

    Raises:
        WrongCallError: There is no measure of that name, or none was named.
    """
    known = [(kind, one) for kind, measures in PAIRED_MEASURES.items() for one in measures]
    choices = ["all", *(one.name for _, one in known)]
    if not names:
        raise WrongCallError(f"no measure was named; known: {', '.join(choices)}")
    for name in names:
        if name not in choices:
            raise unknown_name("measure", name, choices)
    return [(kind, one) for kind, one in known if "all" in names or one.name in names]


def compare_evaluated(pair: Pair, names: Sequence[str] = ("all",), seed: int = 0) -> dict[str, Any]:
    """Compare two runs on the same cases.

    Args:
        pair: What ``paired_evaluations`` returns.
        names: Names of measures, or ``all``.
        seed: Seed of intervals and tests.

    Returns:
        JSON-able: ``first`` and ``second`` (folder and identity of the evaluations), ``dataset``, ``split``, ``seed``,
        ``cases``, ``groups``, ``primary``; ``measures``: name to ``label``, ``cases`` (which ones), the means ``first`` and
        ``second`` over cases with a value in both, ``difference`` (second - first, what ``Interval.plain`` returns) and
        ``permutation``; ``missed`` and ``with_false_positive``: counts in ``first_only``, ``second_only``, ``both``, ``of``;
        ``changed``: cases whose Dice changed, the largest change first.

    Raises:
        WrongCallError: There is no measure of that name.
    """
    chosen = measures_called(names)
    cases = pair[0].cases.values()
    return {
        "first": _described(pair[0]),
        "second": _described(pair[1]),
        **{name: pair[0].metrics[name] for name in ("dataset", "split")},
        "seed": seed,
        "cases": len(cases),
        "groups": len({case.group for case in cases}),
        "primary": PRIMARY.name,
        "measures": {one.name: _measured(pair, kind, one, seed) for kind, one in chosen},
        "missed": _counted(pair, LESION, lambda case: case.overlap.is_missed),
        "with_false_positive": _counted(pair, LESION_FREE, lambda case: case.overlap.false_positive > 0),
        "changed": list(_changed(pair, seed)),
    }


def _described(run: EvaluatedRun) -> dict[str, Any]:
    return {"folder": str(run.folder), **{name: run.metrics.get(name) for name in _IDENTITY}}


def _measured(pair: Pair, kind: str, one: Measure, seed: int) -> dict[str, Any]:
    first, second = values = [_values(run, kind, one) for run in pair]
    both = [name for name in first if not math.isnan(first[name]) and not math.isnan(second[name])]
    means = [fmean(run[name] for name in both) if both else None for run in values]
    found = compare_runs(first, second, _groups(pair), seed, one.largest - one.smallest, most=0).plain()
    del found["changed"]
    return {"label": one.label, "cases": kind, "first": means[0], "second": means[1], **found}


def _changed(pair: Pair, seed: int) -> Iterator[dict[str, Any]]:
    first, second = (_values(run, LESION, PRIMARY) for run in pair)
    for case in compare_runs(first, second, _groups(pair), seed, most=_MOST_CHANGED).changed:
        if case.difference:
            yield case.plain()


def _counted(pair: Pair, kind: str, is_so: Callable[[ScoredCase], bool]) -> dict[str, int]:
    first, second = ({case.id for case in _cases(run, kind) if is_so(case)} for run in pair)
    return {
        "first_only": len(first - second),
        "second_only": len(second - first),
        "both": len(first & second),
        "of": len(_cases(pair[0], kind)),
    }


def _values(run: EvaluatedRun, kind: str, one: Measure) -> dict[str, float]:
    return {case.id: float(one.of(case)) for case in _cases(run, kind)}


def _cases(run: EvaluatedRun, kind: str) -> list[ScoredCase]:
    return [case for case in run.cases.values() if kind in (ALL, _kind(case))]


def _kind(case: ScoredCase) -> str:
    return LESION if case.overlap.has_reference_lesion else LESION_FREE


def _groups(pair: Pair) -> dict[str, str]:
    return {name: case.group for name, case in pair[0].cases.items()}
