"""Our own commands in a process each: memory is that of one training, and a crash costs one training."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monai_tumor.bundles.finish import INTERRUPTED
from monai_tumor.bundles.running import local_settings

PROGRAM = (sys.executable, "-m", "monai_tumor")
# A training stops after its batch; one that has not even heard of Ctrl-C goes on.
_PATIENCE_SECONDS = 5.0


def call_program(
    words: Sequence[str], log: Path, what: str, program: Sequence[str] = PROGRAM, inherited: Sequence[int] = ()
) -> str | None:
    """Call the program and wait for it.

    Args:
        words: What follows the name of the program.
        log: File that its output is added to.
        what: What it does, for the message.
        program: How it is called.
        inherited: File handles that it keeps open, see ``FrozenFolder.inherited``.

    Returns:
        Why it failed, in one line; None when it did not.

    Raises:
        KeyboardInterrupt: It was interrupted; what it had trained is kept.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        former = file.tell()
        process = subprocess.Popen(
            [*program, *words], stdin=subprocess.DEVNULL, stdout=file, stderr=file, pass_fds=tuple(inherited)
        )
        code = _wait(process)
    if code in (INTERRUPTED, -signal.SIGINT):
        raise KeyboardInterrupt
    ended = f"exit code {code}" if code > 0 else f"signal {-code}"
    return None if code == 0 else f"{what} ended with {ended}: {_last_line(log, former)} (see {log})"


def training_words(run: Path, begin: Sequence[str], go_on: Sequence[str]) -> list[str]:
    """Return the words that train a run: resumed from its checkpoint where there is one, else begun.

    A run that ended before its first checkpoint is moved out of the way: nothing is deleted.

    Args:
        run: Its folder.
        begin: The words that follow ``train`` for a new one, without its folder.
        go_on: Those that follow ``train --resume RUN``.
    """
    if has_checkpoint(run):
        return ["train", "--resume", str(run), *go_on]
    _set_aside(run)
    return ["train", *begin]


def set_words(words: Sequence[str]) -> list[str]:
    """Return ``--set`` before each ``KEY=VALUE``."""
    return [part for word in words for part in ("--set", word)]


def is_local(setting: str, bundle: Path) -> bool:
    """Return whether a setting belongs to this machine, so that a resumed run does not know it: paths, device, cache."""
    return setting.replace("::", "#").partition("#")[0] in local_settings(bundle)


def read_record(run: Path) -> dict[str, Any]:
    """Return ``run.json`` of a run; empty where there is none that can be read."""
    try:
        record: dict[str, Any] = json.loads((run / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record


def has_checkpoint(run: Path) -> bool:
    """Return whether a run can be resumed."""
    return (run / "models" / "checkpoint.pt").is_file()


def is_finished(run: Path) -> bool:
    """Return whether a run was trained to its end."""
    return read_record(run).get("status") == "finished"


def log_of(run: Path) -> Path:
    """Return where the output of the processes of a run stands."""
    return run.with_name(f"{run.name}.log")


def _set_aside(run: Path) -> None:
    if run.is_dir() and any(run.iterdir()):
        number = 1
        while run.with_name(f"{run.name}-aborted-{number}").exists():
            number += 1
        run.rename(run.with_name(f"{run.name}-aborted-{number}"))


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process; on Ctrl-C let it save its checkpoint first.

    A terminal sends Ctrl-C to it as well. A signal that only this process got is passed on.
    """
    try:
        return process.wait()
    except KeyboardInterrupt:
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            process.wait()
        raise


def _last_line(log: Path, start: int) -> str:
    """Return the error that a process wrote after the first ``start`` bytes of its log, or its last line."""
    text = log.read_bytes()[start:].decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (errors or lines or ["it said nothing"])[-1]
