"""``cases.csv``: a table that says which files make a case. Read here and written here."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from monai_tumor.cases import Case
from monai_tumor.errors import WrongDataError

TABLE_NAME = "cases.csv"
NO_REFERENCE = "-"
_NEEDED = ("id", "image", "mask")
_KNOWN = (*_NEEDED, "label", "group")
_SEPARATOR = ";"


def read_case_table(folder: Path) -> list[Case]:
    """Read ``cases.csv``: paths are relative to the folder, ``label`` and ``group`` may be left out.

    ``mask`` holds files joined by ``;``, nothing for an empty reference, or ``-`` for no reference. An empty group
    means that the case is a group of its own.

    Raises:
        WrongDataError: The table is not UTF-8, lacks a column or a value, or names a file that is not there.
    """
    path = folder / TABLE_NAME
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_columns(path, reader.fieldnames or [])
            return [_case(folder, reader.line_num, row) for row in reader]
    except UnicodeDecodeError:
        raise WrongDataError(f"{path} is not UTF-8 text; save it as CSV UTF-8") from None
    except csv.Error as error:
        raise WrongDataError(f"{path} is not a comma-separated table ({error}); save it as CSV UTF-8") from None
    except PermissionError:
        raise WrongDataError(f"{path} may not be read by this user; change its permissions") from None


def case_table(rows: Iterable[Sequence[str | None]], more: Sequence[str] = ()) -> str:
    """Return a table as text that ``read_case_table`` understands.

    Args:
        rows: For each case id, image, mask, label and group as in the file, and the values of further columns.
        more: Names of further columns, which the reader ignores.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*_KNOWN, *more])
    table.writerows(rows)
    return text.getvalue()


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        semicolons = len(columns) == 1 and _SEPARATOR in columns[0]
        step = "it is separated by semicolons, use commas" if semicolons else f"name them {', '.join(_KNOWN)}"
        found = ", ".join(columns) or "nothing"
        raise WrongDataError(f"{path} has no column {', '.join(missing)} (first line: {found}); {step}")


def _case(folder: Path, line: int, row: dict[str, str | None]) -> Case:
    where = f"{folder / TABLE_NAME} line {line}"
    if None in row or None in row.values():
        raise WrongDataError(f"{where} has more or fewer fields than the first line; quote fields that hold commas")
    values = {key: (value or "").strip() for key, value in row.items()}
    name, mask = values["id"], values["mask"]
    if not name or not values["image"]:
        raise WrongDataError(f"{where} has no id or no image; fill both, or remove the line")
    image = _file(folder, values["image"], where)
    masks = None if mask == NO_REFERENCE else tuple(_file(folder, part, where) for part in _split(mask))
    return Case(name, values.get("group") or name, image, masks, values.get("label") or None)


def _split(mask: str) -> list[str]:
    return [part.strip() for part in mask.split(_SEPARATOR) if part.strip()]


def _file(folder: Path, name: str, where: str) -> str:
    relative = PurePosixPath(name.replace("\\", "/"))  # tables are also written on Windows
    if relative.is_absolute() or ".." in relative.parts or ":" in relative.parts[0]:
        raise WrongDataError(f"{where} names {name!r}, which is not below {folder}; use paths relative to the table")
    path = folder / relative
    if not path.is_file():
        raise WrongDataError(f"{where} names {name!r}, and there is no such file in {folder}; correct the path")
    return str(path)
