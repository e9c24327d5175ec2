"""The page of a check: one HTML file that needs nothing else, with the pictures that a finding is about."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from itertools import groupby
from string import Template

from monai_tumor.audit.check import Audit
from monai_tumor.audit.drawing import Pictures
from monai_tumor.audit.findings import SEVERITIES, Example, Finding, Severity
from monai_tumor.audit.leak import RULE
from monai_tumor.audit.relations import Relation
from monai_tumor.audit.words import count_words, counts_sentence, own_leak_sentence, random_leak_sentence
from monai_tumor.imaging.embedded import page_style

# Examples on the page, and how many of them are open to begin with; the others are in check.json.
_SHOWN: dict[Severity, tuple[int, int]] = {"error": (300, 24), "warning": (120, 8), "note": (40, 8)}
_HEADINGS: dict[Severity, str] = {
    "error": "Errors: would make results wrong",
    "warning": "Warnings: seen to here, not by a plain script",
    "note": "Notes: what the data are like",
}
_CASES_DRAWN = 12
_BOTH_OUTLINES = "masks_contradict"
_READABLE = "label_in_pixels"  # here what is in the box has to be read; where names may stand it has not
_NUMBERS = {
    "agreement": "agreement {:.2f}",
    "scale": "scale {:.2f}",
    "overlap": "overlap {:.0%}",
    "mask_dice": "mask Dice {:.2f}",
}


def build_page(audit: Audit) -> str:
    """Return the page as HTML. Pictures are loaded again; those that cannot be are left out."""
    page = _Page(audit)
    sections = "".join(map(page.part, SEVERITIES))  # before the definitions, which hold what these asked for
    template = Template(files("monai_tumor.audit").joinpath("page.html").read_text(encoding="utf-8"))
    return template.substitute(
        style=page_style(),
        title=escape(f"Check of {audit.folder or audit.dataset} ({audit.dataset})"),
        verdict=escape(audit.verdict),
        severity="error" if audit.errors else "note",
        counts=escape(counts_sentence(audit)),
        leak=page.leak(),
        rows="".join(map(_row, audit.findings)),
        sections=sections,
        pictures=page.pictures.definitions(),
        fingerprint=audit.fingerprint,
    )


class _Page:
    """What the sections of one page share."""

    def __init__(self, audit: Audit) -> None:
        self.audit = audit
        evidence = audit.evidence
        self.pictures = Pictures(evidence.survey.dataset, evidence.cases)
        self.cases = {case.id: case for case in evidence.cases}
        self.labelled = any(case.label for case in evidence.cases)
        self.relations = {(pair.first.id, pair.second.id): pair for pair in evidence.relations}

    def leak(self) -> str:
        """Return the section on random splits."""
        if self.audit.leak is None:
            return ""
        first, own = self.audit.leak.content()["first_seed"], self.audit.own_leak
        bars = _bar("random split", first["held_out_percent"])
        if own["possible"]:
            bars += _bar("monai-tumor data split", 100 * own["held_out"] / max(own["of_held_out"], 1))
        texts = f"<p>{escape(random_leak_sentence(self.audit))}</p><p>{escape(own_leak_sentence(self.audit))}</p>"
        how = f"<details><summary>How it was counted</summary><p>{escape(RULE)}.</p></details>"
        return f'<section class="leak"><h2>Images held out that training has seen</h2>{bars}{texts}{how}</section>'

    def part(self, severity: Severity) -> str:
        """Return all findings of one severity under a heading."""
        found = [finding for finding in self.audit.findings if finding.severity == severity]
        if not found:
            return ""
        return f"<h2>{_HEADINGS[severity]}</h2>" + "".join(map(self.finding, found))

    def finding(self, finding: Finding) -> str:
        """Return one finding: why, what to do, and its examples."""
        most, opened = _SHOWN[finding.severity]
        shown = finding.examples[:most]
        opened = opened if any(example.cases for example in shown) else most  # lines take little room
        rest, left = shown[opened:], len(finding.examples) - len(shown)
        more = f"<details><summary>{len(rest)} more</summary>{self.examples(finding, rest)}</details>" if rest else ""
        elsewhere = f'<p class="more">{left} more in check.json.</p>' if left else ""
        return (
            f'<section id="{escape(finding.kind)}" class="finding {finding.severity}">'
            f'<h3>{escape(finding.title)} <span class="count">{escape(count_words(finding))}</span></h3>'
            f"<p>{escape(finding.why)}</p><p><b>What to do:</b> {escape(finding.step)}</p>"
            f"{self.examples(finding, shown[:opened])}{more}{elsewhere}</section>"
        )

    def examples(self, finding: Finding, examples: Sequence[Example]) -> str:
        """Return examples in their order: those without a picture as lines, the others side by side."""
        parts = []
        for pictured, group in groupby(examples, key=lambda example: bool(example.cases)):
            inner = "".join(self.figure(finding, one) if pictured else f"<li>{escape(one.text)}</li>" for one in group)
            parts.append(f'<div class="examples">{inner}</div>' if pictured else f"<ul>{inner}</ul>")
        return "".join(parts)

    def figure(self, finding: Finding, example: Example) -> str:
        """Return the pictures of an example with what was found below them."""
        drawn, more = example.cases[:_CASES_DRAWN], len(example.cases) - _CASES_DRAWN
        cells = [self.cell(case, self.pictures.draw(case, example.boxes)) for case in drawn]
        if more > 0:
            cells.append(f'<div class="cell">and {more} more in check.json</div>')
        relation = self._relation(example)
        if relation is not None and finding.kind == _BOTH_OUTLINES:
            cells.append(_cell(self.pictures.draw_both(relation), "both outlines", f"{relation.first.id} dashed"))
        if finding.kind == _READABLE:
            details = (self.pictures.detail(case, box) for case, boxes in example.boxes.items() for box in boxes)
            cells = [f'<div class="cell">{cells[0]}{"".join(details)}</div>']
        numbers = _numbers(example)
        score = f" (score {example.score:.2f})" if example.score is not None else ""
        small = f'<br><span class="numbers">{escape(numbers)}</span>' if numbers else ""
        return (
            f'<figure><div class="cells">{"".join(cells)}</div>'
            f"<figcaption>{escape(example.text + score)}{small}</figcaption></figure>"
        )

    def cell(self, case: str, picture: str) -> str:
        """Return a picture above the name, label and group of its case."""
        found = self.cases.get(case)
        label = (found.label or "no label") if found and self.labelled else ""
        group = f"group {found.group}" if found and found.group != case else ""
        return _cell(picture, case, ", ".join(filter(None, (label, group))))

    def _relation(self, example: Example) -> Relation | None:
        return self.relations.get((example.cases[0], example.cases[1])) if len(example.cases) == 2 else None


def _bar(name: str, percent: float) -> str:
    meter = f'<meter min="0" low="1" high="10" max="100" optimum="0" value="{percent:g}"></meter>'
    return f'<div class="bar"><span>{name}</span>{meter}<b>{percent:.0f}&nbsp;%</b></div>'


def _cell(picture: str, name: str, below: str) -> str:
    shown = picture or '<div class="missing">no picture</div>'
    return (
        f'<div class="cell">{shown}<div class="name">{escape(name)}</div><div class="below">{escape(below)}</div></div>'
    )


def _numbers(example: Example) -> str:
    told = {name: example.measures.get(name) for name in _NUMBERS}
    return ", ".join(_NUMBERS[name].format(value) for name, value in told.items() if value is not None)


def _row(finding: Finding) -> str:
    return (
        f'<tr><td><span class="badge {finding.severity}">{finding.severity}</span></td>'
        f'<td><a href="#{escape(finding.kind)}">{escape(finding.title)}</a></td>'
        f"<td>{escape(count_words(finding))}</td></tr>"
    )
