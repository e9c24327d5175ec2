"""The head of the report: what was evaluated, and the figures to remember."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from monai_tumor.reporting.content import ReportContent
from monai_tumor.reporting.markup import Html, ends, number, percent_of, text
from monai_tumor.reporting.names import this_part
from monai_tumor.wording import count_of

_SEEN = {
    "training": "The network was trained on these cases: the figures say how well it remembers, not how well it works.",
    "validation": "Epoch, threshold or temperature were chosen on these cases: the figures are too good.",
}


def heading(metrics: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """Return the title of the page."""
    return f"{record.get('bundle', 'Evaluation')} on {metrics['dataset']}, {this_part(metrics)}"


def warnings(metrics: Mapping[str, Any], record: Mapping[str, Any], more: Iterable[str] = ()) -> str:
    """Return what a reader has to know before the figures; ``more`` is what only this kind of evaluation has to say."""
    said = (*_warnings(metrics, record), *more)
    return "".join(f'<p class="warning" role="note">{text(words)}</p>' for words in said)


def headline(content: ReportContent) -> str:
    """Return the figures to remember, each with what it is counted in."""
    return tiles(_tiles(content))


def tiles(rows: Iterable[tuple[str, str, str]]) -> str:
    """Return figures to remember: name, figure, and what it is counted in."""
    return f'<dl class="headline">{"".join(_tile(*row) for row in rows)}</dl>'


def policy(metrics: Mapping[str, Any]) -> str:
    """Return in words how cases are counted."""
    return f'<div class="policy"><h2>How it is counted</h2><p>{text(metrics["policy"])}</p></div>'


def _warnings(metrics: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[str]:
    if (record.get("data") or {}).get("synthetic"):
        yield "Synthetic images, not patients: the figures say that the software works, and nothing else."
    if metrics["part"] in _SEEN and not metrics.get("sealed"):
        yield _SEEN[metrics["part"]]


def _tiles(content: ReportContent) -> Iterator[tuple[str, str, str]]:
    lesion, free = content.metrics["lesion_cases"], content.metrics["lesion_free_cases"]
    dice, lesions = lesion["dice"], content.metrics.get("lesions")
    counted = f"{count_of(dice['n'], 'case', 'cases')}, {count_of(dice['groups'], 'group', 'groups')}"
    yield "Mean Dice of lesion cases", number(dice["mean"]), f"95\u00a0% interval {ends(dice)}; {counted}"
    yield "Lesion cases missed", str(lesion["missed"]), percent_of(lesion["missed"], lesion["n"])
    if lesions:
        found = percent_of(lesions["found"], lesions["reference"])
        yield "Lesions not found", str(lesions["missed"]), f"found {found}; {lesions['false']} false marks"
    flagged = percent_of(free["with_false_positive"], free["n"])
    yield "Lesion-free cases marked", str(free["with_false_positive"]), flagged


def _tile(name: str, figure: str, below: str) -> Html:
    return Html(
        f'<div><dt>{text(name)}</dt><dd class="figure">{text(figure)}</dd><dd class="below">{text(below)}</dd></div>'
    )
