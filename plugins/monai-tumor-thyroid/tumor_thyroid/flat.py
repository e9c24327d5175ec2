"""Flat folders: ``images/12.PNG``, ``masks/12.PNG`` and perhaps ``category.csv``, as in TN-SCUI 2020."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from monai_tumor.cases import Case
from monai_tumor.datasets.base import Remark
from monai_tumor.datasets.layout import HasLayout
from monai_tumor.datasets.pairs import complete_pairs, flat_pairs, two_trees
from monai_tumor.errors import WrongDataError
from monai_tumor.wording import count_of

CATEGORY_TABLE = "category.csv"
_HALF = re.compile(r"[12](\d{4})")

# Not "benign" and "malignant": in copies of DDTI a 0 also stands where nothing is known, and "benign" would claim more.
LABELS = {
    "CATE 0": "benign in TN-SCUI 2020; in copies of DDTI also: not known",
    "CATE 1": "malignant in TN-SCUI 2020",
}


def recognises(folder: Path) -> bool:
    """Say whether both folders are there."""
    return two_trees(folder) is not None


def has_table(folder: Path) -> bool:
    """Say whether the table of categories is there."""
    return (folder / CATEGORY_TABLE).is_file()


def find_cases(dataset: HasLayout, folder: Path) -> Iterator[Case]:
    """Yield a case an image, a group of its own; its label is the category if the table has one.

    Raises:
        WrongDataError: An image has no mask, a mask no image, or the table cannot be read or contradicts itself.
    """
    labels = _labels(folder)
    for image, masks in complete_pairs(dataset, flat_pairs(folder), folder).masks.items():
        yield Case(image.stem, group_of(image.stem), str(image), tuple(map(str, masks)), labels.get(image.stem))


def group_of(name: str) -> str:
    """Return ``frame-152`` for the crops 10152 and 20152, which are the two halves of one frame; else the name itself.

    The halves share no pixel, so that only their numbers tell.
    """
    half = _HALF.fullmatch(name)
    return f"frame-{int(half[1])}" if half else name


def remarks(folder: Path) -> Iterator[Remark]:
    """Yield what the categories do not say.

    Raises:
        WrongDataError: The table cannot be read, or contradicts itself.
    """
    if not has_table(folder):
        yield Remark(f"there is no {CATEGORY_TABLE}: no labels")
        return
    yield Remark("CATE 0 is in part a missing label in copies of DDTI: such images count as benign without a reason")
    yield Remark(
        "copies of DDTI in this layout are not independent of DDTI: do not test on one what learnt from the other"
    )
    labels, names = _labels(folder), {image.stem for image in flat_pairs(folder).masks}
    if unnamed := len(names - labels.keys()):
        yield Remark(f"{CATEGORY_TABLE} has no category for {unnamed} of {count_of(len(names), 'image', 'images')}")
    if absent := len(labels.keys() - names):
        yield Remark(f"{CATEGORY_TABLE} names {count_of(absent, 'image that is', 'images that are')} not here")


def _labels(folder: Path) -> dict[str, str]:
    """Return image name without suffix to label; nothing without a table."""
    if not has_table(folder):
        return {}
    table = folder / CATEGORY_TABLE
    labels: dict[str, str] = {}
    for line, name, category in _rows(table):
        if not category:
            continue
        label = f"CATE {category}"
        if label not in LABELS:
            raise WrongDataError(f"{table} line {line} has the category {category!r}, expected 0 or 1; correct it")
        if labels.setdefault(name, label) != label:
            raise WrongDataError(f"{table} line {line} gives {name} a second, other category; keep one of them")
    return labels


def _rows(table: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line, image name without suffix, and category."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if not {"ID", "CATE"} <= set(reader.fieldnames or []):
                found = ", ".join(reader.fieldnames or []) or "nothing"
                raise WrongDataError(f"{table} has the columns {found}, expected ID and CATE; name them so")
            for row in reader:
                yield reader.line_num, Path((row["ID"] or "").strip()).stem, (row["CATE"] or "").strip()
    except (UnicodeDecodeError, csv.Error) as error:
        raise WrongDataError(f"{table} is not a comma-separated table ({error}); save it as CSV UTF-8") from None
    except PermissionError:
        raise WrongDataError(f"{table} may not be read by this user; change its permissions") from None
