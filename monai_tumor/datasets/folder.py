"""Any folder of images and masks, with or without a table of cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from monai_tumor.cases import Case
from monai_tumor.datasets.base import FileDataset
from monai_tumor.datasets.case_table import TABLE_NAME, read_case_table
from monai_tumor.datasets.files import list_folders
from monai_tumor.datasets.layout import wrong_layout
from monai_tumor.datasets.pairs import Pairs, pair_suffixes, pair_trees, refuse_orphans, refuse_unlabelled, two_trees


class FolderDataset(FileDataset):
    """Images with masks in one of two trees, or wherever ``cases.csv`` says.

    Without a table every image is a group of its own, and an image without a mask file has no reference.
    """

    name = "folder"
    modality = "OT"
    organ = "unknown"
    layout = """
    DIR/images/X.png  DIR/masks/X.png          one mask an image; X_mask.png, X_mask_1.png are joined
    or  DIR/X.png  DIR/X_mask.png              side by side, masks X_mask.png, X_mask_1.png, ...
    (.png .tif .bmp .jpg; class folders below images/ and masks/, or below DIR, are allowed)
    or  DIR/cases.csv                          columns id,image,mask,label,group; mask: files joined by ";",
                                               empty for "no lesion", "-" for "not known"
    """

    def recognises(self, folder: Path) -> float:
        """Say 1 for a folder with a table, 0.5 for one with both folders or with a file beside its mask."""
        if (folder / TABLE_NAME).is_file():
            return 1
        return 0.5 if two_trees(folder) or any(pair_suffixes(folder, depth=0).masks.values()) else 0

    def find_cases(self, folder: Path) -> Iterable[Case]:
        """Return the cases of the table if there is one, else of the files.

        Raises:
            WrongDataError: The table is wrong, a mask has no image, or no image has a mask.
        """
        if (folder / TABLE_NAME).is_file():
            return read_case_table(folder)
        trees = two_trees(folder)
        if trees is None:
            self._refuse_several(folder)
        pairs = pair_trees(*trees) if trees else pair_suffixes(folder)
        refuse_unlabelled(self, pairs, folder)
        refuse_orphans(pairs, folder)
        return _cases(pairs, trees[0] if trees else folder)

    def _refuse_several(self, folder: Path) -> None:
        """Refuse a folder of data sets, which would otherwise be read as one."""
        inner = [child for child in list_folders(folder) if two_trees(child) or (child / TABLE_NAME).is_file()]
        if inner:
            raise wrong_layout(self, folder, f"{inner[0].name}/ in it is a data set of its own")


def _cases(pairs: Pairs, folder: Path) -> Iterator[Case]:
    for image, masks in pairs.masks.items():
        name = image.relative_to(folder).with_suffix("").as_posix()
        yield Case(name, name, str(image), tuple(str(mask) for mask in masks) or None)
