"""The frame of a report: style, head, links and sections of one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from string import Template

from monai_tumor.imaging.embedded import page_style
from monai_tumor.reporting.markup import section, text

Section = tuple[str, str, str]


def fill_frame(
    title: str, head: str, sections: Sequence[Section], pictures: str = "", style: str = "", further: str = ""
) -> str:
    """Return a report as HTML.

    Args:
        title: What was evaluated, as text.
        head: What stands above the links: warnings, the figures to remember, the policy.
        sections: Id, title and inner HTML of each; empty ones are left out.
        pictures: What ``imaging.embedded.store`` made of the pictures.
        style: Rules of this page, behind those that all reports share.
        further: What the footer says, as text, about files beside metrics.json and cases.csv.
    """
    template = Template(files("monai_tumor.reporting").joinpath("report.html").read_text(encoding="utf-8"))
    return template.substitute(
        style=page_style(),
        own=style,
        title=text(title),
        head=head,
        links="".join(f'<li><a href="#{name}">{text(words)}</a></li>' for name, words, inner in sections if inner),
        sections="".join(section(*one) for one in sections),
        pictures=pictures,
        further=text(further),
    )


def charts_of(charts: Sequence[str]) -> str:
    """Return charts beside each other; empty without one."""
    return f'<div class="charts">{"".join(charts)}</div>' if any(charts) else ""
