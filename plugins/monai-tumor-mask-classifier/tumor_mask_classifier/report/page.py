"""The report of the evaluation of a classifier: one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from monai_tumor.reporting.frame import charts_of, fill_frame
from monai_tumor.reporting.headline import heading, policy, warnings
from monai_tumor.reporting.learning import loss_chart, validation_chart
from monai_tumor.reporting.markup import folded, paragraph
from monai_tumor.reporting.provenance import citation, provenance, words_of
from tumor_mask_classifier.report.content import DiagnosisContent
from tumor_mask_classifier.report.curves import calibration_chart, decision_chart, roc_chart
from tumor_mask_classifier.report.gallery import DiagnosisGallery
from tumor_mask_classifier.report.headline import diagnosis_headline, diagnosis_warnings, point_words
from tumor_mask_classifier.report.tables import (
    against_table,
    all_cases,
    answers_table,
    before_table,
    class_table,
    confusion_table,
    decision_table,
    listed,
)

_REFERRED = (
    "A case has an answer where one class is left possible; it is referred to a human where none or several are. A group "
    "is covered where the class of its cases is left possible for all of them."
)


def build_diagnosis_report(content: DiagnosisContent) -> str:
    """Return the report as HTML. Pictures that cannot be loaded are said to be missing."""
    metrics, record = content.metrics, content.record
    gallery = DiagnosisGallery(content)
    cases = gallery.sections()  # before the definitions, which hold what these asked for
    charts = [draw(content) for draw in (roc_chart, calibration_chart, decision_chart)]
    learning = [loss_chart(record), validation_chart(record)]
    sections = [
        ("summary", "Summary", _summary(content)),
        ("charts", "Charts", charts_of([*charts, *learning]) + decision_table(metrics["decision_curve"])),
        ("answers", "An answer, or none", _answers(content)),
        ("out-of-place", "Out of place", listed((metrics.get("out_of_place") or {}).get("text", []))),
        ("cases", "Cases", cases + all_cases(content)),
        ("provenance", "Provenance", provenance(metrics, record, _model_facts(content))),
        ("citing", "How to cite", citation(metrics)),
    ]
    return fill_frame(
        heading(metrics, record),
        f"{warnings(metrics, record, diagnosis_warnings(content))}\n{diagnosis_headline(content)}{policy(metrics)}",
        sections,
        gallery.definitions(),
        style=files("tumor_mask_classifier.report").joinpath("report.css").read_text(encoding="utf-8"),
    )


def _summary(content: DiagnosisContent) -> str:
    metrics = content.metrics
    tables = confusion_table(metrics) + against_table(content) + before_table(content) + class_table(metrics)
    return tables + folded("All figures in words", listed(metrics["text"]))


def _answers(content: DiagnosisContent) -> str:
    answers = content.metrics.get("answers") or {}
    counted, lines = answers_table(answers), listed(answers.get("text", []))
    return paragraph(_REFERRED) + counted + folded("All of it in words", lines) if counted else lines


def _model_facts(content: DiagnosisContent) -> Iterator[tuple[str, str]]:
    metrics, point = content.metrics, content.metrics.get("point")
    yield "Classes", words_of(metrics["classes"])
    yield "Must not be missed", content.positive
    yield "Masks", words_of(metrics.get("mask_source")).replace("_", "-")
    yield "Cut to the lesion, context", words_of(metrics.get("crop"))
    if point:
        yield "Operating point", metrics.get("operating_point") or point_words(point)
    else:
        yield "Temperature", words_of(metrics["temperature"])
        yield "Operating point", "none was frozen: the likeliest class is called"
