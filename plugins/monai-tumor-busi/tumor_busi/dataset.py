"""The data set ``busi``: class folders of breast ultrasound images, each beside its masks."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from monai_tumor.cases import Case
from monai_tumor.datasets.base import FileDataset, Remark
from monai_tumor.datasets.files import child_folder, list_files
from monai_tumor.datasets.pairs import Pairs, pair_suffixes, refuse_orphans, refuse_unlabelled

NORMAL = "normal"
_IMAGE_NAME = re.compile(r".+ \(\d+\)\.png", re.IGNORECASE)


class BusiDataset(FileDataset):
    """Breast ultrasound images, filed by class; every image is a group of its own, because no file names a patient.

    A normal image without mask files has an empty reference. One with mask files keeps them, although they should be
    black, so that a lesion drawn there does not stay hidden. A lesion image without a mask file has no reference.
    """

    name = "busi"
    modality = "US"
    organ = "breast"
    labels: ClassVar[dict[str, str]] = {
        "benign": "breast lesion that the makers filed as benign",
        "malignant": "breast lesion that the makers filed as malignant",
        NORMAL: "breast tissue in which the makers saw no lesion",
    }
    layout = """
    DIR/benign/NAME (4).png     DIR/benign/NAME (4)_mask.png     further masks _mask_1.png, _mask_2.png are joined
    DIR/malignant/NAME (1).png  DIR/malignant/NAME (1)_mask.png
    DIR/normal/NAME (2).png     DIR/normal/NAME (2)_mask.png     all black, or left out
    """

    def recognises(self, folder: Path) -> float:
        """Say 1 where a class folder holds a file named like ``benign (4).png``."""
        names = (path.name for found in _class_folders(folder).values() for path in list_files(found, (".png",)))
        return 1 if any(map(_IMAGE_NAME.fullmatch, names)) else 0

    def find_cases(self, folder: Path) -> Iterable[Case]:
        """Return a case an image of the class folders that are there.

        Raises:
            WrongDataError: A mask has no image, or no lesion image has a mask.
        """
        found = {label: pair_suffixes(path, depth=0) for label, path in _class_folders(folder).items()}
        refuse_orphans(Pairs(orphans=[path for pairs in found.values() for path in pairs.orphans]), folder)
        lesions = Pairs(
            {image: masks for label in found if label != NORMAL for image, masks in found[label].masks.items()}
        )
        refuse_unlabelled(self, lesions, folder)
        return [_case(label, *pair) for label, pairs in found.items() for pair in pairs.masks.items()]

    def remarks(self, root: str | os.PathLike[str]) -> Sequence[Remark]:
        """Return the classes of which nothing is there, and the lesion images without a mask file."""
        cases = self.cases(root)
        absent = [label for label in self.labels if label not in {case.label for case in cases}]
        text = f"no image of the class {' and '.join(absent)}; a whole copy has all of {', '.join(self.labels)}"
        unlabelled = "no mask file; counted as unlabelled (no reference), not as free of lesions"
        unmasked = [Remark(unlabelled, case.id) for case in cases if case.masks is None]
        return [*([Remark(text)] if absent else []), *unmasked]


def _class_folders(folder: Path) -> dict[str, Path]:
    found = {label: child_folder(folder, (label,)) for label in BusiDataset.labels}
    return {label: path for label, path in found.items() if path is not None}


def _case(label: str, image: Path, masks: tuple[Path, ...]) -> Case:
    name = image.stem if image.stem.lower().startswith(label) else f"{label}/{image.stem}"
    without_files = () if label == NORMAL else None
    return Case(name, name, str(image), tuple(map(str, masks)) or without_files, label)
