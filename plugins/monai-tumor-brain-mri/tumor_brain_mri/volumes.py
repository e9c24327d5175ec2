"""NIfTI volumes with label volumes: the axial slices are the cases, the folder is the patient.

Volumes are brought to the axes right, anterior, superior before they are cut, because neither direction nor order of
the axes may be trusted in a file. Slices are counted from the feet upward. nibabel is imported where it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.cases import Case
from monai_tumor.datasets.base import Remark
from monai_tumor.datasets.files import list_files, list_folders
from monai_tumor.datasets.layout import HasLayout, wrong_layout
from monai_tumor.errors import WrongDataError
from monai_tumor.imaging.prepare import robust_range, scale_to_bytes

SUFFIXES = (".nii", ".nii.gz")
MAX_VOXELS = 300_000_000
"""Largest volume that is decoded: more than 512 x 512 x 1000."""

_IMAGE = re.compile(r"(.*[-_.])?(image|t2f|flair)\.nii(\.gz)?", re.IGNORECASE)
_LABEL = re.compile(r"(.*[-_.])?(label|labels|seg)([-_][a-z0-9_-]*)?\.nii(\.gz)?", re.IGNORECASE)
_MADE_BY_PROGRAM = re.compile(r"algorithm|predict|automat")
_FOLDERS_LOOKED_AT = 20
_THICK = 3.0
_VOLUMES_KEPT = 4
_AFFINE_TOLERANCE_MM = 1e-3


@dataclass(frozen=True, slots=True)
class _Volume:
    """A volume as it will lie after turning to right, anterior, superior.

    Attributes:
        shape: Voxels along right, anterior and superior.
        affine: 4 x 4, from those indices to millimetres.
        turn: What turns the stored axes, as nibabel writes it.
        stored: The voxels along the stored axes, decoded when asked for.
    """

    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    turn: NDArray[np.float64]
    stored: Any


def recognises(folder: Path) -> bool:
    """Say whether one of the first folders in ``folder`` holds an image volume of a known name."""
    return any(_matching(child, _IMAGE) for child in list_folders(folder)[:_FOLDERS_LOOKED_AT])


def find_cases(dataset: HasLayout, folder: Path) -> Iterator[Case]:
    """Yield the axial slices of every volume; headers are read, voxels are not.

    Raises:
        WrongDataError: A folder has an image without labels or several of either, or the two do not match.
    """
    for child in list_folders(folder):
        images, labels = _matching(child, _IMAGE), _matching(child, _LABEL)
        if not images and not labels:
            continue
        if len(images) != 1 or len(labels) != 1:
            found = ", ".join(path.name for path in [*images, *labels])
            raise wrong_layout(dataset, folder, f"{child.name}/ needs one image and one label volume, has {found}")
        image, label = images[0], labels[0]
        count = _slice_count(image, label)
        for index in range(count):
            yield Case(f"{child.name}_{index}", child.name, str(image), (str(label),), index=index)


def remarks(folder: Path) -> Iterator[Remark]:
    """Yield what the slices of volumes do not show: thick slices, and labels that a program made; headers are read only."""
    for child in list_folders(folder):
        for label in filter(lambda path: _MADE_BY_PROGRAM.search(path.name.lower()), _matching(child, _LABEL)):
            yield Remark(f"{child.name}/{label.name}: by its name a program drew these labels, not an expert")
        for image in _matching(child, _IMAGE):
            spacing = np.linalg.norm(_opened(str(image)).affine[:3, :3], axis=0)
            if spacing[2] > _THICK * spacing[:2].max():
                size = " x ".join(f"{value:.2g}" for value in spacing)
                yield Remark(f"{child.name}: voxels of {size} mm, so that neighbouring slices are far apart")


def load_slice(case: Case) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
    """Cut one slice: front of the head at the top, the patient's right on the left.

    Args:
        case: Its ``index`` counts slices from the feet upward.

    Returns:
        Image (R, C) uint8, the volume's 0.5..99.5 percentile range of voxels other than 0 as 0..255, and reference
        (R, C) bool, labels above 0.

    Raises:
        WrongDataError: A file is damaged or has no such slice.
    """
    index = case.index or 0
    image = _grey_volume(case.image, _changed(case.image))
    if index >= image.shape[2]:
        raise WrongDataError(f"{case.image} has {image.shape[2]} slices, no slice {index}; list the data set anew")
    if case.masks is None:
        return _as_picture(image[:, :, index]), None
    reference = np.zeros(image.shape[:2], bool)
    for path in case.masks:
        reference |= _label_volume(path, _changed(path))[:, :, index]
    return _as_picture(image[:, :, index]), _as_picture(reference)


def _matching(folder: Path, names: re.Pattern[str]) -> list[Path]:
    return [path for path in list_files(folder, SUFFIXES) if names.fullmatch(path.name)]


def _as_picture(plane: NDArray[Any]) -> NDArray[Any]:
    """Turn (right, anterior) into (rows, columns) as radiologists look at it."""
    return np.ascontiguousarray(plane[::-1, ::-1].T)


def _slice_count(image: Path, label: Path) -> int:
    """Return the number of axial slices once image and labels are known to lie on one grid."""
    first, second = _opened(str(image)), _opened(str(label))
    if first.shape != second.shape:
        sizes = f"{label} is {second.shape}, {image} is {first.shape} voxels"
        raise WrongDataError(f"{sizes}; find the labels that belong to this image")
    if not np.allclose(first.affine, second.affine, atol=_AFFINE_TOLERANCE_MM):
        far = np.abs(first.affine - second.affine).max()
        raise WrongDataError(f"{label} lies elsewhere than {image} (affines differ by {far:.3g}); resample the labels")
    return first.shape[2]


def _opened(path: str) -> _Volume:
    """Read and check a header; the voxels stay on disk."""
    import nibabel

    try:
        stored = nibabel.load(path)
        shape, affine = tuple(map(int, stored.shape)), np.asarray(stored.affine, np.float64)
    except Exception as error:  # nibabel and its decompressors raise many kinds
        raise WrongDataError(f"{path} is not a NIfTI file that can be read ({error}); copy it again") from error
    if len(shape) != 3 and not (len(shape) == 4 and shape[3] == 1):
        raise WrongDataError(f"{path} has the shape {shape}, expected three axes; export one volume a file")
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine)) < np.finfo(np.float32).tiny:
        raise WrongDataError(f"{path} has an impossible affine in its header; convert it again from the source")
    if np.prod(shape, dtype=np.float64) > MAX_VOXELS or min(shape) < 1:
        raise WrongDataError(f"{path} has {shape} voxels, expected at most {MAX_VOXELS:,}; it is broken, or cut it")
    turn = nibabel.io_orientation(affine)
    turned = tuple(shape[axis] for axis in np.argsort(turn[:, 0]))
    return _Volume(turned, affine @ nibabel.orientations.inv_ornt_aff(turn, shape[:3]), turn, stored.dataobj)


def _voxels(path: str) -> NDArray[Any]:
    import nibabel

    volume = _opened(path)
    try:
        stored = np.asanyarray(volume.stored)
    except Exception as error:  # a cut-off file shows itself only here
        raise WrongDataError(f"{path} is cut off or damaged ({error}); copy it again") from error
    if not np.isfinite(stored).all():
        count = int((~np.isfinite(stored)).sum())
        raise WrongDataError(f"{path} has {count} voxels that are not numbers; replace them at the source")
    turned: NDArray[Any] = nibabel.apply_orientation(stored.reshape(stored.shape[:3]), volume.turn)
    return turned


def _changed(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError as error:
        raise WrongDataError(f"{path} cannot be read: {error.strerror}; list the data set anew") from error


@lru_cache(maxsize=_VOLUMES_KEPT)
def _grey_volume(path: str, changed: int) -> NDArray[np.uint8]:
    """Decode a volume once for all of its slices; ``changed`` makes a replaced file be read anew."""
    values = _voxels(path)
    inside = values[values != 0]  # the air round a head is 0 in skull-stripped sets and would take the low end
    return scale_to_bytes(values, *(robust_range(inside) if inside.size else (0.0, 0.0)))


@lru_cache(maxsize=_VOLUMES_KEPT)
def _label_volume(path: str, changed: int) -> NDArray[np.bool_]:
    values = _voxels(path)
    if values.dtype.kind == "f" and not np.array_equal(values, np.rint(values)):
        raise WrongDataError(f"{path} has fractions, expected whole labels; give the labels, not probabilities")
    return np.asarray(values > 0)
