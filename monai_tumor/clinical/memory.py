"""Bounds on the address space and processor time of this process, where the operating system has them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:  # Windows has no such limits; a child then ends by the clock alone
    resource: Any = None  # type: ignore[no-redef]

_STATUS = Path("/proc/self/statm")


def limit_memory(more_bytes: int) -> None:
    """Allow this process ``more_bytes`` of address space beyond what it has now."""
    if resource is not None and _STATUS.exists():
        _set_soft(resource.RLIMIT_AS, _address_space() + more_bytes)


def limit_cpu(more_seconds: int) -> None:
    """Let the system end this process (SIGXCPU) when it has used ``more_seconds`` more of processor time."""
    if resource is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _set_soft(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + 1 + more_seconds)


def no_core_dump() -> None:
    """Leave no memory of a patient's image on disk when a decoder crashes."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextlib.contextmanager
def room_for_libraries() -> Iterator[None]:
    """Lift the bound on memory while libraries are loaded, and raise it by what they took."""
    if resource is None or not _STATUS.exists():
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    before = _address_space()
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    try:
        yield
    finally:
        if soft != resource.RLIM_INFINITY:
            _set_soft(resource.RLIMIT_AS, soft + max(0, _address_space() - before))


def _set_soft(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _address_space() -> int:
    return int(_STATUS.read_text().split()[0]) * resource.getpagesize()
