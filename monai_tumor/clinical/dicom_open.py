"""DICOM files to data sets: bounded, checked for what a library lets pass, and refused when they are no images."""

from __future__ import annotations

import io
import os
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai_tumor.clinical.dicom_classes import refuse_other_objects
from monai_tumor.clinical.limits import STANDARD, Limits, guarded
from monai_tumor.errors import WrongDataError

_DEFLATED = "1.2.840.10008.1.2.1.99"
_IMPLICIT, _EXPLICIT, _BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
_META_OFFSET = 132
_PREFIX = 1 << 20

MANDATORY = (
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
    "SamplesPerPixel",
    "PhotometricInterpretation",
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OpenedDicom:
    """A DICOM image whose header can be believed as far as it was checked.

    Attributes:
        dataset: The pydicom data set; it identifies the patient.
        notes: What had to be assumed to read it.
    """

    dataset: Any
    notes: tuple[str, ...] = ()


class _Clamped(io.FileIO):
    """A file that never allocates for more bytes than it has, whatever length an element claims."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))  # pydicom joins its name to text
        self.size = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self.size - self.tell())
        return super().read(left if size is None or size < 0 else min(size, left)) or b""


def open_dicom(
    path: Path, name: str, limits: Limits = STANDARD, keywords: tuple[str, ...] | None = None
) -> OpenedDicom:
    """Read an image's data set.

    Args:
        path: The file.
        name: What it is called in messages.
        limits: The bounds.
        keywords: Read only these elements and no pixels.

    Raises:
        WrongDataError: The file is cut off or damaged, is no image, or lacks what an image must have.
    """
    with guarded(name, "its DICOM header"):
        dataset, cut = _read(path, name, limits, keywords)
        if len(dataset) == 0:
            raise WrongDataError(f"{name} is cut off: no complete DICOM element is left; copy or export it again")
        refuse_other_objects(dataset, name)
        if keywords is None:
            _check_complete(dataset, name, cut)
        return OpenedDicom(dataset, _with_transfer_syntax(dataset))


def _read(path: Path, name: str, limits: Limits, keywords: tuple[str, ...] | None) -> tuple[Any, bool]:
    """Return the data set and whether pydicom met the end of the file too early."""
    import pydicom

    _bound_deflated(path, name, limits)
    wanted: dict[str, Any] = {"stop_before_pixels": True, "specific_tags": list(keywords)} if keywords else {}
    with warnings.catch_warnings(record=True) as told, _Clamped(path) as file:
        warnings.simplefilter("always")
        dataset = pydicom.dcmread(file, force=True, **wanted)
    return dataset, any("End of file" in str(warning.message) for warning in told)


def _check_complete(dataset: Any, name: str, cut: bool) -> None:
    if "PixelData" not in dataset:
        more = "it is cut off; copy or export it again" if cut else "it is no image, or was exported without pixels"
        raise WrongDataError(f"{name} has no pixel data; {more}")
    missing = [keyword for keyword in MANDATORY if dataset.get(keyword) in (None, "")]
    if missing:
        raise WrongDataError(f"{name} lacks {', '.join(missing)}, which every DICOM image has; export it again")


def _bound_deflated(path: Path, name: str, limits: Limits) -> None:
    """Inflate a deflated data set with a bound first: pydicom inflates all of it, whatever it is asked for."""
    with path.open("rb") as file:
        prefix = file.read(_PREFIX)
        if prefix[128:_META_OFFSET] != b"DICM" or _DEFLATED.encode() not in prefix[_META_OFFSET : _META_OFFSET + 1024]:
            return
        start = _META_OFFSET + 12 + int.from_bytes(prefix[_META_OFFSET + 8 : _META_OFFSET + 12], "little")
        file.seek(start)
        inflater, total, fed = zlib.decompressobj(-zlib.MAX_WBITS), 0, file.read(_PREFIX)
        while fed and not inflater.eof:
            total += len(inflater.decompress(fed, _PREFIX))
            if total > limits.header_bytes:
                most = f"{limits.header_bytes >> 20:,} MB"
                raise WrongDataError(f"{name} inflates to more than {most}; it is broken, or store it uncompressed")
            fed = inflater.unconsumed_tail or file.read(_PREFIX)


def _with_transfer_syntax(dataset: Any) -> tuple[str, ...]:
    """Complete the file meta group of a file that has none from the way it could be read; say so."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = FileMetaDataset()
    if "TransferSyntaxUID" in dataset.file_meta:
        return ()
    implicit, little = dataset.original_encoding
    uid = UID(_IMPLICIT if implicit else _EXPLICIT if little else _BIG)
    dataset.file_meta.TransferSyntaxUID = uid
    return (f"the file does not state its transfer syntax; read as {uid.name}",)
