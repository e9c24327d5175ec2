"""ITK, for what the other libraries cannot read. Its libraries are large, so it is imported when it is needed."""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.clinical.limits import quiet_libraries
from monai_tumor.clinical.memory import room_for_libraries

_PIXEL_MODULE = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelData",
)


def load_itk() -> Any:
    """Import ITK; where address space is limited, its libraries do not count."""
    with room_for_libraries(), quiet_libraries():
        import itk

        _without_torch()
        # Shown when the program ends, long after any block that could silence it.
        warnings.filterwarnings("ignore", "builtin type .* has no __module__", DeprecationWarning)
        itk.ProcessObject.SetGlobalWarningDisplay(False)
        return itk


def _without_torch() -> None:
    """Keep ITK from importing torch (four seconds) merely because it is installed; no tensor ever meets ITK here."""
    if "torch" not in sys.modules:
        from itk.support import helpers, types

        helpers._HAVE_TORCH = types._HAVE_TORCH = False


def decode_with_itk(dataset: Any) -> NDArray[Any] | None:
    """Decode a data set's pixels with ITK's DICOM reader (GDCM), or return None where it cannot either.

    The reader is given the pixels alone: with the whole header it would rescale, invert and colour them.

    Returns:
        (frames, rows, columns) or (frames, rows, columns, 3), stored values or RGB.
    """
    try:
        itk = load_itk()
        with tempfile.TemporaryDirectory(prefix="monai-tumor-") as folder:
            path = str(Path(folder, "pixels.dcm"))
            _bare_copy(dataset).save_as(path, enforce_file_format=True)
            image = itk.imread(path, imageio=itk.GDCMImageIO.New())
            return np.array(itk.array_view_from_image(image))
    except MemoryError:
        raise
    except Exception:  # a second try that fails is reported by the caller, with the first one
        return None


def _bare_copy(dataset: Any) -> Any:
    """Return a data set with the pixel module and new identifiers only."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import SecondaryCaptureImageStorage, generate_uid

    bare = Dataset()
    for keyword in _PIXEL_MODULE:
        if keyword in dataset:
            bare[keyword] = dataset[keyword]
    if int(dataset.SamplesPerPixel) == 1:
        bare.PhotometricInterpretation = "MONOCHROME2"
    bare.SOPClassUID, bare.SOPInstanceUID = SecondaryCaptureImageStorage, generate_uid()
    bare.file_meta = FileMetaDataset()
    bare.file_meta.MediaStorageSOPClassUID = bare.SOPClassUID
    bare.file_meta.MediaStorageSOPInstanceUID = bare.SOPInstanceUID
    bare.file_meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    return bare
