"""Pictures of cases with both outlines: best, median, worst, and everything that was missed or falsely marked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from monai_tumor.errors import ToolkitError
from monai_tumor.evaluation.evaluated_case import EvaluatedCase
from monai_tumor.imaging.embedded import LONGEST_SIDE, EmbeddedPicture, draw, embed, outline, path, store
from monai_tumor.metrics.lesions import LEAST_IOU
from monai_tumor.reporting.cards import card_group, case_card
from monai_tumor.reporting.content import ReportContent
from monai_tumor.reporting.markup import number, paragraph, percent
from monai_tumor.wording import count_of

MOST_PICTURES = 600

_LARGE, _LARGE_SIDE = 100, 420  # so many pictures are stored large
_EACH = 4
_FALSE_POSITIVES = 12


class Gallery:
    """The pictures of a page, each stored once; whoever asks for more than ``most`` gets a card without one."""

    def __init__(self, content: ReportContent, most: int = MOST_PICTURES) -> None:
        self.content, self._most = content, most
        self._cards: dict[str, str] = {}
        self._pictures: list[EmbeddedPicture] = []
        self._full: set[str] = set()

    def sections(self) -> str:
        """Return all groups of cases, those that went wrong first."""
        lesion, free = self.content.lesion_cases, self.content.lesion_free_cases
        missed = sorted((case for case in lesion if case.scored.overlap.is_missed), key=_by_size)
        found = [case for case in lesion if not case.scored.overlap.is_missed]
        partly = [case for case in found if case.scored.lesions is not None and case.scored.lesions.missed]
        marked = [case for case in free if case.scored.overlap.has_prediction]
        worst, median, best = _three(found)
        groups = [
            ("Missed: no pixel of the lesion found", missed, "All of them, the largest lesion first."),
            (
                f"A lesion not found (IoU below {LEAST_IOU})",
                partly,
                "All of them; some pixel of this or another was found.",
            ),
            ("Lesion-free, but marked", marked[:_FALSE_POSITIVES], _false_positive_words(len(marked))),
            ("Worst that were not missed", worst, "By Dice, the worst first."),
            ("Around the median", median, "By Dice of the cases that were not missed."),
            ("Best", best, "By Dice, the best first."),
        ]
        for case in (*worst, *median, *best, *marked[:_FALSE_POSITIVES]):  # nothing leaves these without a picture
            self._card(case)
        return "".join(self._group(*group) for group in groups) + self._left_out()

    def definitions(self) -> str:
        """Return the SVG that holds every picture, once."""
        return store(self._pictures)

    def _group(self, heading: str, cases: Sequence[EvaluatedCase], words: str) -> str:
        return card_group(heading, [self._card(case) for case in cases], words)

    def _card(self, case: EvaluatedCase) -> str:
        if case.id not in self._cards:
            group = "" if case.scored.group == case.id else f"group {case.scored.group}"
            about = ", ".join(filter(None, (case.scored.label, group)))
            lines = [about, *filter(None, case_lines(case))]
            self._cards[case.id] = case_card(self._picture(case), case.id, lines)
        return self._cards[case.id]

    def _picture(self, case: EvaluatedCase) -> str:
        if len(self._pictures) >= self._most:
            self._full.add(case.id)
            return ""
        try:
            image, reference = self.content.load(case.id)
            mask = self.content.prediction(case.id)
        except ToolkitError:
            return ""
        side = _LARGE_SIDE if len(self._pictures) < _LARGE else LONGEST_SIDE
        self._pictures.append(embed(f"p{len(self._pictures)}", image, side))
        expert, machine = "" if reference is None else outline(reference, side), outline(mask, side)
        over = path(expert + machine, "casing") + path(expert, "reference") + path(machine, "prediction")
        said = f"{case.id}: {_outlined('reference', expert, 'solid')}, {_outlined('prediction', machine, 'dashed')}"
        return draw(self._pictures[-1], over, said)

    def _left_out(self) -> str:
        if not self._full:
            return ""
        words = f"{count_of(len(self._full), 'case is', 'cases are')} listed without a picture, so that the page stays small"
        return paragraph(f"{words}: the masks are in predictions/ of this evaluation, the images in the data set.")


def case_lines(case: EvaluatedCase) -> Iterator[str]:
    """Return the figures of a case in lines."""
    scored, counts = case.scored, case.scored.lesions
    unsure = "" if math.isnan(case.unsure) else f"uncertainty {number(case.unsure)}"
    if scored.overlap.has_reference_lesion:
        yield f"Dice {number(scored.overlap.dice)} · HD95 {_pixels(scored.boundary.hd95)}"
        yield " · ".join(filter(None, (f"area {percent(scored.overlap.area_error, '+')}", unsure)))
    else:
        yield f"false-positive area {_pixels(scored.overlap.false_positive_area)}"
        yield unsure
    if counts is not None:
        yield f"lesions: {counts.found} found, {counts.missed} missed, {counts.false} false"


def _false_positive_words(count: int) -> str:
    if count <= _FALSE_POSITIVES:
        return "All of them, the largest area first."
    return f"The {_FALSE_POSITIVES} largest areas of {count} such cases; the others are in the table of all cases."


def _three(ranked: Sequence[EvaluatedCase]) -> tuple[Sequence[EvaluatedCase], ...]:
    """Return worst, median and best cases of those ranked from the worst to the best; no case twice."""
    worst = ranked[:_EACH]
    best = ranked[max(len(ranked) - _EACH, len(worst)) :]
    between = ranked[len(worst) : len(ranked) - len(best)]
    start = max(0, (len(between) - _EACH) // 2)
    return worst, between[start : start + _EACH], best[::-1]


def _by_size(case: EvaluatedCase) -> tuple[float, str]:
    return -case.scored.overlap.reference_share, case.id


def _outlined(name: str, data: str, how: str) -> str:
    return f"{name} outlined {how}" if data else f"{name} empty"


def _pixels(value: float) -> str:
    words = number(value)
    return words if math.isnan(value) else f"{words} px"
