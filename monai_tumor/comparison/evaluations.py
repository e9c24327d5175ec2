"""Two finished evaluations of the same cases: found, read, and refused where the same id is not the same picture."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.evaluation.evaluated_case import read_case
from monai_tumor.metrics.measures import ScoredCase
from monai_tumor.wording import count_of

_FINISHED, _BEGUN = "metrics.json", "evaluation.json"
_NUMBERED = re.compile(r"(\d+)-(.+)")


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedRun:
    """A finished evaluation.

    Attributes:
        folder: Where it lies.
        metrics: Its ``metrics.json``.
        cases: Case id to how the mask agrees with the reference, sorted by id.
    """

    folder: Path
    metrics: Mapping[str, Any]
    cases: Mapping[str, ScoredCase]

    def mask(self, case_id: str) -> Path:
        """Return the file of the predicted mask of a case."""
        return self.folder / "predictions" / f"{case_id}.png"


def paired_evaluations(first: str | Path, second: str | Path, part: str = "test") -> tuple[EvaluatedRun, EvaluatedRun]:
    """Read two evaluations whose cases can be paired.

    Args:
        first: A run, of which the newest finished evaluation of the part is taken, or an evaluation folder.
        second: The other one.
        part: Part of the split, for runs.

    Raises:
        WrongCallError: One is not there or not finished, or both are the same.
        WrongDataError: They are about other data, other cases, other references or other groups.
    """
    folders = evaluation_folder(Path(first), part), evaluation_folder(Path(second), part)
    if folders[0].resolve() == folders[1].resolve():
        raise WrongCallError(f"{first} and {second} are one evaluation ({folders[0]}); give two different ones")
    metrics = _read_metrics(folders[0]), _read_metrics(folders[1])
    _refuse_other_data(folders, metrics)
    pair = _read(folders[0], metrics[0]), _read(folders[1], metrics[1])
    _refuse_other_cases(*pair)
    _refuse_other_references(*pair)
    return pair


def evaluation_folder(given: Path, part: str = "test") -> Path:
    """Return the folder of a finished evaluation: the given one, or the newest one of a part of a run.

    Raises:
        WrongCallError: There is none.
    """
    if not given.is_dir():
        raise WrongCallError(f"{given} is no folder; give a run, or one of its evaluations (RUN/evaluation/NNN-PART)")
    if (given / _FINISHED).is_file():
        return given
    if (given / _BEGUN).is_file():
        raise WrongCallError(f"evaluation {given} is not finished (no {_FINISHED}); evaluate the run again")
    finished = [path.parent for path in sorted(given.glob(f"evaluation/*/{_FINISHED}"))]
    numbers = {
        int(match[1]): path for path in finished if (match := _NUMBERED.fullmatch(path.name)) and match[2] == part
    }
    if not numbers:
        others = ", ".join(path.name for path in finished) or "none"
        raise WrongCallError(
            f"{given} has no finished evaluation of its {part} part (finished: {others}); "
            "make one with monai-tumor evaluate, or give --part or an evaluation folder"
        )
    return numbers[max(numbers)]


def _read_metrics(folder: Path) -> dict[str, Any]:
    try:
        metrics = json.loads((folder / _FINISHED).read_text(encoding="utf-8"))
        return {"dataset": metrics["dataset"], "split": metrics["split"], **metrics}
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"no key {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise WrongDataError(f"{folder / _FINISHED} is not that of an evaluation ({reason}); evaluate again") from error


def _read(folder: Path, metrics: Mapping[str, Any]) -> EvaluatedRun:
    scored = [read_case(path).scored for path in sorted((folder / "cases").rglob("*.npz"))]
    if not scored:
        raise WrongDataError(f"{folder} has no figures of single cases (cases/*.npz) to be paired; evaluate again")
    return EvaluatedRun(folder, metrics, {case.id: case for case in sorted(scored, key=lambda case: case.id)})


def _refuse_other_data(folders: tuple[Path, Path], metrics: tuple[Mapping[str, Any], Mapping[str, Any]]) -> None:
    names = [one["dataset"] for one in metrics]
    if names[0] != names[1]:
        raise WrongDataError(
            f"{folders[0]} is about data set {names[0]!r}, {folders[1]} about {names[1]!r}; give evaluations of the same cases"
        )
    pictures = [_pictures(one) for one in metrics]
    if pictures[0] != pictures[1]:
        raise WrongDataError(
            f"{folders[0]} is on {pictures[0][:21]}, {folders[1]} on {pictures[1][:21]}, so the same id need not be the same "
            "picture; give evaluations on one split file"
        )


def _pictures(metrics: Mapping[str, Any]) -> str:
    """Return what says which pictures the ids are; an external test is outside of the split of its run."""
    fingerprint = (metrics.get("sealed") or {}).get("data_fingerprint")
    return f"data {fingerprint}" if fingerprint else f"split {metrics['split']}"


def _refuse_other_cases(first: EvaluatedRun, second: EvaluatedRun) -> None:
    single = sorted(first.cases.keys() ^ second.cases.keys())
    if single:
        owner = first if single[0] in first.cases else second
        raise WrongDataError(
            f"{count_of(len(single), 'case is', 'cases are')} in one evaluation only ({single[0]!r} first, in {owner.folder}); "
            "give evaluations of the same cases"
        )


def _refuse_other_references(first: EvaluatedRun, second: EvaluatedRun) -> None:
    facts = {name: (_reference(first.cases[name]), _reference(second.cases[name])) for name in first.cases}
    differing = [name for name, (one, other) in facts.items() if one != other]
    if differing:
        one, other = facts[differing[0]]
        raise WrongDataError(
            f"the references of {count_of(len(differing), 'case', 'cases')} differ "
            f"({differing[0]!r} first: {one}, then {other}); evaluate both runs on the same files"
        )


def _reference(case: ScoredCase) -> str:
    counts = case.overlap
    lesion = counts.true_positive + counts.false_negative
    pixels = lesion + counts.false_positive + counts.true_negative
    return f"{lesion} of {pixels} pixels, group {case.group!r}"
