"""The data sets ``bus_bra`` and ``bus_bra_birads``: the same files, labelled by biopsy or by BI-RADS category."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from monai_tumor.cases import Case
from monai_tumor.datasets.base import FileDataset, PublishedFolds, Remark
from monai_tumor.datasets.files import child_folder, first_names, list_files
from monai_tumor.datasets.layout import wrong_layout
from monai_tumor.datasets.pairs import Pairs, complete_pairs
from monai_tumor.errors import WrongDataError
from monai_tumor.wording import count_of
from tumor_bus_bra.folds import read_folds, remarks_on_folds
from tumor_bus_bra.remarks import remarks_on_table
from tumor_bus_bra.table import Row, read_table

TABLE_NAME = "bus_data.csv"
_COLUMNS = ("Case", "Pathology", "BIRADS")
_SUFFIXES = (".png",)


class BusBraDataset(FileDataset):
    """Breast ultrasound images with one lesion each, labelled by biopsy; a group is a patient.

    The two images of a patient are mostly the halves of one split screen: two views of one lesion.
    """

    name = "bus_bra"
    modality = "US"
    organ = "breast"
    labels: ClassVar[dict[str, str]] = {
        "benign": "benign lesion, by biopsy",
        "malignant": "malignant lesion, by biopsy",
    }
    layout = """
    DIR/bus_data.csv             columns ID, Case (patient), Pathology, BIRADS, and others
    DIR/Images/bus_0004-l.png    DIR/Masks/mask_0004-l.png
    DIR/5-fold-cv.csv            columns ID, kFold; also 10-fold-cv.csv; both may be left out
    """

    def recognises(self, folder: Path) -> float:
        """Say 1 where the table and the folder of images are there."""
        return 1 if (folder / TABLE_NAME).is_file() and _images_in(folder) is not None else 0

    def find_cases(self, folder: Path) -> Iterable[Case]:
        """Return a case a row of the table.

        Raises:
            WrongDataError: The table is damaged or missing; rows, images and masks do not belong together one to one;
                or a label is not one of this data set.
        """
        images = _images_in(folder)
        if images is None:
            return ()
        if not (folder / TABLE_NAME).is_file():
            raise wrong_layout(self, folder, f"it has no {TABLE_NAME}, which names patients and findings")
        table, pairs = _table_of(folder), _find_pairs(folder, images)
        _refuse_unequal(table, pairs, images)
        complete_pairs(self, pairs, folder)
        self._refuse_other_labels(table, folder)
        return [self._case(table[image.stem], image, masks) for image, masks in pairs.masks.items()]

    def remarks(self, root: str | os.PathLike[str]) -> Sequence[Remark]:
        """Return what is odd in the table: sizes, patients whose images differ, columns not used, changed folds.

        Of the images, only headers are read.
        """
        folder, cases = Path(root), [case for case in self.cases(root) if not case.problem]
        return [*remarks_on_table(_table_of(folder), cases), *remarks_on_folds(folder)]

    def published_folds(self, root: str | os.PathLike[str]) -> Sequence[PublishedFolds]:
        """Return the folds of the makers where their files are there.

        Raises:
            WrongDataError: A fold file is damaged or has no row for a case.
        """
        return read_folds(Path(root), self.cases(root))

    def label_of(self, row: Row) -> str:
        """Return the label that a row of the table gives its image."""
        return row["Pathology"]

    def _case(self, row: Row, image: Path, masks: Sequence[Path]) -> Case:
        return Case(image.stem, f"case-{row['Case']}", str(image), tuple(map(str, masks)), self.label_of(row))

    def _refuse_other_labels(self, table: Mapping[str, Row], folder: Path) -> None:
        others = {name: self.label_of(row) for name, row in table.items() if self.label_of(row) not in self.labels}
        if others:
            found = ", ".join(f"{name} is {label!r}" for name, label in list(others.items())[:3])
            known = f"expected one of {', '.join(self.labels)}"
            rows = count_of(len(others), "row has", "rows have")
            raise WrongDataError(f"{folder / TABLE_NAME}: {rows} another label ({found}), {known}; correct the table")


class BusBraBiradsDataset(BusBraDataset):
    """The same files, labelled by the BI-RADS category that an ultrasonographer gave each image."""

    name = "bus_bra_birads"
    labels: ClassVar[dict[str, str]] = {
        "BI-RADS 2": "benign: essentially no likelihood of malignancy",
        "BI-RADS 3": "probably benign: likelihood of malignancy up to 2 %",
        "BI-RADS 4": "suspicious: likelihood of malignancy above 2 % and below 95 %",
        "BI-RADS 5": "highly suggestive of malignancy: likelihood 95 % or more",
    }

    def recognises(self, folder: Path) -> float:
        """Say 0.5 at most: every such folder is one of ``bus_bra`` as well."""
        return super().recognises(folder) / 2

    def label_of(self, row: Row) -> str:
        """Return the category, such as ``"BI-RADS 4"``."""
        return f"BI-RADS {row['BIRADS']}"


def _images_in(folder: Path) -> Path | None:
    return child_folder(folder, ("images",))


def _table_of(folder: Path) -> dict[str, Row]:
    return read_table(folder / TABLE_NAME, _COLUMNS)


def _find_pairs(folder: Path, images: Path) -> Pairs:
    """Pair ``Images/bus_X`` with ``Masks/mask_X``."""
    mask_folder = child_folder(folder, ("masks",))
    masks = {path.stem: path for path in list_files(mask_folder, _SUFFIXES)} if mask_folder else {}
    pairs = Pairs()
    for image in list_files(images, _SUFFIXES):
        mask = masks.pop(f"mask{image.stem.removeprefix('bus')}", None)
        pairs.masks[image] = (mask,) if mask else ()
    pairs.orphans = list(masks.values())
    return pairs


def _refuse_unequal(table: Mapping[str, Row], pairs: Pairs, images: Path) -> None:
    """Refuse rows without an image and images without a row: half a copied set must not pass for a whole one."""
    there = {image.stem for image in pairs.masks}
    lost = [images / f"{name}.png" for name in table if name not in there]
    unknown = [image for image in pairs.masks if image.stem not in table]
    where = images.parent / TABLE_NAME
    if lost:
        named = (
            f"{count_of(len(lost), 'image', 'images')} of {len(table)} not there: {first_names(lost, images.parent)}"
        )
        raise WrongDataError(f"{where} names {named}; copy the missing images, or remove these rows")
    if unknown:
        named = f"{len(unknown)} of {count_of(len(pairs.masks), 'image', 'images')}"
        step = "copy the table again, or remove these images"
        raise WrongDataError(f"{where} has no row for {named}: {first_names(unknown, images.parent)}; {step}")
