"""The report of an evaluation, put into its folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_tumor.evaluation.folder import METRICS
from monai_tumor.imaging.read import read_mask
from monai_tumor.imaging.write import write_text
from monai_tumor.reporting.content import ReportContent
from monai_tumor.reporting.names import ESTIMATES, evaluation_title
from monai_tumor.reporting.page import build_report
from monai_tumor.reporting.read import read_json

if TYPE_CHECKING:
    from monai_tumor.evaluation import RecordEvaluation

REPORT = "report.html"


def write_report(evaluation: RecordEvaluation) -> Path:
    """Write ``report.html`` of an evaluation whose cases and figures are there, and return its path.

    Figures on other data stand beside: an external test beside the newest test of the run's own data, and the other way round.
    """
    folder = evaluation.folder
    content = ReportContent(
        evaluation.metrics,
        evaluation.cases,
        read_json(evaluation.root / "run.json"),
        evaluation.source.load,
        lambda case: read_mask(folder.mask_file(case)),
        dict(_beside(evaluation.root, folder.path, evaluation.metrics)),
    )
    path = folder.path / REPORT
    write_text(path, build_report(content), overwrite=True)
    return path


def _beside(root: Path, folder: Path, metrics: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return title and figures of the newest evaluation of every other part that is an estimate."""
    if metrics["part"] not in ESTIMATES:
        return
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((root / "evaluation").glob(f"*/{METRICS}")):
        other = read_json(path)
        if path.parent != folder and other.get("part") in ESTIMATES:
            found[evaluation_title(other, path.parent)] = other
    own = evaluation_title(metrics, folder)
    yield from ((title, other) for title, other in found.items() if title != own)
