"""What commands print: JSON or a table on stdout, everything else on stderr."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import click


def put_json(value: Any) -> None:
    """Print a JSON-able value on stdout, in ASCII so that every terminal takes it."""
    click.echo(json.dumps(value, indent=1))


def put_table(rows: Iterable[Sequence[object]], header: Sequence[str]) -> None:
    """Print rows of cells in aligned columns on stdout."""
    table = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def stdout_for_json(as_json: bool) -> AbstractContextManager[object]:
    """While this is open, what libraries and plug-ins print goes to stderr, if stdout is to hold JSON only."""
    return contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext()
