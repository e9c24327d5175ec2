"""A small folder in which some pictures are shown twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from monai_tumor.audit.check import Audit, check
from monai_tumor.audit.findings import Finding
from monai_tumor.datasets import open_dataset
from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.imaging.write import write_mask, write_picture, write_text

PHANTOM = PhantomDataset(count=12, style="us", size=(160, 200))


@pytest.fixture
def doubled(tmp_path: Path) -> Path:
    """Write 12 phantoms as ``c0``..``c11`` and three of them again, each a case and a group of its own.

    ``crop-of-1`` is a crop with the same diagnosis and mask, ``other-label-of-2`` the same pixels with another diagnosis,
    ``other-mask-of-3`` is darker and has a mask elsewhere.
    """
    rows = ["id,image,mask,label"]

    def add(name: str, image: np.ndarray, mask: np.ndarray, label: str) -> None:
        write_picture(tmp_path / "images" / f"{name}.png", image)
        write_mask(tmp_path / "masks" / f"{name}.png", mask)
        rows.append(f"{name},images/{name}.png,masks/{name}.png,{label}")

    loaded = [PHANTOM.load(case) for case in PHANTOM.cases()]
    lesions = [number for number, (_, mask) in enumerate(loaded) if mask.any()]
    order = lesions + [number for number in range(len(loaded)) if number not in lesions]
    pictures = [loaded[number] for number in order]
    for number, (image, mask) in enumerate(pictures):
        add(f"c{number}", image, mask, "benign" if number % 2 else "malignant")
    add("crop-of-1", pictures[1][0][6:-9, 11:-4], pictures[1][1][6:-9, 11:-4], "benign")
    add("other-label-of-2", *pictures[2], "benign")
    darker = (pictures[3][0] * 0.8).astype(np.uint8)
    add("other-mask-of-3", darker, np.roll(pictures[3][1], 60, axis=1), "benign")
    write_text(tmp_path / "cases.csv", "\n".join(rows) + "\n")
    return tmp_path


class Scans:
    """A folder with ``cases.csv`` that grows case by case, and ``pictures``: four phantoms with a lesion, image and mask."""

    def __init__(self, folder: Path, pictures: list[tuple[np.ndarray, np.ndarray]]) -> None:
        self.folder, self.pictures = folder, pictures
        self._rows = ["id,image,mask,label,group"]

    def add(
        self, name: str, image: np.ndarray, *masks: np.ndarray, reference: bool = True, label: str = "", group: str = ""
    ) -> Path:
        """Write one case; without a mask its reference is empty, or there is none. Returns the image file."""
        write_picture(self.folder / "images" / f"{name}.png", image)
        files = [f"masks/{name}_{number}.png" for number in range(len(masks))]
        for file, mask in zip(files, masks, strict=True):
            write_picture(self.folder / file, mask if mask.dtype == np.uint8 else mask.astype(np.uint8) * 255)
        self._rows.append(f"{name},images/{name}.png,{';'.join(files) if reference else '-'},{label},{group}")
        write_text(self.folder / "cases.csv", "\n".join(self._rows) + "\n", overwrite=True)
        return self.folder / "images" / f"{name}.png"

    def check(self) -> Audit:
        """Check the folder, without reading text."""
        return check(open_dataset("folder"), self.folder, read_texts=False)

    def found(self, kind: str) -> Finding | None:
        """Check the folder and return the finding of a kind."""
        return next((finding for finding in self.check().findings if finding.kind == kind), None)


@pytest.fixture(scope="session")
def four_pictures() -> list[tuple[np.ndarray, np.ndarray]]:
    """Four phantoms with a lesion, image and mask."""
    loaded = map(PHANTOM.load, PHANTOM.cases())
    return [(image, mask) for image, mask in loaded if mask.any()][:4]


@pytest.fixture
def scans(tmp_path: Path, four_pictures: list[tuple[np.ndarray, np.ndarray]]) -> Scans:
    """A folder ``scans`` without a case."""
    return Scans(tmp_path / "scans", four_pictures)


@pytest.fixture
def clean(scans: Scans) -> Scans:
    """Two patients with two pictures each, without a trap."""
    for number, (image, mask) in enumerate(scans.pictures):
        scans.add(f"a{number}", image, mask, label="benign", group=f"patient-{number % 2}")
    return scans
