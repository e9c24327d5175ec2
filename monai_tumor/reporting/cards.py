"""Cards of cases: a picture, the id, and some lines; in groups, the rest of a large group in a fold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monai_tumor.reporting.markup import Html, folded, paragraph, text
from monai_tumor.wording import count_of

_OPEN = 24


def case_card(picture: str, name: str, lines: Iterable[str]) -> Html:
    """Return a card; ``picture`` is SVG, or empty where there is none, and the lines are what is said of the case."""
    shown = picture or '<div class="missing">no picture</div>'
    said = "".join(f"<div>{text(line)}</div>" for line in lines)
    return Html(
        f'<figure class="card">{shown}<figcaption><div class="name">{text(name)}</div>{said}</figcaption></figure>'
    )


def card_group(heading: str, cards: Sequence[str], words: str) -> str:
    """Return cards under a heading, with words on which these are; empty without a card."""
    if not cards:
        return ""
    rest = cards[_OPEN:]
    more = folded(f"{len(rest)} more", f'<div class="cards">{"".join(rest)}</div>') if rest else ""
    title = f'<h3>{text(heading)} <span class="count">{count_of(len(cards), "case", "cases")}</span></h3>'
    return f'{title}{paragraph(words)}<div class="cards">{"".join(cards[:_OPEN])}</div>{more}'
