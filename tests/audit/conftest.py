"""A small folder in which some pictures are shown twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

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
