"""MetaImage and NRRD volumes, read by ITK once their headers are known to be true."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.clinical.itk_files import load_itk
from monai_tumor.clinical.kinds import FileKind
from monai_tumor.clinical.levels import to_levels, volume_window
from monai_tumor.clinical.limits import STANDARD, Limits, guarded
from monai_tumor.clinical.source import Affine, ImageKind, Origin, SourceImage
from monai_tumor.clinical.text_header import check_text_header
from monai_tumor.clinical.turning import turned_geometry, turned_voxels, turning
from monai_tumor.errors import WrongDataError

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def read_itk_volume(path: Path, kind: FileKind, name: str, limits: Limits = STANDARD) -> SourceImage:
    """Read a MetaImage or NRRD file of one grey volume or one plane.

    Volumes come as axial slices, as those of ``read_nifti``.

    Raises:
        WrongDataError: The file is cut off, damaged, too large, or not one grey volume.
    """
    claims = check_text_header(path, kind, name, limits)
    with guarded(name, f"its {kind} data"):
        stored, affine = _voxels(path, kind)
    if stored.shape != (*claims.shape, 1)[:3]:
        raise WrongDataError(f"{name} was read as {stored.shape}, its header says {claims.shape}; convert it again")
    sizes = tuple(float(size) for size in np.linalg.norm(affine[:3, :3], axis=0)) if claims.spaced else None
    known = affine if claims.oriented and claims.spaced else None
    turn = turning(known, stored.shape)
    levels = to_levels(name, turned_voxels(stored, turn))
    image_kind = _kind(len(levels.stack), known)
    return SourceImage(
        name,
        image_kind,
        levels.stack,
        geometry=turned_geometry(known, stored.shape, sizes, turn, f"{kind} header"),
        scale=levels.scale,
        offset=levels.offset,
        window=volume_window(image_kind, levels),
        decoder="itk",
        notes=() if known is not None else (f"the {kind} header gives no orientation: left and right are unknown",),
        origin=Origin((path,), turn=turn),
    )


def _kind(frames: int, affine: Affine | None) -> ImageKind:
    if frames > 1:
        return ImageKind.VOLUME
    return ImageKind.PICTURE if affine is None else ImageKind.PLANE


def _voxels(path: Path, kind: FileKind) -> tuple[NDArray[Any], Affine]:
    """Return the voxels along their stored axes, always three, and the affine in right, anterior, superior."""
    itk = load_itk()
    reader = itk.MetaImageIO.New() if kind is FileKind.METAIMAGE else itk.NrrdImageIO.New()
    image = itk.imread(str(path), imageio=reader)
    voxels = np.array(itk.array_view_from_image(image)).T
    axes = voxels.ndim
    affine = np.eye(4)
    affine[:axes, :axes] = itk.array_from_matrix(image.GetDirection()) @ np.diag(list(image.GetSpacing()))
    affine[:axes, 3] = list(image.GetOrigin())
    return voxels.reshape((*voxels.shape, 1)[:3]), np.asarray(_LPS_TO_RAS @ affine)
