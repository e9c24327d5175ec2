"""Words of messages that depend on numbers."""

from __future__ import annotations


def count_of(number: int, one: str, many: str) -> str:
    """Return ``1 file`` or ``2 files``."""
    return f"{number} {one if number == 1 else many}"
