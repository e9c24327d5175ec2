"""The report of an evaluation: one HTML file that needs nothing else."""

from __future__ import annotations

from monai_tumor.reporting.all_cases import all_cases_table
from monai_tumor.reporting.charts import distance_chart, share_chart, size_chart
from monai_tumor.reporting.claim import claim_checklist
from monai_tumor.reporting.content import ReportContent
from monai_tumor.reporting.curves import (
    precision_recall_chart,
    referral_chart,
    reliability_chart,
    threshold_chart,
)
from monai_tumor.reporting.frame import charts_of, fill_frame
from monai_tumor.reporting.gallery import Gallery
from monai_tumor.reporting.headline import heading, headline, policy, warnings
from monai_tumor.reporting.learning import loss_chart, validation_chart
from monai_tumor.reporting.names import this_part
from monai_tumor.reporting.provenance import citation, model_facts, provenance
from monai_tumor.reporting.tables import beside_table, subgroup_tables, summary_table

_CHARTS = (
    share_chart,
    distance_chart,
    size_chart,
    precision_recall_chart,
    threshold_chart,
    reliability_chart,
    referral_chart,
)


def build_report(content: ReportContent) -> str:
    """Return the report as HTML. Pictures that cannot be loaded are said to be missing."""
    metrics, record = content.metrics, content.record
    gallery = Gallery(content)
    cases = gallery.sections()  # before the definitions, which hold what these asked for
    charts = [*(draw(content) for draw in _CHARTS), loss_chart(record), validation_chart(record)]
    sections = [
        ("summary", "Summary", summary_table(metrics) + beside_table(content, this_part(metrics))),
        ("charts", "Charts", charts_of(charts)),
        ("subgroups", "Subgroups", subgroup_tables(metrics)),
        ("cases", "Cases", (_KEY + cases if cases else "") + all_cases_table(content)),
        ("provenance", "Provenance", provenance(metrics, record, model_facts(metrics))),
        ("citing", "How to cite", citation(metrics)),
        ("claim", "Reporting checklist", claim_checklist(content)),
    ]
    return fill_frame(
        heading(metrics, record),
        f"{warnings(metrics, record)}\n{headline(content)}{policy(metrics)}",
        sections,
        gallery.definitions(),
        further=", the masks in predictions/",
    )


_KEY = (
    '<p class="key"><label class="switch"><input type="checkbox" id="outlines" checked> show outlines</label>'
    '<b><span class="of-reference"></span>reference (solid)</b> '
    '<b><span class="of-prediction"></span>prediction (dashed)</b></p>'
)
