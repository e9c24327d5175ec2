"""What users should know of the table of BUS-BRA and no case shows."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from monai_tumor.cases import Case
from monai_tumor.datasets.base import Remark
from tumor_bus_bra.table import Row

_PNG_START = b"\x89PNG\r\n\x1a\n"
_COLUMN_NOTES = {
    "BBOX": "BBOX in the table counts from 1 and its width and height are one pixel short; it is not used, the masks are",
    "Side": "Side in the table is the half of a split screen and not the side of the breast; it is not used",
}
_SAME_FOR_A_PATIENT = ("BIRADS", "Pathology")


def remarks_on_table(table: Mapping[str, Row], cases: Sequence[Case]) -> Iterator[Remark]:
    """Yield notes on columns, then patients whose images differ in a finding, then sizes that contradict the files."""
    columns = next(iter(table.values())).keys()
    yield from (Remark(note) for column, note in _COLUMN_NOTES.items() if column in columns)
    for column in _SAME_FOR_A_PATIENT:
        yield from _patients_that_differ(table, cases, column)
    for case in cases:
        yield from _size_that_differs(table[case.id], case)


def png_size(path: Path) -> tuple[int, int] | None:
    """Return columns and rows as the header of a PNG file says; None for what is not a readable PNG file."""
    try:
        with path.open("rb") as file:
            header = file.read(24)
    except OSError:
        return None
    if len(header) < 24 or not header.startswith(_PNG_START):
        return None
    columns, rows = struct.unpack(">II", header[16:])
    return columns, rows


def _patients_that_differ(table: Mapping[str, Row], cases: Sequence[Case], column: str) -> Iterator[Remark]:
    images_of: dict[str, list[str]] = {}
    for case in cases:
        images_of.setdefault(case.group, []).append(case.id)
    for patient, images in images_of.items():
        if len({table[name][column] for name in images}) > 1:
            found = ", ".join(f"{name}: {table[name][column]}" for name in images)
            yield Remark(f"the images of one patient ({patient}) differ in {column} ({found})")


def _size_that_differs(row: Row, case: Case) -> Iterator[Remark]:
    found = png_size(Path(case.image))
    said = (row.get("Width", ""), row.get("Height", ""))
    if found is None or "" in said or said == (str(found[0]), str(found[1])):
        return
    swapped = "; rows and columns are swapped" if said == (str(found[1]), str(found[0])) else ""
    text = f"the table says {said[0]} x {said[1]} pixels (width x height), the file has {found[0]} x {found[1]}"
    yield Remark(f"{text}{swapped}; the file is believed", case.id)
