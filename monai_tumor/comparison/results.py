"""The results of one training on one fold, read from the files of its run."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from monai_tumor.comparison.training import evaluation_of, read_record
from monai_tumor.metrics.measures import LESION_MEASURES

_LEAST_SECONDS = 60


@dataclass(frozen=True, slots=True)
class CaseFigures:
    """One tested case.

    Attributes:
        group: What was divided by the split, and so what is resampled.
        has_lesion: Whether the reference has a lesion.
        is_missed: Whether it has one of which no pixel was predicted.
        false_positive: Pixels that were predicted outside of the reference.
        values: Name of a measure to its value, NaN where it is undefined.
    """

    group: str
    has_lesion: bool
    is_missed: bool
    false_positive: int
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FoldResult:
    """A finished run with its test.

    Attributes:
        run: Its folder.
        evaluation: The folder of the test.
        record: ``run.json``.
        cases: Case id to its figures, every case with a reference.
    """

    run: Path
    evaluation: Path
    record: Mapping[str, Any]
    cases: Mapping[str, CaseFigures]

    @property
    def minutes(self) -> float:
        """Minutes from the first step to the last checkpoint."""
        return float(self.record["history"][-1]["seconds"]) / 60

    @property
    def cpu_share(self) -> float | None:
        """Share of the cores' time that the training had.

        None for a resumed one, whose parts are not all known, and for one of less than a minute: the processor time of a
        process begins before its training does.
        """
        cores, used = self.record.get("hardware", {}).get("cores"), self.record.get("cpu_seconds")
        if self.record.get("resumed") or not cores or used is None:
            return None
        wall = datetime.fromisoformat(self.record["ended"]) - datetime.fromisoformat(self.record["started"])
        return float(used / (wall.total_seconds() * cores)) if wall.total_seconds() >= _LEAST_SECONDS else None

    def mask(self, case_id: str) -> Path:
        """Return the file of the predicted mask of a case."""
        return self.evaluation / "predictions" / f"{case_id}.png"


def read_fold(run: Path) -> FoldResult | None:
    """Return the results of a run, or None when it is not finished and tested."""
    evaluation = evaluation_of(run)
    return None if evaluation is None else FoldResult(run, evaluation, read_record(run), _cases(evaluation))


def _cases(evaluation: Path) -> dict[str, CaseFigures]:
    with (evaluation / "cases.csv").open(encoding="utf-8", newline="") as file:
        return {row["case"]: _figures(row) for row in csv.DictReader(file)}


def _figures(row: Mapping[str, str]) -> CaseFigures:
    hit, missing = int(row["true_positive"]), int(row["false_negative"])
    return CaseFigures(
        group=row["group"],
        has_lesion=hit + missing > 0,
        is_missed=hit == 0 < missing,
        false_positive=int(row["false_positive"]),
        values={one.name: float(row[one.name] or math.nan) for one in LESION_MEASURES},
    )
