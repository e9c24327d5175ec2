"""The phantom as files, in the layouts that other data sets read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.datasets.convert import write_folder
from monai_tumor.errors import unknown_name
from monai_tumor.imaging.write import write_mask, write_picture

if TYPE_CHECKING:
    from monai_tumor.datasets.phantom import PhantomDataset

_SLICES_A_PATIENT = 4
_SITES = ("CS", "DU", "HT")


def write_layout(phantom: PhantomDataset, root: str | os.PathLike[str], layout: str) -> None:
    """Write every case of a phantom below ``root``.

    Args:
        phantom: What to write.
        root: Folder to write to; files that exist there are never replaced.
        layout: One of the names in ``LAYOUTS``.

    Raises:
        WrongCallError: The layout is unknown, or a file exists or cannot be written.
    """
    if layout not in LAYOUTS:
        raise unknown_name("phantom layout", layout, LAYOUTS)
    LAYOUTS[layout](phantom, Path(root))


def _write_folder(phantom: PhantomDataset, root: Path) -> None:
    write_folder(phantom, phantom.cases(), root)


def _write_suffixes(phantom: PhantomDataset, root: Path) -> None:
    """Write ``label/id.png`` beside ``label/id_mask.png``, without a table."""
    for case in phantom.cases():
        image, reference = phantom.load(case)
        write_picture(root / f"{case.label}" / f"{case.id}.png", image)
        write_mask(root / f"{case.label}" / f"{case.id}_mask.png", reference)


def _write_patient_folders(phantom: PhantomDataset, root: Path) -> None:
    """Write ``TCGA_XX_0001_19990101/<folder>_<slice>.tif`` in RGB with ``_mask.tif``, some slices a patient."""
    for number, case in enumerate(phantom.cases()):
        patient, position = divmod(number, _SLICES_A_PATIENT)
        folder = f"TCGA_{_SITES[patient % len(_SITES)]}_{patient + 1:04d}_19990101"
        image, reference = phantom.load(case)
        write_picture(root / folder / f"{folder}_{position + 8}.tif", _colour(image))  # 8..11: not in text order
        write_mask(root / folder / f"{folder}_{position + 8}_mask.tif", reference)


def _write_flat(phantom: PhantomDataset, root: Path) -> None:
    """Write ``images/N.png`` and ``masks/N.png``, both RGBA; neighbouring numbers are one patient."""
    for number, case in enumerate(phantom.cases()):
        patient, position = divmod(number, _SLICES_A_PATIENT)
        name = f"{patient * (_SLICES_A_PATIENT + 1) + position + 1}.png"
        image, reference = phantom.load(case)
        write_picture(root / "images" / name, _colour(image, alpha=True))
        write_picture(root / "masks" / name, _colour(reference.astype(np.uint8) * np.uint8(255), alpha=True))


def _colour(grey: NDArray[Any], alpha: bool = False) -> NDArray[np.uint8]:
    channels = [grey] * 3 + ([np.full_like(grey, 255)] if alpha else [])
    return np.ascontiguousarray(np.stack(channels, axis=-1))


LAYOUTS: dict[str, Callable[[PhantomDataset, Path], None]] = {
    "brain_mri": _write_patient_folders,
    "brain_mri_flat": _write_flat,
    "folder": _write_folder,
    "folder_suffix": _write_suffixes,
}
