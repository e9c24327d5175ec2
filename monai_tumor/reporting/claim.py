"""What a run can answer of CLAIM, the checklist for artificial intelligence in medical imaging; the rest is the authors'.

The numbers are those of its 2024 update; the words are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monai_tumor.reporting.content import ReportContent
from monai_tumor.reporting.markup import folded, paragraph, percent_of, table
from monai_tumor.reporting.names import this_part
from monai_tumor.reporting.provenance import NOT_RECORDED, operating_point_words, words_of

AUTHORS = "The authors have to say this."
REFERENCE = (
    "Tejani et al., Checklist for Artificial Intelligence in Medical Imaging (CLAIM): 2024 Update, "
    "Radiology: Artificial Intelligence 6 (2024) e240300"
)

# What no run can know.
_OTHERS = {
    1: "title and abstract name the kind of AI",
    2: "summary",
    3: "background, intended use",
    4: "aims and hypotheses",
    5: "prospective or retrospective",
    6: "goal of the study",
    8: "inclusion and exclusion criteria",
    11: "de-identification",
    13: "image acquisition",
    14: "how the reference standard was obtained",
    15: "why this reference standard",
    16: "who annotated",
    17: "how the test set was annotated",
    18: "variability between and within raters",
    21: "intended sample size",
    31: "explainability",
    34: "trial registration",
    36: "demographic and clinical characteristics",
    40: "limitations",
    41: "implications for practice",
    42: "protocol",
    44: "funding",
}

Answer = tuple[int, str, str]


def claim_checklist(content: ReportContent) -> str:
    """Return the items with what the run answers, then those that it cannot."""
    rows = [(f"{item}. {name}", answer) for item, name, answer in sorted(_answers(content))]
    others = "; ".join(f"{item} {name}" for item, name in _OTHERS.items())
    words = f"Item numbers as in {REFERENCE}. The run cannot know the following: {others}. {AUTHORS}"
    answered = table("CLAIM, 2024 update", ("Item", "Answer"), [("", rows)])
    return folded("What this run answers of CLAIM", f'<div class="prose">{answered}</div>{paragraph(words)}')


def _answers(content: ReportContent) -> Iterator[Answer]:
    yield from _about_data(content)
    yield from _about_model(content)
    yield from _about_results(content)


def _about_data(content: ReportContent) -> Iterator[Answer]:
    data = content.record.get("data") or {}
    metrics = content.metrics
    trained, tested = data.get("dataset", NOT_RECORDED), metrics["dataset"]
    yield 7, "Data sources", f"Trained on {trained}, evaluated on {tested}. Where these come from: {_lower(AUTHORS)}"
    yield 9, "Pre-processing", "configs/train.json of the run holds every transform with its parameters."
    yield (
        10,
        "Selection of subsets",
        f"{this_part(metrics)} of split {metrics['split'][:12]}; split.json lists every case.",
    )
    yield (
        12,
        "Missing data",
        "Cases without a reference are not scored; undefined figures are counted beside each mean.",
    )
    yield 19, "Assignment to partitions", f"{data.get('rule', NOT_RECORDED)}."
    yield 20, "Level at which partitions are disjoint", "The group (patient where known) and its near duplicates."
    yield (
        35,
        "Numbers included",
        f"{metrics['cases']} cases, {metrics['groups']} groups. Who was excluded before: {_lower(AUTHORS)}",
    )


def _about_model(content: ReportContent) -> Iterator[Answer]:
    metrics, record = content.metrics, content.record
    settings: dict[str, Any] = record.get("settings") or {}
    yield (
        22,
        "Model",
        f"Network {settings.get('network', NOT_RECORDED)}, {words_of(settings.get('parameters'))} parameters; configs/.",
    )
    yield 23, "Software", f"{words_of(metrics.get('versions') or {})}."
    yield (
        24,
        "Initial weights",
        f"Encoder weights: {words_of(settings.get('encoder_weights'))}; seed {words_of(record.get('seed'))}.",
    )
    yield 25, "Training", f"{words_of(settings)}; augmentation in configs/train.json."
    best, point = words_of(record.get("best_epoch")), operating_point_words(metrics)
    yield (
        26,
        "Selection of the final model",
        f"Best epoch on the validation part: {best}. Threshold and smallest area: {point}.",
    )
    yield 27, "Ensembles", f"Predictions of a case: {words_of(metrics.get('maps', 1))}."
    yield (
        43,
        "Availability",
        f"Weights sha256 {metrics['weights_sha256'][:12]}. Where they are to be had: {_lower(AUTHORS)}",
    )


def _about_results(content: ReportContent) -> Iterator[Answer]:
    metrics, sealed = content.metrics, content.metrics.get("sealed")
    lesion, free = metrics["lesion_cases"], metrics["lesion_free_cases"]
    yield 28, "Metrics", "The summary, with the policy for empty masks."
    yield 29, "Uncertainty", "95 % intervals, resampled by group; none below 10 groups."
    yield 30, "Robustness", "Subgroups, and Dice over thresholds. More than these: " + _lower(AUTHORS)
    internal = (
        f"This page: {this_part(metrics)}, {metrics['cases']} cases." if not sealed else ", ".join(content.beside)
    )
    yield 32, "Internal evaluation", internal or AUTHORS
    external = (
        f"This page: sealed test on {metrics['dataset']}, {sealed.get('date', NOT_RECORDED)}." if sealed else AUTHORS
    )
    yield 33, "External testing", external
    yield 37, "Performance and its uncertainty", f"Dice of lesion cases {lesion['dice']['text']}; the summary has all."
    missed, marked = percent_of(lesion["missed"], lesion["n"]), percent_of(free["with_false_positive"], free["n"])
    yield 38, "Diagnostic performance", f"Missed {missed} lesion cases; marked {marked} lesion-free cases."
    yield (
        39,
        "Failures",
        "Every missed case and the largest false positives are shown; why they failed: " + _lower(AUTHORS),
    )


def _lower(words: str) -> str:
    return words[0].lower() + words[1:]
