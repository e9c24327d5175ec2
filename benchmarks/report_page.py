"""How large the report of 2,000 cases is, how long it takes to write, and how long a browser takes to open it.

    python benchmarks/report_page.py

The cases are phantoms; each of 100 pictures stands for twenty cases of other names, and 300 lesions were missed. Opening is the
time that headless Chromium takes until it has drawn the page, beside the time that it takes for an empty one, alternately.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from common import arguments, report

PICTURES = 100
EMPTY = "<!DOCTYPE html><title>empty</title><p>nothing"


def main() -> None:
    options = arguments(__doc__ or "").parse_args()
    count, misses, rounds = (200, 30, 1) if options.quick else (2000, 300, 5)
    from monai_tumor.reporting.page import build_report

    content = made_content(count, misses)
    start = time.perf_counter()
    page = build_report(content)
    seconds = time.perf_counter() - start
    result: dict[str, Any] = {"cases": count, "misses": misses, "build_s": seconds, "mb": len(page.encode()) / 1e6}
    result |= {"pictures": page.count("<image "), "open_s": opening(page, rounds), "rounds": rounds}
    size = f"{result['mb']:.1f} MB with {result['pictures']} pictures"
    told = f"{count} cases, {misses} missed: {size}, written in {seconds:.1f} s"
    if result["open_s"]:
        told += f", opened in {result['open_s']['report']:.1f} s (an empty page: {result['open_s']['empty']:.1f} s)"
    report("report_page", result, [told], options.out, options.quick)


def made_content(count: int, misses: int) -> Any:
    """Return an evaluation of phantoms whose predictions are the references moved by some pixels."""
    import numpy as np

    from monai_tumor.datasets.phantom import PhantomDataset
    from monai_tumor.evaluation.figures import evaluation_figures
    from monai_tumor.evaluation.scoring import evaluate_case
    from monai_tumor.inference.operating_point import OperatingPoint
    from monai_tumor.reporting.content import ReportContent

    phantom = PhantomDataset(count=PICTURES, style="us", size=(300, 420))
    loaded = [phantom.load(case) for case in phantom.cases()]
    lesions = [place for place, (_, reference) in enumerate(loaded) if reference.any()]
    masks: dict[str, Any] = {}
    cases, source = [], {}
    for number in range(count):
        name, missed = f"case-{number:04}", number < misses
        place = lesions[number % len(lesions)] if missed else number % PICTURES
        kind = f"{place}-{missed}"
        if kind not in masks:
            reference = loaded[place][1]
            moved = np.roll(reference, 3 + place % 17, axis=1) & (not missed)
            maps = np.stack([np.where(moved, 0.9, 0.05), np.where(np.roll(moved, 2, axis=0), 0.8, 0.1)]).astype(
                np.float32
            )
            masks[kind] = evaluate_case(kind, kind, maps, reference, OperatingPoint(), label="benign")
        case = masks[kind][0]
        cases.append(replace(case, scored=replace(case.scored, id=name, group=name)))
        source[name] = (place, kind)
    identity = {
        "part": "test",
        "dataset": "phantom_us",
        "split": "0" * 64,
        "weights_sha256": "0" * 64,
        "threshold": 0.5,
    }
    metrics = {**identity, **evaluation_figures(cases, OperatingPoint(), 0)}
    return ReportContent(
        metrics, cases, {}, lambda name: loaded[source[name][0]], lambda name: masks[source[name][1]][1]
    )


def opening(page: str, rounds: int) -> dict[str, float] | None:
    """Return the median seconds until the report and an empty page are drawn; None without Chromium."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        files = {"report": Path(folder, "report.html"), "empty": Path(folder, "empty.html")}
        for name, text in (("report", page), ("empty", EMPTY)):
            files[name].write_text(text, encoding="utf-8")
        times: dict[str, list[float]] = {name: [] for name in files}
        for _ in range(rounds + 1):
            for name, path in files.items():
                times[name].append(drawn(browser, path, Path(folder)))
    return {name: statistics.median(found[1:]) for name, found in times.items()}  # the first one fills the caches


def drawn(browser: str, page: Path, folder: Path) -> float:
    """Return the seconds of a browser that draws a page and ends."""
    words = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={folder / 'profile'}",
        "--window-size=1280,900",
    ]
    start = time.perf_counter()
    subprocess.run(
        [browser, *words, f"--screenshot={folder / 'shot.png'}", page.as_uri()], check=True, capture_output=True
    )
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
