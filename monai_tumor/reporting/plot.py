"""A small plot as SVG: its colours follow the page, its words are words, and the same numbers give the same bytes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

Point = tuple[float, float]

_WIDTH = 380
_TOP, _RIGHT, _BOTTOM = 14, 12, 42
_LETTER = 7.0  # width of a letter of a tick's label
_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a plot.

    Attributes:
        label: What it shows, with the unit.
        low: Its smallest value.
        high: Its largest value.
        ticks: Where a value stands, and how it is written.
        log: Whether steps are factors; both ends are greater than 0 then.
    """

    label: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    log: bool = False

    def place(self, value: float) -> float:
        """Return where a value lies, from 0 to 1; values outside lie at the ends."""
        low, high, value = (math.log(max(v, 1e-12)) if self.log else v for v in (self.low, self.high, value))
        return min(max((value - low) / (high - low), 0.0), 1.0)


def linear_axis(label: str, low: float, high: float, steps: int = 5) -> Axis:
    """Return an axis with round numbers at about so many steps; it ends at round numbers, too."""
    size = max(abs(low), abs(high), 1.0)
    raw = (high - low if high - low > 1e-6 * size else size) / steps  # one value, but for rounding, has an axis, too
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in _STEPS if unit * factor >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    return Axis(label, first * step, last * step, [(k * step, f"{k * step:.6g}") for k in range(first, last + 1)])


def log_axis(label: str, low: float, high: float, unit: float = 1.0) -> Axis:
    """Return a logarithmic axis with ticks at 1, 2, 5, 10, ... in units of ``unit``."""
    scale = range(math.floor(math.log10(low / unit)), math.ceil(math.log10(high / unit)) + 1)
    marks = [digit * 10.0**power for power in scale for digit in (1, 2, 5)]
    first = max((mark for mark in marks if mark * unit <= low), default=marks[0])
    last = min((mark for mark in marks if mark * unit >= high and mark > first), default=marks[-1])
    ticks = [(mark * unit, f"{mark:g}") for mark in marks if first <= mark <= last]
    return Axis(label, first * unit, last * unit, ticks, log=True)


class Plot:
    """Draws into a frame with two axes; ``kind`` is the class that gives a mark its colour and dash."""

    def __init__(self, x: Axis, y: Axis, said: str, height: int = 250) -> None:
        """Begin a plot; ``said`` tells in words what it shows."""
        self.x, self.y, self.said, self.height = x, y, said, height
        self.left = 12 + _LETTER * max(len(words) for _, words in y.ticks) + (16 if y.label else 0)
        self._marks: list[str] = []

    def line(self, points: Iterable[Point], kind: str) -> None:
        """Connect points; an undefined one leaves a gap."""
        words, pen = [], "M"
        for point in points:
            if any(map(math.isnan, point)):
                pen = "M"
                continue
            words.append(f"{pen}{self._at(point)}")
            pen = "L"
        self._marks.append(f'<path class="line {kind}" d="{"".join(words)}"/>')

    def dots(self, points: Iterable[Point], kind: str) -> None:
        """Draw dots: lines of no length with round ends, which take few bytes each."""
        self._path(points, kind, "h0")

    def crosses(self, points: Iterable[Point], kind: str) -> None:
        """Draw crosses."""
        self._path(points, kind, "m-4 -4l8 8m0 -8l-8 8")

    def box(self, low: Point, high: Point, kind: str) -> None:
        """Draw a box between two corners."""
        (left, bottom), (right, top) = self._place(low), self._place(high)
        size = f'width="{right - left:.1f}" height="{bottom - top:.1f}"'
        self._marks.append(f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" {size}/>')

    def upright(self, x: float, kind: str) -> None:
        """Draw a line from the bottom to the top."""
        self.line([(x, self.y.low), (x, self.y.high)], kind)

    def svg(self) -> str:
        """Return the plot."""
        return (
            f'<svg class="plot" viewBox="0 0 {_WIDTH} {self.height}" role="img" aria-label="{escape(self.said)}">'
            f"{''.join(self._axes())}{''.join(self._marks)}</svg>"
        )

    def _axes(self) -> Iterable[str]:
        bottom, right = self.height - _BOTTOM, _WIDTH - _RIGHT
        for value, words in self.x.ticks:
            x = self._place((value, self.y.low))[0]
            yield f'<path class="grid" d="M{x:.1f} {_TOP}V{bottom}"/>'
            yield f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{escape(words)}</text>'
        for value, words in self.y.ticks:
            y = self._place((self.x.low, value))[1]
            yield f'<path class="grid" d="M{self.left:.1f} {y:.1f}H{right}"/>'
            yield f'<text x="{self.left - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{escape(words)}</text>'
        middle = f'x="{(self.left + right) / 2:.1f}" y="{self.height - 6}"'
        yield f'<text class="label" {middle} text-anchor="middle">{escape(self.x.label)}</text>'
        turned = f'transform="translate(12 {(_TOP + bottom) / 2}) rotate(-90)"'
        yield f'<text class="label" {turned} text-anchor="middle">{escape(self.y.label)}</text>'

    def _path(self, points: Iterable[Point], kind: str, mark: str) -> None:
        words = "".join(f"M{self._at(point)}{mark}" for point in points if not any(map(math.isnan, point)))
        self._marks.append(f'<path class="{kind}" d="{words}"/>' if words else "")

    def _at(self, point: Point) -> str:
        x, y = self._place(point)
        return f"{x:.1f} {y:.1f}"

    def _place(self, point: Point) -> Point:
        across, height = _WIDTH - _RIGHT - self.left, self.height - _BOTTOM - _TOP
        return self.left + across * self.x.place(point[0]), _TOP + height * (1 - self.y.place(point[1]))
