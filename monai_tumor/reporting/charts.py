"""How the figures of single cases are spread, and whether small lesions are the hard ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import fmean

import numpy as np

from monai_tumor.metrics.measures import NSD_TOLERANCE_PX
from monai_tumor.metrics.subgroups import SIZES, lesion_size
from monai_tumor.reporting.content import ReportContent
from monai_tumor.reporting.markup import Html, number, text
from monai_tumor.reporting.names import lesion_measure, title
from monai_tumor.reporting.plot import Axis, Plot, linear_axis, log_axis

_SHARES = ("dice", "iou", "precision", "recall", f"nsd_{NSD_TOLERANCE_PX:g}px")
_DISTANCES = ("hd95_px", "assd_px")
_ROW, _FRAME = 50, 60  # heights
_CROWD = 400  # from so many dots on they are drawn small
_SPREAD = 0.14  # half the height of a strip of dots, in rows
_STRIP = 0.24  # how far below its box

Key = Sequence[tuple[str, str]]


def chart(heading: str, plot: Plot, key: Key = ()) -> str:
    """Return a plot under its heading, with a key of its marks, and below it in words what it shows."""
    samples = "".join(f"<li>{_sample(kind)}{text(words)}</li>" for kind, words in key)
    listed = f'<ul class="samples">{samples}</ul>' if samples else ""
    return (
        f'<figure class="chart"><h3>{text(heading)}</h3>{plot.svg()}{listed}'
        f"<figcaption>{text(plot.said)}</figcaption></figure>"
    )


def share_chart(content: ReportContent) -> str:
    """Return how measures from 0 to 1 are spread over the lesion cases."""
    return _spread(content, "Spread over lesion cases", _SHARES, lambda _: linear_axis("", 0, 1))


def distance_chart(content: ReportContent) -> str:
    """Return how the distances between the edges are spread over the lesion cases."""
    return _spread(
        content,
        "Distance between the edges",
        _DISTANCES,
        lambda values: linear_axis("pixels of the source image", 0, max(values)),
    )


def size_chart(content: ReportContent) -> str:
    """Return Dice against the size of the lesions."""
    cases = content.lesion_cases
    if not cases:
        return ""
    points = [(case.scored.overlap.reference_share, case.scored.overlap.dice) for case in cases]
    missed = [point for case, point in zip(cases, points, strict=True) if case.scored.overlap.is_missed]
    others = [point for case, point in zip(cases, points, strict=True) if not case.scored.overlap.is_missed]
    shares = [share for share, _ in points]
    x = log_axis("area of the lesions in % of the image (logarithmic)", min(shares), max(shares), unit=0.01)
    plot = Plot(x, linear_axis("Dice", 0, 1), _size_words(content))
    for limit in (0.02, 0.1):
        if x.low < limit < x.high:
            plot.upright(limit, "third")
    plot.dots(others, _dots(len(points)))
    plot.crosses(missed, "line miss")
    key = [("dots first", "a case")] + [("line miss", "missed: no pixel of the lesion found")] * bool(missed)
    return chart("Dice and lesion size", plot, [*key, ("line third", "limits of small, medium, large")])


def _size_words(content: ReportContent) -> str:
    found = [(lesion_size(case.scored), case.scored.overlap.dice) for case in content.lesion_cases]
    words = []
    for name, area in SIZES.items():
        dice = [value for size, value in found if size == name]
        if dice:
            words.append(f"{number(fmean(dice))} in {len(dice)} {name} ({area})")
    return f"Mean Dice by lesion size: {', '.join(words)}."


def _spread(content: ReportContent, heading: str, names: Sequence[str], axis: Callable[[Sequence[float]], Axis]) -> str:
    values = {name: content.values(lesion_measure(name)) for name in names}
    values = {name: found for name, found in values.items() if found}
    if not values:
        return ""
    rows = [(len(values) - place - 0.5, title(name).split(" (")[0]) for place, name in enumerate(values)]
    said = f"Median (middle half): {'; '.join(_spread_words(*one) for one in values.items())}. Means: see the summary."
    plot = Plot(
        axis([value for found in values.values() for value in found]),
        Axis("", 0, len(values), rows),
        said,
        _FRAME + _ROW * len(values),
    )
    for (middle, _), (name, found) in zip(rows, values.items(), strict=True):
        _draw_spread(plot, middle, found, content.metrics["lesion_cases"][name])
    key = [
        ("dots first", "a case"),
        ("box", "middle half, with the median"),
        ("second solid", "mean and 95\u00a0% interval"),
    ]
    return chart(heading, plot, key)


def _draw_spread(plot: Plot, middle: float, values: Sequence[float], mean: dict[str, float | None]) -> None:
    low, median, high = np.percentile(values, [25, 50, 75]).tolist()
    plot.dots(zip(values, _strip(len(values), middle - _STRIP), strict=True), _dots(len(values)))
    plot.box((low, middle - 0.02), (high, middle + 0.24), "box")
    plot.line([(median, middle - 0.02), (median, middle + 0.24)], "median")
    centre, upper, lower = mean["mean"], mean["high"], mean["low"]
    if centre is not None and lower is not None and upper is not None:
        plot.line([(lower, middle + 0.36), (upper, middle + 0.36)], "second solid")
    if centre is not None:
        plot.dots([(centre, middle + 0.36)], "dots second")


def _strip(count: int, middle: float) -> Iterator[float]:
    """Spread dots across a strip by the golden ratio, which neither clusters nor repeats."""
    return (middle + _SPREAD * (2 * (place * 0.6180339887 % 1) - 1) for place in range(count))


def _spread_words(name: str, values: Sequence[float]) -> str:
    low, median, high = map(number, np.percentile(values, [25, 50, 75]).tolist())
    return f"{title(name)} {median} ({low} to {high})"


def _dots(count: int) -> str:
    return "dots first crowd" if count > _CROWD else "dots first"


def _sample(kind: str) -> Html:
    if kind == "box":
        mark = '<rect class="box" x="2" y="2" width="20" height="8"/><path class="median" d="M11 2V10"/>'
    elif kind.startswith("dots"):
        mark = f'<path class="{kind}" d="M12 6h0"/>'
    elif kind.endswith("miss"):
        mark = f'<path class="{kind}" d="M8 2l8 8m0 -8l-8 8"/>'
    else:
        mark = f'<path class="{kind}" d="M0 6H24"/>'
    return Html(f'<svg class="sample" viewBox="0 0 24 12" aria-hidden="true">{mark}</svg>')
