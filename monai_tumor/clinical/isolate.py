"""Decoding in a child process with bounds on memory and time, so that a hostile file costs one line and nothing else."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from monai_tumor.clinical.items import InputItem
from monai_tumor.clinical.limits import STANDARD, Limits
from monai_tumor.clinical.record import from_record, item_record
from monai_tumor.clinical.source import SourceImage
from monai_tumor.clinical.worker import DONE, RECORD, STACK
from monai_tumor.errors import WrongDataError

_MODULE = "monai_tumor.clinical.worker"
# A decoder that waits instead of computing is ended by the clock; a loaded machine gives it a part of a processor only.
_CLOCK_FACTOR = 10
_CLOCK_SECONDS = 30
_MEGABYTE = 1 << 20


class IsolatedReader:
    """One child that decodes many inputs, started when it is needed and again after it was killed.

    Use it in a ``with`` block, or call ``close``. Its calls may come from several threads; they wait for each other.

    Args:
        memory_mb: Address space that decoding one input may take.
        cpu_seconds: Processor time that decoding one input may take.
        limits: The bounds that are checked before decoding.
    """

    def __init__(self, memory_mb: int = 4096, cpu_seconds: int = 60, limits: Limits = STANDARD) -> None:
        self.memory_mb = memory_mb
        self.cpu_seconds = cpu_seconds
        self.limits = limits
        self._child: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> IsolatedReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            with contextlib.suppress(OSError):
                _open(stream).close()

    def read(self, item: InputItem) -> SourceImage:
        """Read an input as ``read_source`` does; the pixels are mapped from a file that has no name any more.

        Raises:
            WrongDataError: It cannot be read, crashes a decoder, or takes more memory or time than allowed.
        """
        if item.error:
            raise WrongDataError(item.error)
        with self._lock, tempfile.TemporaryDirectory(prefix="monai-tumor-") as folder:
            self._ask(item, Path(folder))
            record = json.loads(Path(folder, RECORD).read_text(encoding="utf-8"))
            if "error" in record:
                raise WrongDataError(record["error"])
            stack = np.load(Path(folder, STACK), mmap_mode="r" if os.name == "posix" else None, allow_pickle=False)
            return from_record(record, stack)

    def _ask(self, item: InputItem, folder: Path) -> None:
        child = self._running()
        request = {
            "item": item_record(item),
            "folder": str(folder),
            "memory_bytes": self.memory_mb * _MEGABYTE,
            "cpu_seconds": self.cpu_seconds,
            "limits": asdict(self.limits),
        }
        late = threading.Event()
        clock = threading.Timer(self.cpu_seconds * _CLOCK_FACTOR + _CLOCK_SECONDS, _end, (child, late))
        clock.start()
        try:
            answer = _exchange(child, json.dumps(request))
        finally:
            clock.cancel()
        if answer != DONE:
            code = child.wait()
            self.close()
            raise WrongDataError(f"{item.name} {self._reason(code, late.is_set())}; copy it again, or leave it out")

    def _running(self) -> subprocess.Popen[str]:
        if self._child is None or self._child.poll() is not None:
            self.close()
            # -P: a module in the current folder is not to be taken for one of ours; what we can import, it can too.
            places = [place or str(Path.cwd()) for place in sys.path]
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", _MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
            )
        return self._child

    def _reason(self, code: int, late: bool) -> str:
        if late:
            return "did not come to an end while it was decoded"
        if code == -getattr(signal, "SIGXCPU", 0):
            return f"needs more than {self.cpu_seconds} s of processor time to be decoded, which no image does"
        if code == -getattr(signal, "SIGKILL", 0):
            return "was ended by the system while it was decoded (no memory left?)"
        return "made the decoder crash"


_shared: dict[tuple[int, int], IsolatedReader] = {}


def decode_isolated(item: InputItem, memory_mb: int = 4096, cpu_seconds: int = 60) -> SourceImage:
    """Read one input in a child that is kept for the next one; see ``IsolatedReader``.

    Raises:
        WrongDataError: It cannot be read, crashes a decoder, or takes more memory or time than allowed.
    """
    key = (memory_mb, cpu_seconds)
    if key not in _shared:
        _shared[key] = IsolatedReader(memory_mb, cpu_seconds)
        atexit.register(_shared[key].close)
    return _shared[key].read(item)


def _exchange(child: subprocess.Popen[str], request: str) -> str:
    """Send a request and wait for the answer; nothing comes from a child that was killed."""
    try:
        pipe = _open(child.stdin)
        pipe.write(request + "\n")
        pipe.flush()
        return _open(child.stdout).readline().strip()
    except (BrokenPipeError, ValueError):
        return ""


def _open(stream: Any) -> IO[str]:
    assert stream is not None
    return stream  # type: ignore[no-any-return]


def _end(child: subprocess.Popen[str], late: threading.Event) -> None:
    late.set()
    child.kill()
