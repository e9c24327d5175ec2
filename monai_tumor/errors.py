"""The one family of errors that users see, and the suggestion of the nearest name.

A message is one line: what was found (file or key), what was expected, and the next step. Commands print it without
a traceback and end with ``exit_code``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator


class ToolkitError(Exception):
    """Base of every error that is the user's to mend. ``str(error)`` is one complete line."""

    exit_code = 2


class WrongCallError(ToolkitError):
    """A command, setting or name that does not exist or cannot be combined."""


class WrongDataError(ToolkitError):
    """A folder or file that is not what the data set expects."""


class PluginError(ToolkitError):
    """An installed plug-in that cannot be used: broken import, wrong contract version, or a name claimed twice."""


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """Return the choice that is most like ``name``, or None when nothing is close."""
    found = difflib.get_close_matches(name, list(choices), n=1, cutoff=0.6)
    return found[0] if found else None


def unknown_name(kind: str, name: str, choices: Iterable[str], advice: str = "") -> WrongCallError:
    """Build the error for a name that is not among ``choices``, with the nearest one or else the whole list."""
    known = sorted(choices)
    guess = nearest(name, known)
    listing = f"did you mean {guess!r}?" if guess else f"known: {', '.join(known) or 'none'}"
    return WrongCallError(f"unknown {kind} {name!r}; {listing}" + (f" {advice}" if advice else ""))


def error_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error`` and what caused it, outermost first (libraries wrap our errors in their own)."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def user_error(error: BaseException) -> ToolkitError | None:
    """Return our own error from the chain of ``error``, if there is one."""
    return next((link for link in error_chain(error) if isinstance(link, ToolkitError)), None)
