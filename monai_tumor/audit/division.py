"""A split that respects what was found out about the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from monai_tumor.audit.relations import Relation, clusters_of, contradictions, find_relations
from monai_tumor.audit.survey import Survey, take_survey
from monai_tumor.cases import Case
from monai_tumor.datasets import RegisteredDataset
from monai_tumor.datasets.base import PublishedFolds
from monai_tumor.errors import WrongCallError
from monai_tumor.splits.split import (
    FRACTIONS,
    PARTS,
    QUARANTINE,
    Split,
    SplitEntry,
    check_fold_count,
    make_folds,
    make_split,
    published_split,
)

CONTRADICTORY = ("quarantine", "drop", "keep")
"""What may be done with cases that contradict each other: a part of their own, left out, or divided like all others."""


def divide(
    dataset: RegisteredDataset,
    cases: Sequence[Case],
    seed: int = 0,
    fractions: Mapping[str, float] = FRACTIONS,
    folds: int | None = None,
    published: Sequence[PublishedFolds] = (),
    contradictory: str = "quarantine",
) -> Split:
    """Look at every case, find near duplicates, and divide by the clusters that they make.

    Args:
        dataset: The data set.
        cases: Its cases.
        seed: Seed of the division.
        fractions: Part name to its share of the cases.
        folds: Make so many folds instead.
        published: Folds of the makers of the set; used where they are as many as ``folds``.
        contradictory: One of ``CONTRADICTORY``: what to do with cases of one frame that are said to be different things.

    Raises:
        WrongCallError: A value that is not possible.
        WrongDataError: Files that cannot be read, or too few clusters.
    """
    _refuse_unknown(contradictory)
    if folds is not None:
        check_fold_count(folds)  # before every file is read
    survey = take_survey(dataset, cases).complete()
    place = partial(make_split, seed=seed, fractions=fractions) if folds is None else _folds(folds, seed, published)
    return divide_surveyed(survey, find_relations(survey), place, contradictory)


def divide_surveyed(
    survey: Survey,
    relations: Sequence[Relation],
    place: Callable[..., Split] = make_split,
    contradictory: str = "quarantine",
) -> Split:
    """Divide the cases of a survey that could be read, of which it is known which ones show one frame.

    Args:
        survey: The data set as it was seen.
        relations: The pairs of one frame, from ``find_relations``.
        place: Makes the split of name, entries and ``dropped``, such as ``make_split`` with its other arguments bound.
        contradictory: As for ``divide``, and so are the errors.
    """
    _refuse_unknown(contradictory)
    reasons = {} if contradictory == "keep" else contradictions(relations)
    dropped = reasons if contradictory == "drop" else {}
    entries = {name: entry for name, entry in _entries(survey, relations, reasons).items() if name not in dropped}
    return place(survey.dataset.name, entries, dropped=dropped)


def _folds(count: int, seed: int, published: Sequence[PublishedFolds]) -> Callable[..., Split]:
    """Return what makes so many folds: those of the makers where they published as many."""
    for official in published:
        if count == len(set(official.fold_of.values())):
            source = f"{official.file}, sha256 {official.sha256}"
            return partial(published_split, fold_of=official.fold_of, source=source)
    return partial(make_folds, seed=seed, count=count)


def _refuse_unknown(contradictory: str) -> None:
    if contradictory not in CONTRADICTORY:
        raise WrongCallError(f"contradictory cases cannot be {contradictory!r}; give one of {', '.join(CONTRADICTORY)}")


def _entries(survey: Survey, relations: Sequence[Relation], reasons: Mapping[str, str]) -> dict[str, SplitEntry]:
    cluster_of = clusters_of((facts.case for facts in survey.facts), relations)
    return {
        facts.case.id: SplitEntry(
            group=facts.case.group,
            cluster=cluster_of[facts.case.group],
            part=QUARANTINE if facts.case.id in reasons else PARTS[0],
            label=facts.case.label,
            lesion=facts.lesion,
            digest=facts.digest,
            pixels="" if facts.fingerprint.blank else facts.fingerprint.digest,
            hash="" if facts.fingerprint.blank else facts.fingerprint.hash.tobytes().hex(),
            reason=reasons.get(facts.case.id, ""),
        )
        for facts in survey.facts
    }
