"""Evaluations made by hand: squares on a grey picture that is not square."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from monai_tumor.evaluation.evaluated_case import EvaluatedCase
from monai_tumor.metrics.calibration import measure_calibration
from monai_tumor.metrics.levels import case_levels
from monai_tumor.metrics.logits import no_pixels, pixel_logits
from monai_tumor.metrics.measures import score_case
from monai_tumor.metrics.precision_recall import precision_recall
from monai_tumor.metrics.summary import summarise_cases
from monai_tumor.metrics.uncertainty import Uncertainty, referral_curve
from monai_tumor.reporting.content import ReportContent

SHAPE = (48, 80)
RECORD = {
    "bundle": "breast",
    "status": "finished",
    "seed": 7,
    "settings": {"network": "unet", "recipe": None, "parameters": 1234},
    "data": {"dataset": "scans", "synthetic": False, "fingerprint": "f" * 64, "split": "5" * 64, "rule": "by group"},
    "hardware": {"device": "CPU", "cores": 2},
    "metric": "lesion_dice",
    "best": 0.5,
    "best_epoch": 2,
    "history": [{"epoch": 1, "loss": 1.5, "lesion_dice": 0.25}, {"epoch": 2, "loss": 0.75, "lesion_dice": 0.5}],
    "cpu_seconds": 7200.0,
}
_VOID = {"meta", "input", "br", "image", "use", "path", "rect"}


def square(top: int, left: int, side: int = 12) -> np.ndarray:
    """A mask with one square; none where ``side`` is 0."""
    mask = np.zeros(SHAPE, bool)
    mask[top : top + side, left : left + side] = True
    return mask


class Evaluation:
    """Grows case by case, then gives the content of its report."""

    def __init__(self) -> None:
        self.cases: list[EvaluatedCase] = []
        self.masks: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._names = 0

    def add(self, reference: np.ndarray, prediction: np.ndarray, name: str = "", **about: Any) -> str:
        """Add a case; ``about`` is group, label and unsure."""
        name, self._names = name or f"case-{self._names}", self._names + 1
        group, unsure = about.pop("group", name), about.pop("unsure", None)
        probability = np.where(prediction, 0.9, 0.1)
        self.cases.append(
            EvaluatedCase(
                score_case(name, group, prediction, reference, **about),
                case_levels(probability, reference, group),
                pixel_logits(np.log(probability / (1 - probability)), reference),
                None if unsure is None else Uncertainty(unsure, unsure, 2),
            )
        )
        self.masks[name] = reference, prediction
        return name

    def content(
        self, record: dict[str, Any] = RECORD, beside: dict[str, Any] | None = None, **more: Any
    ) -> ReportContent:
        """Return the content; ``more`` is added to the metrics, which have gone through JSON as those of a file have."""
        metrics = json.loads(json.dumps({**self._metrics(), **more}, allow_nan=False))
        return ReportContent(metrics, self.cases, record, self.load, lambda name: self.masks[name][1], beside or {})

    def load(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return a picture of its own, and the reference."""
        seed = list(self.masks).index(name)
        return np.random.default_rng(seed).integers(20, 90, SHAPE).astype(np.uint8), self.masks[name][0]

    def _metrics(self) -> dict[str, Any]:
        logits = sum((case.logits for case in self.cases), no_pixels())
        lesion = [case for case in self.cases if case.scored.overlap.has_reference_lesion]
        unsure = [case for case in self.cases if case.uncertainty is not None]
        referral = referral_curve([case.scored.overlap.dice for case in unsure], [case.unsure for case in unsure])
        return {
            "part": "test",
            "dataset": "scans",
            "split": "5" * 64,
            "weights_sha256": "a" * 64,
            "threshold": 0.5,
            "smallest_area": 0.0,
            "seed": 0,
            "versions": {"python": "3.11", "monai-tumor": "0.1.0"},
            **summarise_cases([case.scored for case in self.cases]),
            "operating_point": None,
            "calibration": {"temperature": None, "before": measure_calibration(logits).plain(), "after": None},
            "precision_recall": precision_recall([case.levels for case in self.cases]).plain() if lesion else None,
            "referral": replace(referral).plain() if unsure else None,
        }


class Outline(HTMLParser):
    """Collects tags, texts and attributes, and refuses tags that do not close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.text += f" {data}"

    def values(self, attribute: str, tag: str = "") -> list[str]:
        """Return what an attribute says, everywhere or in one kind of tag."""
        return [value for its, name, value in self.attributes if name == attribute and tag in ("", its)]


@pytest.fixture
def evaluation() -> Evaluation:
    """An evaluation without a case."""
    return Evaluation()


@pytest.fixture
def mixed(evaluation: Evaluation) -> Evaluation:
    """Twelve found lesions, better and better; two missed; two lesion-free cases, one of them marked."""
    for shift in range(12):
        evaluation.add(square(10, 20), square(10, 31 - shift), f"found-{shift}", label="benign", unsure=shift / 20)
    evaluation.add(square(10, 20), square(0, 0, 0), "missed-small", label="malignant", unsure=0.5)
    evaluation.add(square(10, 20, 30), square(0, 60, 5), "missed-large", label="malignant", unsure=0.6)
    evaluation.add(square(0, 0, 0), square(5, 50, 7), "marked", label="normal", unsure=0.7)
    evaluation.add(square(0, 0, 0), square(0, 0, 0), "clean", label="normal", unsure=0.0)
    return evaluation


@pytest.fixture
def outline() -> type[Outline]:
    """Reads a page."""
    return Outline


@pytest.fixture(name="square")
def square_fixture():
    """Draws a mask with one square."""
    return square
