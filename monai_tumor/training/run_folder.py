"""The folder of one training: claimed when the trainer starts, never before, and never overwritten."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from monai_tumor.errors import WrongCallError
from monai_tumor.imaging.write import write_text
from monai_tumor.training.process import rank, same_on_all

try:
    import fcntl
except ImportError:  # Windows has no flock: runs are then not guarded against a second trainer
    fcntl = None  # type: ignore[assignment]

CHECKPOINT = Path("models", "checkpoint.pt")
WEIGHTS = Path("models", "model.pt")
RUN_FILE = "run.json"
# The workers of a killed trainer notice its death within five seconds, and hold its lock until then.
LOCK_PATIENCE_SECONDS = 15.0
# What ``claim_number`` gave in this process, newest last: the command line reads here which run it has made.
claimed_folders: list[Path] = []


class RunFolder:
    """One run: ``configs/ models/ docs/ run.json split.json evaluation/``, the layout of a packed MONAI bundle.

    Making this object makes nothing on disk.

    Args:
        bundle: Name of the bundle; runs are numbered in ``runs/<bundle>/`` of the current folder.
        run_dir: Folder to use instead; it must not exist yet, or be empty.
        resume: A run to go on with.
        write_configs: Writes the configuration as used into the folder it is given.

    Raises:
        WrongCallError: ``resume`` is not a run with a checkpoint, or is given beside ``run_dir``.
    """

    def __init__(
        self,
        bundle: str,
        run_dir: str | None = None,
        resume: str | None = None,
        write_configs: Callable[[Path], None] | None = None,
    ) -> None:
        self.bundle, self.run_dir, self.resume, self.write_configs = bundle, run_dir, resume, write_configs
        self._path: Path | None = None
        self._locked: int | None = None
        self.record: dict[str, Any] = {}
        if resume is not None and run_dir is not None:
            raise WrongCallError("resume and run_dir exclude each other: a resumed run stays in its own folder")
        if resume is not None and not (Path(resume) / CHECKPOINT).is_file():
            raise WrongCallError(f"resume: {resume} has no {CHECKPOINT}; give the folder of an unfinished run")

    @property
    def is_claimed(self) -> bool:
        """Whether the trainer has started and the folder exists."""
        return self._path is not None

    @property
    def path(self) -> Path:
        """The claimed folder.

        Raises:
            WrongCallError: The trainer has not started yet.
        """
        if self._path is None:
            raise WrongCallError("the run folder is claimed when the trainer starts; nothing has been trained yet")
        return self._path

    @property
    def checkpoint(self) -> Path:
        """Everything that an exact resume needs."""
        return self.path / CHECKPOINT

    @property
    def weights(self) -> Path:
        """The best weights, tensors only."""
        return self.path / WEIGHTS

    def claim(self) -> None:
        """Make the folder on the first process and tell the others; a second call does nothing."""
        if self._path is not None:
            return
        if self.resume is not None:
            self.record = _read_record(Path(self.resume))
            self._path = Path(self.resume)
            self._lock()
            return
        self._path = Path(same_on_all(str(self._claimed()) if rank() == 0 else None))
        self._lock()
        if rank() == 0:
            for name in ("configs", "models", "docs"):
                (self._path / name).mkdir()
            if self.write_configs is not None:
                self.write_configs(self._path)

    def update(self, **values: Any) -> None:
        """Put ``values`` into ``run.json``, written whole by the first process."""
        self.record.update(values)
        if rank() == 0:
            text = json.dumps(self.record, indent=1, ensure_ascii=False, default=str)
            write_text(self.path / RUN_FILE, text + "\n", overwrite=True)
        if self.record.get("status") != "running" and self._locked is not None:
            os.close(self._locked)
            self._locked = None

    def _lock(self) -> None:
        """Keep others from training into the same run; the system lets go when the process ends, however it ends."""
        if rank() != 0 or fcntl is None:
            return
        self._locked = os.open(self.path, os.O_RDONLY)
        deadline = time.monotonic() + LOCK_PATIENCE_SECONDS
        while True:
            try:
                fcntl.flock(self._locked, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError as error:
                if time.monotonic() < deadline:
                    time.sleep(0.2)
                    continue
                os.close(self._locked)
                self._locked = None
                raise WrongCallError(
                    f"{self.path} is being trained by another process; wait for it, or stop it"
                ) from error

    def _claimed(self) -> Path:
        if self.run_dir is None:
            return claim_number(Path("runs", self.bundle))
        folder = Path(self.run_dir)
        if folder.is_dir() and any(folder.iterdir()):
            raise WrongCallError(f"run_dir {folder} is not empty; runs are never overwritten: give another folder")
        return _made(folder, exist_ok=True)


def claim_number(folder: Path, suffix: str = "") -> Path:
    """Make and return the next numbered folder, ``001`` first; safe against others that do the same.

    Args:
        folder: Where the numbered folders lie; made if absent.
        suffix: Follows the number, as in ``001-test``.

    Raises:
        WrongCallError: The folder cannot be written.
    """
    _made(folder, exist_ok=True)
    number = next_number(folder) - 1
    while True:
        number += 1
        if not any(folder.glob(f"{number:03d}*")):
            try:
                claimed_folders.append(_made(folder / f"{number:03d}{suffix}"))
            except FileExistsError:
                continue
            return claimed_folders[-1]


def next_number(folder: Path) -> int:
    """Return the number after the highest one in ``folder``, which need not exist; nothing is claimed."""
    entries = folder.iterdir() if folder.is_dir() else ()
    return 1 + max((int(entry.name[:3]) for entry in entries if entry.name[:3].isdigit()), default=0)


def fold_count(run: Path) -> int | None:
    """Return the number of folds of a fold set; None for any other run or bundle."""
    try:
        record = json.loads((run / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    folds = record.get("folds") if isinstance(record, dict) else None
    return folds if isinstance(folds, int) else None


def _read_record(run: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads((run / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WrongCallError(
            f"{run / RUN_FILE} is missing or damaged, so the run cannot be resumed; start a new one"
        ) from error
    return record


def _made(folder: Path, exist_ok: bool = False) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=exist_ok)
    except FileExistsError as error:
        if folder.is_dir():
            raise
        raise WrongCallError(f"{folder} is a file where a folder is to be made; move it away") from error
    except OSError as error:
        raise WrongCallError(
            f"{folder} cannot be made: {error.strerror}; change to a folder you can write to"
        ) from error
    return folder
