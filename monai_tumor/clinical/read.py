"""One input to one source image, whatever it is."""

from __future__ import annotations

from monai_tumor.clinical.dicom_image import read_dicom_image
from monai_tumor.clinical.dicom_series import read_dicom_series
from monai_tumor.clinical.items import InputItem
from monai_tumor.clinical.itk_volume import read_itk_volume
from monai_tumor.clinical.kinds import FileKind
from monai_tumor.clinical.limits import STANDARD, Limits, guarded
from monai_tumor.clinical.nifti import read_nifti
from monai_tumor.clinical.pictures import read_picture
from monai_tumor.clinical.source import SourceImage
from monai_tumor.errors import WrongDataError


def read_source(item: InputItem, limits: Limits = STANDARD) -> SourceImage:
    """Read what ``find_inputs`` found, in this process; ``decode_isolated`` does the same in a child.

    Raises:
        WrongDataError: The item carries an error, or its files cannot be read; one line that names it.
    """
    if item.error:
        raise WrongDataError(item.error)
    try:
        with guarded(item.name, "the file"):
            return _read(item, limits)
    except MemoryError:
        raise WrongDataError(f"{item.name} needs more memory than is allowed here; cut it into parts") from None


def _read(item: InputItem, limits: Limits) -> SourceImage:
    if item.kind is FileKind.DICOM:
        if len(item.paths) > 1:
            return read_dicom_series(item.paths, item.name, limits)
        return read_dicom_image(item.paths[0], item.name, limits)
    if item.kind is FileKind.NIFTI:
        return read_nifti(item.paths[0], item.name, limits)
    if item.kind in (FileKind.METAIMAGE, FileKind.NRRD):
        return read_itk_volume(item.paths[0], item.kind, item.name, limits)
    return read_picture(item.paths[0], item.name, limits)
