"""The folder of one evaluation: claimed when it starts, gone on with after a kill, never overwritten."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from monai_tumor.cases import natural_key
from monai_tumor.errors import WrongCallError
from monai_tumor.evaluation.evaluated_case import EvaluatedCase, read_case
from monai_tumor.imaging.write import write_text
from monai_tumor.training.run_folder import claim_number, claimed_folders

try:
    import fcntl
except ImportError:  # Windows has no flock: two evaluations at once are then not noticed
    fcntl = None  # type: ignore[assignment]

IDENTITY = "evaluation.json"
METRICS = "metrics.json"


class EvaluationFolder:
    """``evaluation/NNN-PART`` of a run; while this object holds it, no other process goes on in it.

    Args:
        root: The run.
        identity: What is evaluated and how, JSON-able, with ``part``. An unfinished folder of the same is gone on with.
        name: Name of the folder; None for the next number and the part.
    """

    def __init__(self, root: Path, identity: Mapping[str, Any], name: str | None = None) -> None:
        self.root, self.identity, self.name = root, dict(identity), name
        self._path: Path | None = None
        self._lock: int | None = None

    @property
    def path(self) -> Path:
        """The folder.

        Raises:
            RuntimeError: The evaluation has not started.
        """
        if self._path is None:
            raise RuntimeError("the evaluation has not started")
        return self._path

    def done(self) -> set[str]:
        """Return the ids of the cases that an earlier, unfinished evaluation of the same has; makes nothing on disk."""
        if self._path is None:
            self._path = next(filter(self._is_to_go_on, evaluations(self.root, self.identity["part"])), None)
        return set() if self._path is None else set(_case_files(self._path))

    def open(self) -> None:
        """Claim a new folder, unless one is gone on with."""
        self.done()
        if self._path is None:
            parent = self.root / "evaluation"
            if self.name is None:
                self._path = claim_number(parent, f"-{self.identity['part']}")
            else:
                self._path = _made(parent / self.name)
            if fcntl is not None:
                self._locked(self._path)
            write_text(self._path / IDENTITY, json.dumps(self.identity, indent=1, ensure_ascii=False) + "\n")
        claimed_folders.append(self._path)

    def close(self) -> None:
        """Let others have the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def mask_file(self, case: str) -> Path:
        """Return where the predicted mask of a case lies."""
        return self.path / "predictions" / f"{case}.png"

    def case_file(self, case: str) -> Path:
        """Return where the counts of a case lie."""
        return self.path / "cases" / f"{case}.npz"

    def _is_to_go_on(self, folder: Path) -> bool:
        same = not is_finished(folder) and identity_of(folder) == self.identity
        return same and (fcntl is None or self._locked(folder))

    def _locked(self, folder: Path) -> bool:
        self._lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.close()
            return False
        return True


def _made(folder: Path) -> Path:
    """Make a folder, or take one that is empty: a kill may have come between its making and its first file.

    Raises:
        WrongCallError: It cannot be made, or holds what is not to be gone on with.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = any(folder.iterdir())
    except OSError as error:
        raise WrongCallError(f"{folder} cannot be made: {error.strerror}; look what lies there") from error
    if held:
        raise WrongCallError(
            f"{folder} is at work in another process, or damaged; wait for it, or look what lies there"
        )
    return folder


def evaluations(root: Path, part: str) -> list[Path]:
    """Return the evaluation folders of one part of a run, the first one first."""
    found = (path.parent for path in (root / "evaluation").glob(f"*/{IDENTITY}"))
    return [path for path in sorted(found) if identity_of(path).get("part") == part]


def is_finished(folder: Path) -> bool:
    """Return whether an evaluation came to its end."""
    return (folder / METRICS).is_file()


def identity_of(folder: Path) -> dict[str, Any]:
    """Return what is evaluated in a folder; empty where nobody can say."""
    try:
        found: dict[str, Any] = json.loads((folder / IDENTITY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def read_cases(folder: Path) -> list[EvaluatedCase]:
    """Return the evaluated cases of a folder, sorted by id."""
    return [read_case(path) for _, path in sorted(_case_files(folder).items(), key=lambda item: natural_key(item[0]))]


def _case_files(folder: Path) -> dict[str, Path]:
    return dict(_named(folder / "cases"))


def _named(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*.npz"):
        yield str(path.relative_to(folder))[: -len(".npz")], path
