"""Pieces of the page: numbers, tables, sections. All text that comes in is escaped here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from monai_tumor.metrics.summary import MIN_GROUPS

UNDEFINED = "undefined"

_MINUS = "\u2212"

Cells = Sequence[str]


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def text(value: str) -> str:
    """Return a text as markup."""
    return value if isinstance(value, Html) else escape(value)


def number(value: float | None, sign: str = "") -> str:
    """Return a number to about three digits, or ``undefined``; ``sign`` is ``+`` where a plus is to be shown."""
    if value is None or math.isnan(value):
        return UNDEFINED
    digits = 0 if isinstance(value, int) else 3 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    return f"{value:{sign},.{digits}f}".replace("-", _MINUS)


def percent(value: float | None, sign: str = "") -> str:
    """Return a share in percent, or ``undefined``."""
    return UNDEFINED if value is None or math.isnan(value) else f"{100 * value:{sign},.0f}\u00a0%".replace("-", _MINUS)


def percent_of(part: int, whole: int) -> str:
    """Return for example ``3 of 37 (8 %)``; words where there is none at all."""
    return f"{part:,} of {whole:,} ({percent(part / whole)})" if whole else "no such case"


def ends(mean: Mapping[str, Any]) -> str:
    """Return the interval of a mean, or why there is none."""
    if mean["low"] is not None and mean["high"] is not None:
        return f"{number(mean['low'])} to {number(mean['high'])}"
    if not mean["n"]:
        return UNDEFINED
    return f"none below {MIN_GROUPS} groups" if mean["groups"] < MIN_GROUPS else "none: all groups are alike"


def interval_bar(mean: Mapping[str, Any]) -> Html:
    """Draw a mean and its interval on a line from 0 to 1."""
    return Html(f'<svg class="interval" viewBox="0 0 104 12" aria-hidden="true">{"".join(_bar_parts(mean))}</svg>')


def table(caption: str, head: Cells, groups: Iterable[tuple[str, Iterable[Cells]]]) -> str:
    """Return a table that can be scrolled sideways where it is too wide.

    Args:
        caption: What it shows.
        head: Name of each column.
        groups: Heading (may be empty) and rows; the first cell of a row names it.
    """
    columns = "".join(f'<th scope="col">{text(name)}</th>' for name in head)
    bodies = "".join(_body(heading, rows, len(head)) for heading, rows in groups)
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{columns}</tr></thead>{bodies}</table></div>"
    )


def _bar_parts(mean: Mapping[str, Any]) -> Iterator[str]:
    yield '<path class="grid" d="M2 6H102M2 2V10M102 2V10"/>'
    if mean["low"] is not None and mean["high"] is not None:
        yield f'<path class="line second solid" d="M{2 + 100 * mean["low"]:.1f} 6H{2 + 100 * mean["high"]:.1f}"/>'
    if mean["mean"] is not None:
        yield f'<path class="dots second" d="M{2 + 100 * mean["mean"]:.1f} 6h0"/>'


def _body(heading: str, rows: Iterable[Cells], width: int) -> str:
    over = f'<tr><th class="over" scope="rowgroup" colspan="{width}">{text(heading)}</th></tr>' if heading else ""
    return f"<tbody>{over}{''.join(map(_row, rows))}</tbody>"


def _row(cells: Cells) -> str:
    first, *others = cells
    return f'<tr><th scope="row">{text(first)}</th>{"".join(f"<td>{text(cell)}</td>" for cell in others)}</tr>'


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Return names and values as a list."""
    return f"<dl>{''.join(f'<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>' for name, value in rows)}</dl>"


def section(name: str, title: str, *parts: str) -> str:
    """Return a section with its heading; empty when nothing is in it."""
    inner = "".join(parts)
    return f'<section id="{name}"><h2>{escape(title)}</h2>{inner}</section>' if inner else ""


def folded(summary: str, inner: str) -> str:
    """Return what is shown on demand, and always in print."""
    return f"<details><summary>{escape(summary)}</summary>{inner}</details>"


def paragraph(words: str) -> str:
    """Return a paragraph."""
    return f"<p>{text(words)}</p>"
