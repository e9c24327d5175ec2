"""The data set ``thyroid``: recognises a layout and hands over to the module that knows it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.cases import Case
from monai_tumor.datasets.base import FileDataset, Remark
from monai_tumor.datasets.layout import cases_by_layout, checked_root
from tumor_thyroid import ddti, flat, tn3k

_LAYOUTS = (ddti, flat, tn3k)


class ThyroidDataset(FileDataset):
    """Ultrasound images of the thyroid with outlined nodules.

    A group is a case of DDTI; the other layouts do not tell the patient, so there each image is a group.
    """

    name = "thyroid"
    modality = "US"
    organ = "thyroid"
    labels = ddti.LABELS | flat.LABELS
    layout = """
    DIR/114.xml  DIR/114_2.jpg                             DDTI: contours of image 2 of case 114 in the XML
    or  DIR/images/12.PNG  DIR/masks/12.PNG                flat, as in TN-SCUI 2020;
                                                           DIR/category.csv (ID,CATE) may name the diagnosis
    or  DIR/trainval-image/0000.jpg                        TN3K; also test-image/ and test-mask/
        DIR/trainval-mask/0000.jpg
    """

    def recognises(self, folder: Path) -> float:
        """Say 1 for DDTI, TN3K, and flat folders with a table of categories; 0.5 for other flat folders."""
        if ddti.recognises(folder) or tn3k.recognises(folder):
            return 1
        return 0 if not flat.recognises(folder) else 1 if flat.has_table(folder) else 0.5

    def find_cases(self, folder: Path) -> Iterable[Case]:
        """Return the cases of whichever layout the folder has.

        Raises:
            WrongDataError: More than one layout is there, files are missing, or an XML file or table cannot be read.
        """
        return cases_by_layout(self, folder, _LAYOUTS)

    def load(self, case: Case) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Read one case; contours of an XML file are filled one by one and joined.

        Returns:
            Image (R, C) or (R, C, 3) uint8, and reference (R, C) bool or None where there is none.

        Raises:
            WrongDataError: A file cannot be read, sizes differ, or no contour meets the image.
        """
        if case.masks and case.masks[0].lower().endswith(".xml"):
            return ddti.load(case)
        return tn3k.load(case) if tn3k.owns(case) else super().load(case)

    def remarks(self, root: str | os.PathLike[str]) -> list[Remark]:
        """Return why images have no reference or label, and what the layout is known to hide.

        Raises:
            WrongDataError: The folder, an XML file or a table cannot be read.
        """
        folder = checked_root(self, root)
        return [remark for layout in _LAYOUTS if layout.recognises(folder) for remark in layout.remarks(folder)]
