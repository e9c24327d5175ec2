"""Small DICOM and NIfTI files, non-square and without symmetry, each with one planted name everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

US = "1.2.840.10008.5.1.4.1.1.6.1"
CINE = "1.2.840.10008.5.1.4.1.1.3.1"
MR = "1.2.840.10008.5.1.4.1.1.4"
PLANTED = "Plantagenet"
NAMED = (
    "PatientName",
    "PatientID",
    "PatientComments",
    "InstitutionName",
    "ReferringPhysicianName",
    "OperatorsName",
    "StationName",
    "AccessionNumber",
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "DeviceSerialNumber",
    "StudyID",
)


def _dataset(pixels: np.ndarray, elements: dict[str, Any]) -> Dataset:
    dataset = Dataset()
    for keyword in NAMED:
        setattr(dataset, keyword, PLANTED)
    colour = pixels.shape[-1] == 3 and pixels.ndim > 2
    size = pixels.shape[-3:-1] if colour else pixels.shape[-2:]
    frames = int(np.prod(pixels.shape[: -3 if colour else -2], dtype=int))
    dataset.update(
        {
            "SOPClassUID": US if frames == 1 else CINE,
            "SOPInstanceUID": generate_uid(),
            "SeriesInstanceUID": generate_uid(),
            "StudyInstanceUID": generate_uid(),
            "Modality": "US",
            "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2",
            "SamplesPerPixel": 3 if colour else 1,
            "Rows": size[0],
            "Columns": size[1],
            "BitsAllocated": 8 * pixels.dtype.itemsize,
            "BitsStored": 8 * pixels.dtype.itemsize,
            "HighBit": 8 * pixels.dtype.itemsize - 1,
            "PixelRepresentation": int(pixels.dtype.kind == "i"),
        }
    )
    if frames > 1:
        dataset.NumberOfFrames = frames
    if colour:
        dataset.PlanarConfiguration = 0
    content = pixels.tobytes()
    dataset.PixelData = content + b"\0" * (len(content) % 2)
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


@pytest.fixture
def write_dicom() -> Callable[..., Path]:
    """Write an uncompressed file: ``write_dicom(path, pixels, **elements)``; an element that is None is left out."""

    def write(path: Path, pixels: np.ndarray, **elements: Any) -> Path:
        dataset = _dataset(pixels, elements)
        for keyword in [keyword for keyword, value in elements.items() if value is None]:
            delattr(dataset, keyword)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", US)
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        path.parent.mkdir(parents=True, exist_ok=True)
        pydicom.dcmwrite(path, dataset, enforce_file_format=True)
        return path

    return write


@pytest.fixture
def write_series(write_dicom: Callable[..., Path]) -> Callable[..., list[Path]]:
    """Write slices 3.5 mm apart, numbered against their order in space: ``write_series(folder, volume, **elements)``."""

    def write(folder: Path, volume: np.ndarray, **elements: Any) -> list[Path]:
        common = {
            "SOPClassUID": MR,
            "Modality": "MR",
            "SeriesInstanceUID": generate_uid(),
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "PixelSpacing": [0.5, 0.75],
        }
        paths = []
        for index, plane in enumerate(volume):
            place = {
                "ImagePositionPatient": [-10.0, -20.0, 3.5 * index],
                "InstanceNumber": 1 + (index * 2) % len(volume),
            }
            name = f"IM{(index * 7) % len(volume):02d}.dcm"
            paths.append(write_dicom(folder / name, plane, **{**common, **place, **elements}))
        return paths

    return write


@pytest.fixture
def region() -> Callable[..., Dataset]:
    """Build an ultrasound region: ``region(left, top, right, bottom, x_cm, y_cm, **elements)``, sides inclusive."""

    def build(left: int, top: int, right: int, bottom: int, x_cm: float, y_cm: float, **elements: Any) -> Dataset:
        item = Dataset()
        item.RegionSpatialFormat, item.RegionDataType = 1, 1
        item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
        item.PhysicalDeltaX, item.PhysicalDeltaY = x_cm, y_cm
        item.RegionLocationMinX0, item.RegionLocationMaxX1 = left, right
        item.RegionLocationMinY0, item.RegionLocationMaxY1 = top, bottom
        for keyword, value in elements.items():
            setattr(item, keyword, value)
        return item

    return build


@pytest.fixture
def regions(region: Callable[..., Dataset]) -> Callable[..., Sequence]:
    """Build a Sequence of Ultrasound Regions from tuples as ``region`` takes them."""
    return lambda *items: Sequence([region(*item) for item in items])


@pytest.fixture
def write_nifti() -> Callable[..., Path]:
    """Write a volume: ``write_nifti(path, voxels, affine, sform=1, qform=1)``."""

    def write(path: Path, voxels: np.ndarray, affine: np.ndarray, sform: int = 1, qform: int = 1) -> Path:
        image = nibabel.Nifti1Image(voxels, affine)
        image.header["descrip"] = PLANTED.encode()
        image.header.set_xyzt_units("mm")
        image.set_sform(affine, sform)
        image.set_qform(affine, qform)
        path.parent.mkdir(parents=True, exist_ok=True)
        nibabel.save(image, path)
        return path

    return write


@pytest.fixture
def ramp() -> np.ndarray:
    """Grey values of 6 rows and 8 columns that differ everywhere, uint8."""
    return np.arange(48, dtype=np.uint8).reshape(6, 8) * 5


@pytest.fixture
def block() -> np.ndarray:
    """A volume of 5 slices, 6 rows and 8 columns that differ everywhere, uint16."""
    return np.arange(240, dtype=np.uint16).reshape(5, 6, 8) * 13
