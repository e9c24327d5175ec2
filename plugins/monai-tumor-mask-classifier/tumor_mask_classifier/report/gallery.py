"""Pictures of the cases that were called wrong, the surest calls first and missed ones before all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import ToolkitError
from monai_tumor.imaging.embedded import EmbeddedPicture, draw, embed, outline, path, store
from monai_tumor.reporting.cards import card_group, case_card
from monai_tumor.reporting.markup import Html, number
from tumor_mask_classifier.report.content import CalledCase, DiagnosisContent, Picture
from tumor_mask_classifier.report.tables import decided_words

_SIDE, _HEAT_SIDE = 420, 120
_MISSED, _OTHERS = 96, 24
_HEAT = (255, 120, 0)


class DiagnosisGallery:
    """The pictures of a page, each stored once; there are none where nobody gave a way to find them."""

    def __init__(self, content: DiagnosisContent) -> None:
        self.content = content
        self._pictures: list[EmbeddedPicture] = []
        self._heat = False

    def sections(self) -> str:
        """Return all groups of cases that were called wrong."""
        load, positive = self.content.picture, self.content.positive
        if load is None:
            return ""
        groups = (
            (f"{positive.capitalize()}, but called otherwise", self.content.missed, _MISSED),
            (f"Called {positive}, but it is not", self.content.false_alarms, _OTHERS),
            ("Otherwise called wrong", self.content.otherwise_wrong, _OTHERS),
        )
        cards = "".join(
            card_group(heading, [self._card(case, load) for case in cases[:most]], _words(len(cases), most))
            for heading, cases, most in groups
        )
        return self._key() + cards if cards else ""

    def definitions(self) -> str:
        """Return the SVG that holds every picture, once."""
        return store(self._pictures)

    def _key(self) -> str:
        switches = '<label class="switch"><input type="checkbox" id="outlines" checked> show outlines</label> '
        key = '<b><span class="of-reference"></span>mask that the network was given</b>'
        if self._heat:
            switches += '<label class="switch"><input type="checkbox" id="heat" checked> show heat maps</label> '
            key += ' <b><span class="of-heat"></span>heat map: the brighter, the more the call rests on that place</b>'
        return f'<p class="key">{switches}{key}</p>'

    def _card(self, case: CalledCase, load: Picture) -> Html:
        return case_card(self._picture(case, load), case.id, _lines(case))

    def _picture(self, case: CalledCase, load: Picture) -> str:
        try:
            image, mask, heat = load(case.id)
        except ToolkitError:
            return ""
        number_of = len(self._pictures)
        shown, line = embed(f"p{number_of}", image, _SIDE), outline(mask, _SIDE)
        self._pictures.append(shown)
        over = "" if heat is None else self._heat_over(f"h{number_of}", heat)
        over += path(line, "casing") + path(line, "reference")
        said = f"{case.id}: {'mask outlined' if line else 'no mask'}{'' if heat is None else ', heat map over it'}"
        return draw(shown, over, said)

    def _heat_over(self, name: str, heat: NDArray[np.float32]) -> str:
        self._heat = True
        self._pictures.append(embed(name, heat_picture(heat), _HEAT_SIDE))
        return f'<use class="heat" href="#{name}"/>'


def heat_picture(heat: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a heat map, float (rows, columns), as a picture (rows, columns, 3): its largest value bright, 0 and less black."""
    found = np.clip(np.nan_to_num(heat, nan=0.0, posinf=0.0, neginf=0.0), 0.0, None)
    shares = found / max(float(found.max(initial=0.0)), np.finfo(np.float32).tiny)
    return np.asarray(np.round(shares[..., None] * _HEAT), np.uint8)


def _lines(case: CalledCase) -> Iterator[str]:
    yield f"{case.label}, called {case.called}"
    yield " · ".join(f"{name} {number(chance)}" for name, chance in case.chances.items())
    yield from decided_words(case)


def _words(count: int, most: int) -> str:
    if count <= most:
        return "All of them, the surest call first."
    return f"The {most} surest calls of {count} such cases; the others are in the table of all cases."
