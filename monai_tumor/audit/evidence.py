"""Everything that rules judge by: gathered once, then only read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from monai_tumor.audit.closer_look import CloserLook
from monai_tumor.audit.relations import Relation
from monai_tumor.audit.survey import CaseFacts, Survey
from monai_tumor.cases import Case
from monai_tumor.datasets.base import PublishedFolds, Remark


@dataclass(frozen=True)
class Evidence:
    """A data set and what was seen of it.

    Attributes:
        cases: All cases, also those that cannot be read.
        survey: What was seen of each picture.
        looks: Case id to what a closer look saw, for the cases that can be read.
        relations: The pairs that show one frame.
        cluster_of: Group to its cluster.
        remarks: What the data set itself says of its files.
        published: Folds of the makers of the set.
        texts_read: Whether there was a reader for burned-in text.
    """

    cases: Sequence[Case]
    survey: Survey
    looks: Mapping[str, CloserLook]
    relations: Sequence[Relation]
    cluster_of: Mapping[str, str]
    remarks: Sequence[Remark]
    published: Sequence[PublishedFolds]
    texts_read: bool

    @property
    def facts(self) -> tuple[CaseFacts, ...]:
        """The facts of each case that could be read."""
        return self.survey.facts

    @cached_property
    def facts_of(self) -> dict[str, CaseFacts]:
        """Case id to its facts."""
        return {facts.case.id: facts for facts in self.facts}

    @cached_property
    def seen(self) -> list[tuple[CaseFacts, CloserLook]]:
        """Facts and closer look of each case that could be read."""
        return [(facts, self.looks[facts.case.id]) for facts in self.facts]
