"""Flat folders: ``images/12.png`` and ``masks/12.png``, where nothing but the number hints at the patient."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from monai_tumor.cases import Case
from monai_tumor.datasets.layout import HasLayout
from monai_tumor.datasets.pairs import complete_pairs, flat_pairs, two_trees
from monai_tumor.errors import WrongDataError
from monai_tumor.wording import count_of

PATIENT_TABLE = "patients.csv"

# The full set numbers 3064 slices of 233 patients without a gap. No patient has more slices than this, so a longer
# run is cut into pieces. A cut may divide a patient: ``find_cases`` says so, and the table of patients prevents it.
LONGEST_RUN = 40


def recognises(folder: Path) -> bool:
    """Say whether both folders are there."""
    return two_trees(folder) is not None


def find_cases(dataset: HasLayout, folder: Path) -> Iterator[Case]:
    """Yield a case an image; its group is the patient of ``patients.csv``, else its run of numbers.

    Raises:
        WrongDataError: An image has no mask, a mask no image, or the table lacks a column or an image.
    """
    pairs = complete_pairs(dataset, flat_pairs(folder), folder)
    names = [image.stem for image in pairs.masks]
    table = folder / PATIENT_TABLE
    groups = _tabled_groups(table, names) if table.is_file() else run_groups(names)
    if not table.is_file() and _has_cut(groups):
        print(
            f"NOTE: {folder} numbers its images without gaps, so groups of {LONGEST_RUN} neighbours stand for patients, and a "
            f"patient may be divided between two of them. For an honest split write {PATIENT_TABLE} (image,patient) there.",
            file=sys.stderr,
        )
    for image, masks in pairs.masks.items():
        yield Case(image.stem, groups[image.stem], str(image), tuple(str(mask) for mask in masks))


def run_groups(names: Sequence[str]) -> dict[str, str]:
    """Group names that are neighbouring numbers, at most ``LONGEST_RUN`` at a time; other names stay alone.

    Returns:
        Name to group, such as ``"run-10-12"`` for the names 10, 11 and 12.
    """
    numbers = {name: int(name) for name in names if name.isascii() and name.isdigit()}
    groups = {name: f"image-{name}" for name in names if name not in numbers}
    runs: list[list[int]] = []
    for number in sorted(set(numbers.values())):
        if not runs or number != runs[-1][-1] + 1 or len(runs[-1]) == LONGEST_RUN:
            runs.append([])
        runs[-1].append(number)
    run_of = {number: f"run-{run[0]}-{run[-1]}" for run in runs for number in run}
    return groups | {name: run_of[number] for name, number in numbers.items()}


def _has_cut(groups: dict[str, str]) -> bool:
    """Say whether some run is followed by the next number in another run."""
    group_of = {int(name): group for name, group in groups.items() if group.startswith("run-")}
    return any(group != group_of.get(number + 1, group) for number, group in group_of.items())


def _tabled_groups(table: Path, names: Sequence[str]) -> dict[str, str]:
    with table.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if not {"image", "patient"} <= set(reader.fieldnames or []):
            found = ", ".join(reader.fieldnames or []) or "nothing"
            raise WrongDataError(f"{table} has the columns {found}, expected image and patient; name them so")
        patients = {Path(row["image"] or "").stem: (row["patient"] or "").strip() for row in reader}
    missing = [name for name in names if not patients.get(name)]
    if missing:
        first = ", ".join(missing[:3])
        raise WrongDataError(
            f"{table} names no patient for {len(missing)} of {count_of(len(names), 'image', 'images')} ({first}); add them"
        )
    return {name: patients[name] for name in names}
