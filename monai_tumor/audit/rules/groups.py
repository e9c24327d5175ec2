"""Patients and labels, and what the data set says of itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from statistics import median

from monai_tumor.audit.evidence import Evidence
from monai_tumor.audit.findings import Example, Finding
from monai_tumor.wording import count_of

_LISTED = 5
_FEWEST_GROUPS = 10  # below that many no interval can be given, see metrics.summary


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Yield the remarks of the data set, then what groups, labels and published folds there are."""
    yield from _remarks(evidence)
    yield from _no_patients(evidence)
    yield _groups(evidence)
    yield from _labels(evidence)
    yield from _labels_in_groups(evidence)
    yield from _folds(evidence)


def _remarks(evidence: Evidence) -> Iterator[Finding]:
    without_reference = {case.id for case in evidence.cases if case.masks is None}
    told = [remark for remark in evidence.remarks if remark.case not in without_reference]  # the rest stands there
    if told:
        examples = tuple(Example((remark.case,) if remark.case else (), remark.text) for remark in told)
        yield Finding(
            "remarks",
            "warning",
            "Known of this data set",
            "What the plug-in of the data set found in tables and annotations, and no picture shows.",
            "Read each once.",
            len(told),
            examples,
            "remarks",
        )


def _no_patients(evidence: Evidence) -> Iterator[Finding]:
    """A case whose group is its own name is one of which no file names the patient."""
    found = [case for case in evidence.cases if case.group == case.id]
    images = count_of(len(evidence.cases), "image is", "images are")
    if found:
        yield Finding(
            "no_patients",
            "warning",
            "No file says which patient a picture is of",
            "Other views of one lesion stay unseen, so figures may be too good even without a copy on both sides.",
            "If you know the patients, write a cases.csv with a column group. Pictures of one frame are kept together.",
            len(found),
            (Example((), f"{len(found)} of {images} a group of their own"),),
        )


def _groups(evidence: Evidence) -> Finding:
    sizes = Counter(case.group for case in evidence.cases)
    clusters = len(set(evidence.cluster_of.values()))
    counts = f"{count_of(len(sizes), 'group', 'groups')}; {count_of(clusters, 'cluster', 'clusters')}"
    joined = Example((), f"{counts} after groups that share a frame are joined")
    with_lesion = Counter(facts.case.group for facts in evidence.facts if facts.lesion)
    several = [name for name, size in sizes.most_common() if size > 1]
    largest = (Example((), f"{name}: {sizes[name]} images") for name in several[:_LISTED])
    rarest = sorted(several, key=lambda name: with_lesion[name] / sizes[name])[:_LISTED]
    fewest = (Example((), f"{name}: a lesion in {with_lesion[name]} of {sizes[name]}") for name in rarest)
    span = f"{min(sizes.values())} to {max(sizes.values())} images a group, the middle one {median(sizes.values()):g}"
    few = [Example((), "fewer than 10 groups with a lesion: figures come without an interval")]
    return Finding(
        "groups",
        "note",
        "Groups (patients)",
        "Images of one patient are alike; the number of patients decides how sure a figure is, not that of images.",
        "Nothing: groups are never divided.",
        len(sizes),
        (joined, Example((), span), *(few if len(with_lesion) < _FEWEST_GROUPS else []), *largest, *fewest),
        "groups",
    )


def _labels(evidence: Evidence) -> Iterator[Finding]:
    labels = Counter(case.label for case in evidence.cases)
    if set(labels) <= {None}:
        return
    meanings = evidence.survey.dataset.labels
    examples = [
        Example((), f"{label or 'no label'}: {count_of(count, 'image', 'images')}{_meaning(meanings.get(label or ''))}")
        for label, count in labels.most_common()
    ]
    yield Finding(
        "labels",
        "note",
        "Labels",
        "A classifier that always says the most frequent one is right as often as its share.",
        "Nothing: splits are balanced by label.",
        len(set(labels) - {None}),
        tuple(examples),
        "labels",
    )


def _meaning(meaning: str | None) -> str:
    return f" ({meaning})" if meaning else ""


def _labels_in_groups(evidence: Evidence) -> Iterator[Finding]:
    labels_of: dict[str, dict[str, str]] = {}
    for case in evidence.cases:
        if case.label is not None:
            labels_of.setdefault(case.group, {})[case.id] = case.label
    mixed = {group: labels for group, labels in labels_of.items() if len(set(labels.values())) > 1}
    examples = tuple(
        Example(tuple(labels), f"{group}: {', '.join(dict.fromkeys(labels.values()))}")
        for group, labels in mixed.items()
    )
    if examples:
        yield Finding(
            "labels_in_group",
            "note",
            "Patients with more than one label",
            "Right where a patient has several lesions; where the label is the patient's, one of them is wrong.",
            "Look at each.",
            len(examples),
            examples,
            "groups",
        )


def _folds(evidence: Evidence) -> Iterator[Finding]:
    examples = tuple(
        Example((), f"{folds.file}: {len(set(folds.fold_of.values()))} folds (sha256 {folds.sha256[:12]}...)")
        for folds in evidence.published
    )
    if examples:
        yield Finding(
            "published_folds",
            "note",
            "Published folds",
            "Results on them can be compared with those of others.",
            "monai-tumor data split uses them with --folds and their number.",
            len(examples),
            examples,
            "files",
        )
