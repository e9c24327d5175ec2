"""The report of an evaluation: one HTML file that needs nothing else."""

from __future__ import annotations

from importlib.resources import files
from string import Template

from monai_tumor.imaging.embedded import page_style
from monai_tumor.reporting.all_cases import all_cases_table
from monai_tumor.reporting.charts import distance_chart, share_chart, size_chart
from monai_tumor.reporting.claim import claim_checklist
from monai_tumor.reporting.content import ReportContent
from monai_tumor.reporting.curves import (
    loss_chart,
    precision_recall_chart,
    referral_chart,
    reliability_chart,
    threshold_chart,
    validation_chart,
)
from monai_tumor.reporting.gallery import Gallery
from monai_tumor.reporting.headline import heading, headline, policy, warnings
from monai_tumor.reporting.markup import section, text
from monai_tumor.reporting.names import this_part
from monai_tumor.reporting.provenance import citation, provenance
from monai_tumor.reporting.tables import beside_table, subgroup_tables, summary_table

_CHARTS = (
    share_chart,
    distance_chart,
    size_chart,
    precision_recall_chart,
    threshold_chart,
    reliability_chart,
    referral_chart,
    loss_chart,
    validation_chart,
)


def build_report(content: ReportContent) -> str:
    """Return the report as HTML. Pictures that cannot be loaded are said to be missing."""
    gallery = Gallery(content)
    cases = gallery.sections()  # before the definitions, which hold what these asked for
    charts = "".join(draw(content) for draw in _CHARTS)
    sections = [
        (
            "summary",
            "Summary",
            summary_table(content.metrics) + beside_table(content, this_part(content.metrics)),
        ),
        ("charts", "Charts", f'<div class="charts">{charts}</div>' if charts else ""),
        ("subgroups", "Subgroups", subgroup_tables(content.metrics)),
        ("cases", "Cases", (_KEY + cases if cases else "") + all_cases_table(content)),
        ("provenance", "Provenance", provenance(content)),
        ("citing", "How to cite", citation(content)),
        ("claim", "Reporting checklist", claim_checklist(content)),
    ]
    template = Template(files("monai_tumor.reporting").joinpath("report.html").read_text(encoding="utf-8"))
    return template.substitute(
        style=page_style(),
        title=text(heading(content)),
        warnings=warnings(content),
        headline=headline(content) + policy(content),
        links="".join(f'<li><a href="#{name}">{title}</a></li>' for name, title, inner in sections if inner),
        sections="".join(section(*one) for one in sections),
        pictures=gallery.definitions(),
    )


_KEY = (
    '<p class="key"><label class="switch"><input type="checkbox" id="outlines" checked> show outlines</label>'
    '<b><span class="of-reference"></span>reference (solid)</b> '
    '<b><span class="of-prediction"></span>prediction (dashed)</b></p>'
)
