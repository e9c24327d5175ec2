"""One evaluated case and its file: the counts that all figures are made of, so nothing is predicted twice."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.write import write_bytes
from monai_tumor.metrics.boundary import Boundary
from monai_tumor.metrics.lesions import LesionCounts
from monai_tumor.metrics.levels import CaseLevels
from monai_tumor.metrics.logits import LogitCounts, no_pixels
from monai_tumor.metrics.measures import ScoredCase
from monai_tumor.metrics.overlap import Overlap
from monai_tumor.metrics.uncertainty import Uncertainty

_OVERLAP = ("true_positive", "false_positive", "false_negative", "true_negative")
_LESIONS = ("reference", "found", "predicted", "false")
_ABOUT = ("id", "group", "label", "scanner", "dataset")
_UNSURE = ("disagreement", "entropy", "maps")


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedCase:
    """What evaluation keeps of one case with a reference.

    Attributes:
        scored: How the mask agrees with the reference.
        levels: Histograms of the probabilities, before threshold and smallest area.
        logits: Counts of the logits of all pixels.
        uncertainty: How much several predictions differ; None where there was one.
    """

    scored: ScoredCase
    levels: CaseLevels
    logits: LogitCounts
    uncertainty: Uncertainty | None

    @property
    def id(self) -> str:
        """The id of the case."""
        return self.scored.id

    @property
    def unsure(self) -> float:
        """The uncertainty by which cases are referred; NaN where there was one prediction."""
        return float("nan") if self.uncertainty is None else self.uncertainty.score

    def in_group(self, group: str) -> EvaluatedCase:
        """Return the same case under another group."""
        return replace(self, scored=replace(self.scored, group=group), levels=replace(self.levels, group=group))


def write_case(path: Path, case: EvaluatedCase) -> None:
    """Write one case as a ``.npz`` file, some kilobytes, whole or not at all.

    Raises:
        WrongCallError: The file exists, or cannot be written.
    """
    scored, levels, logits = case.scored, case.levels, case.logits
    occurring = np.flatnonzero(logits.both)
    arrays: dict[str, Any] = {
        "about": np.array(json.dumps({name: getattr(scored, name) for name in _ABOUT})),
        "overlap": np.array([getattr(scored.overlap, name) for name in _OVERLAP], np.int64),
        "to_reference": scored.boundary.to_reference,
        "to_prediction": scored.boundary.to_prediction,
        "histograms": np.stack([levels.lesion, levels.ground]),
        "small": np.stack([levels.small_lesion, levels.small_ground]),
        "logit_places": occurring.astype(np.int32),
        "logit_counts": np.stack([logits.positive[occurring], logits.negative[occurring]]),
    }
    if scored.lesions is not None:
        arrays["lesions"] = np.array([getattr(scored.lesions, name) for name in _LESIONS], np.int64)
    if case.uncertainty is not None:
        arrays["uncertainty"] = np.array([getattr(case.uncertainty, name) for name in _UNSURE], np.float64)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_bytes(path, buffer.getvalue())


def read_case(path: Path) -> EvaluatedCase:
    """Read a case as ``write_case`` wrote it; every figure is the same to the last digit.

    Raises:
        WrongDataError: It is no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return _case({name: file[name] for name in file.files})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())
        raise WrongDataError(f"{path} is no case of an evaluation ({reason}); delete it and evaluate again") from error


def _case(arrays: dict[str, NDArray[Any]]) -> EvaluatedCase:
    about = json.loads(str(arrays["about"]))
    counts = Overlap(*arrays["overlap"].tolist())
    edges = Boundary(arrays["to_reference"], arrays["to_prediction"])
    lesions = LesionCounts(*arrays["lesions"].tolist()) if "lesions" in arrays else None
    scored = ScoredCase(about.pop("id"), about.pop("group"), counts, edges, lesions, **about)
    levels = CaseLevels(scored.group, *arrays["histograms"], *arrays["small"])
    unsure = arrays.get("uncertainty")
    return EvaluatedCase(scored, levels, _logits(arrays), None if unsure is None else _uncertainty(unsure))


def _logits(arrays: dict[str, NDArray[Any]]) -> LogitCounts:
    counts = no_pixels()
    for column, occurring in zip((counts.positive, counts.negative), arrays["logit_counts"], strict=True):
        column[arrays["logit_places"]] = occurring
    return counts


def _uncertainty(values: NDArray[np.float64]) -> Uncertainty:
    disagreement, entropy, maps = values.tolist()
    return Uncertainty(disagreement, entropy, int(maps))
