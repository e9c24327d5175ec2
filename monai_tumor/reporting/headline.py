"""The head of the report: what was evaluated, and the figures to remember."""

from __future__ import annotations

from collections.abc import Iterator

from monai_tumor.reporting.content import ReportContent
from monai_tumor.reporting.markup import Html, ends, number, percent_of, text
from monai_tumor.reporting.names import this_part
from monai_tumor.wording import count_of

_SEEN = {
    "training": "The network was trained on these cases: the figures say how well it remembers, not how well it works.",
    "validation": "Epoch, threshold or temperature were chosen on these cases: the figures are too good.",
}


def heading(content: ReportContent) -> str:
    """Return the title of the page."""
    return f"{content.record.get('bundle', 'Evaluation')} on {content.metrics['dataset']}, {this_part(content.metrics)}"


def warnings(content: ReportContent) -> str:
    """Return what a reader has to know before the figures."""
    return "".join(f'<p class="warning" role="note">{text(words)}</p>' for words in _warnings(content))


def headline(content: ReportContent) -> str:
    """Return the figures to remember, each with what it is counted in."""
    return f'<dl class="headline">{"".join(_tile(*tile) for tile in _tiles(content))}</dl>'


def policy(content: ReportContent) -> str:
    """Return in words how cases are counted."""
    return f'<div class="policy"><h2>How it is counted</h2><p>{text(content.metrics["policy"])}</p></div>'


def _warnings(content: ReportContent) -> Iterator[str]:
    if (content.record.get("data") or {}).get("synthetic"):
        yield "Synthetic images, not patients: the figures say that the software works, and nothing else."
    if content.metrics["part"] in _SEEN and not content.metrics.get("sealed"):
        yield _SEEN[content.metrics["part"]]


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
