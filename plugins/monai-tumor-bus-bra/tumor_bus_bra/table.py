"""Tables of BUS-BRA: comma-separated, a row an image, keyed by the column ``ID``."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from monai_tumor.errors import WrongDataError

KEY = "ID"
Row = dict[str, str]


def read_table(path: Path, needed: Sequence[str]) -> dict[str, Row]:
    """Read a table.

    Args:
        path: The file, UTF-8 with a byte order mark or without.
        needed: Columns that must be there and filled, beside ``ID``.

    Returns:
        ID to its row in the order of the file; a row is column name to text.

    Raises:
        WrongDataError: The file is not such a table, lacks a column or a value, or has an ID twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_columns(path, reader.fieldnames or [], (KEY, *needed))
            numbered = [(reader.line_num, row) for row in reader]
    except UnicodeDecodeError:
        raise WrongDataError(f"{path} is not UTF-8 text; save it as CSV UTF-8, or copy it again") from None
    except csv.Error as error:
        raise WrongDataError(f"{path} is not a comma-separated table ({error}); copy it again") from None
    except OSError as error:
        raise WrongDataError(f"{path} cannot be read: {error.strerror}; check its permissions") from None
    table: dict[str, Row] = {}
    for line, fields in numbered:
        row = _checked(f"{path} line {line}", fields, (KEY, *needed))
        if row[KEY] in table:
            raise WrongDataError(f"{path} line {line} has the ID {row[KEY]} a second time; remove one of the two lines")
        table[row[KEY]] = row
    return table


def _check_columns(path: Path, columns: Sequence[str], needed: Sequence[str]) -> None:
    missing = [name for name in needed if name not in columns]
    if missing:
        found = ", ".join(columns) or "nothing"
        raise WrongDataError(f"{path} has no column {', '.join(missing)} (first line: {found}); copy the file again")


def _checked(where: str, fields: dict[str, str | None], needed: Sequence[str]) -> Row:
    if None in fields or None in fields.values():
        raise WrongDataError(f"{where} has more or fewer fields than the first line; quote fields that hold commas")
    row = {name: (value or "").strip() for name, value in fields.items()}
    if empty := [name for name in needed if not row[name]]:
        raise WrongDataError(f"{where} has no value for {', '.join(empty)}; fill it in, or copy the file again")
    return row
