"""The check of a data set: look at every case, judge by all rules, say what a random split would leak."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from monai_tumor import __version__
from monai_tumor.audit.closer_look import CloserLooks
from monai_tumor.audit.division import divide_surveyed
from monai_tumor.audit.evidence import Evidence
from monai_tumor.audit.findings import Example, Finding, by_severity
from monai_tumor.audit.leak import RandomLeak, leak_of, random_split_leak
from monai_tumor.audit.relations import LEAST_MASK_DICE, clusters_of, find_relations
from monai_tumor.audit.rules import RULES
from monai_tumor.audit.survey import take_survey
from monai_tumor.datasets import RegisteredDataset
from monai_tumor.datasets.base import PublishedFolds, Remark
from monai_tumor.duplicates.same_frame import LEAST_AGREEMENT
from monai_tumor.duplicates.search import Watch, unwatched
from monai_tumor.errors import ToolkitError
from monai_tumor.imaging.marks import LEAST_SCORE
from monai_tumor.splits.split import QUARANTINE, data_fingerprint
from monai_tumor.wording import count_of

VERSION = 1
THRESHOLDS: Mapping[str, float] = {
    "least_agreement_of_one_frame": LEAST_AGREEMENT,
    "least_mask_dice_without_contradiction": LEAST_MASK_DICE,
    "least_score_of_marks": LEAST_SCORE,
}


@dataclass(frozen=True)
class Audit:
    """What a check found.

    Attributes:
        dataset: Name of the data set.
        folder: Name of its folder, without those above it; empty for a data set without files.
        counts: What was counted.
        fingerprint: Digest of the content of all cases that could be read.
        findings: Errors first.
        leak: What random splits leak; None where nothing could be read.
        own_leak: What the split of this program leaks and how it divides, or why it cannot divide.
        evidence: What the findings rest on.
    """

    dataset: str
    folder: str
    counts: Mapping[str, int]
    fingerprint: str
    findings: tuple[Finding, ...]
    leak: RandomLeak | None
    own_leak: Mapping[str, Any]
    evidence: Evidence

    @property
    def exit_code(self) -> int:
        """1 if something would make results wrong, else 0."""
        return 1 if self.errors else 0

    @property
    def errors(self) -> list[Finding]:
        """The findings that would make results wrong."""
        return [finding for finding in self.findings if finding.severity == "error"]

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        count = len(self.errors)
        if count:
            return f"{count_of(count, 'thing', 'things')} would make results wrong."
        leaks = self.leak is not None and any(leak.images for leak in self.leak.counts)
        proviso = ", if patients and copies stay on one side of a split" if leaks else ""
        return f"Nothing was found that would make results wrong{proviso}."

    def content(self) -> dict[str, Any]:
        """Return everything as JSON-able values."""
        return {
            "version": VERSION,
            "program": __version__,
            "dataset": self.dataset,
            "folder": self.folder,
            "verdict": self.verdict,
            "counts": dict(self.counts),
            "fingerprint": self.fingerprint,
            "leak": {"random": self.leak.content() if self.leak else None, "own": dict(self.own_leak)},
            "findings": [finding.content() for finding in self.findings],
            "thresholds": dict(THRESHOLDS),
            "text_read": self.evidence.texts_read,
        }


def check(
    dataset: RegisteredDataset,
    root: str | os.PathLike[str] | None,
    read_texts: bool = True,
    watch: Watch = unwatched,
) -> Audit:
    """Check a data set. Cases that cannot be read are findings, and everything else is checked all the same.

    Args:
        dataset: The data set.
        root: Its folder; None for one without files.
        read_texts: Read what is written in the pictures, if the optional library is there.
        watch: Shows the progress.

    Raises:
        WrongCallError: No folder was given.
        WrongDataError: The folder is not one of the data set.
    """
    evidence = _gather(dataset, root, read_texts, watch)
    own_leak = _own_leak(evidence)
    findings = by_severity([*(finding for rule in RULES for finding in rule(evidence)), *_too_few(own_leak)])
    digests = {facts.case.id: facts.digest for facts in evidence.facts}
    readable = [facts.case for facts in evidence.facts]
    return Audit(
        dataset=dataset.name,
        folder=Path(root).absolute().name if root is not None else "",
        counts=_counts(evidence),
        fingerprint=data_fingerprint(digests),
        findings=findings,
        leak=random_split_leak(readable, evidence.cluster_of) if readable else None,
        own_leak=own_leak,
        evidence=evidence,
    )


def _gather(
    dataset: RegisteredDataset, root: str | os.PathLike[str] | None, read_texts: bool, watch: Watch
) -> Evidence:
    cases = dataset.cases(root)
    looks = CloserLooks(dataset, read_texts)
    survey = take_survey(dataset, cases, looks, watch)
    survey = replace(survey, unreadable={name: _below(root, text) for name, text in survey.unreadable.items()})
    relations = find_relations(survey, watch)
    remarks, published = _said_by(dataset, root)
    return Evidence(
        cases, survey, looks.found, relations, clusters_of(cases, relations), remarks, published, looks.texts_read
    )


def _said_by(
    dataset: RegisteredDataset, root: str | os.PathLike[str] | None
) -> tuple[list[Remark], Sequence[PublishedFolds]]:
    """Return remarks and folds of the data set; what keeps it from saying them is a remark itself."""
    if root is None:
        return [], ()
    remarks: list[Remark] = []
    published: Sequence[PublishedFolds] = ()
    try:
        remarks += dataset.remarks(root)
        published = dataset.published_folds(root)
    except ToolkitError as error:
        remarks.append(Remark(_below(root, str(error))))
    return remarks, published


def _below(root: str | os.PathLike[str] | None, text: str) -> str:
    """Return a message with paths as they are below the folder: a report is passed on, and the rest is nobody's business."""
    return text if root is None else text.replace(f"{Path(root)}{os.sep}", "")


def _counts(evidence: Evidence) -> dict[str, int]:
    lesions = [facts.lesion for facts in evidence.facts]
    return {
        "images": len(evidence.cases),
        "unreadable": len(evidence.survey.unreadable),
        "groups": len({case.group for case in evidence.cases}),
        "clusters": len(set(evidence.cluster_of.values())),
        "with_lesion": lesions.count(True),
        "lesion_free": lesions.count(False),
        "no_reference": lesions.count(None),
    }


def _too_few(own_leak: Mapping[str, Any]) -> Iterator[Finding]:
    if not own_leak["possible"]:
        yield Finding(
            "cannot_be_divided",
            "warning",
            "Too few patients or frames to train and to test on",
            "What was learnt can be tested only on patients and frames that were not learnt from.",
            "Add data, or use these cases only to test a network that was trained on others.",
            1,
            (Example((), own_leak["reason"]),),
            "reason",
        )


def _own_leak(evidence: Evidence) -> dict[str, Any]:
    """Divide as ``monai-tumor data split`` does by default, and count what that leaks."""
    try:
        split = divide_surveyed(evidence.survey, evidence.relations)
    except ToolkitError as error:
        return {"possible": False, "reason": str(error)}
    parts = {name: str(entry.part) for name, entry in split.cases.items() if entry.part != QUARANTINE}
    count = leak_of(parts, {name: split.cases[name].cluster for name in parts})
    return {
        "possible": True,
        "rule": split.rule,
        "images": count.images,
        "held_out": count.held_out,
        "of_held_out": count.of_held_out,
        "quarantine": len(split.cases) - len(parts),
    }
