"""What every DICOM result needs: the headers of its source cut down to what may be copied, its UIDs, its maker."""

from __future__ import annotations

import contextlib
import io
import logging
import re
from collections.abc import Iterator
from typing import Any

from monai_tumor import __version__
from monai_tumor.clinical.dicom_open import open_dicom
from monai_tumor.clinical.limits import quiet_libraries
from monai_tumor.clinical.out_findings import Algorithm
from monai_tumor.clinical.source import SourceImage
from monai_tumor.errors import ToolkitError, WrongCallError, WrongDataError

MAKER = "monai-tumor"

_NEEDED = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
)
_PATIENT_AND_STUDY = (
    *_NEEDED,
    "IssuerOfPatientID",
    "PatientAge",
    "StudyInstanceUID",
    "StudyDescription",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "LongitudinalTemporalInformationModified",
)
PLACE = (
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "NumberOfFrames",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
_IMAGE = (
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "Rows",
    "Columns",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)
_COPIED = (*_PATIENT_AND_STUDY, *_IMAGE, *PLACE)

_OWN = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_TIME = re.compile(r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?")
_DATE = re.compile(r"\d{8}")
_SEXES = ("M", "F", "O")
_UNICODE = "ISO_IR 192"


def need_highdicom() -> None:
    """Refuse early where the library that writes DICOM results is missing.

    Raises:
        WrongCallError: It is not installed.
    """
    try:
        import highdicom  # noqa: F401
    except ImportError:
        advice = "install it with: pip install 'monai-tumor[dicom]'"
        raise WrongCallError(f"writing DICOM results needs highdicom, which is not installed; {advice}") from None


def source_headers(source: SourceImage) -> list[Any]:
    """Return the source's headers in the order of its frames, without pixels and with what a result may copy only.

    Elements that the standard wants and the file lacks are empty; dates, times and codes that cannot be are too.

    Raises:
        WrongCallError: The source is not DICOM.
        WrongDataError: A file is gone, is not the one that was read, or has no UIDs to refer to.
    """
    if not source.origin.instance_uids:
        raise WrongCallError(f"{source.name} is no DICOM image, and DICOM results need one; write NIfTI or PNG")
    return [
        _header(source, index, path, uid)
        for index, (path, uid) in enumerate(zip(source.origin.paths, source.origin.instance_uids, strict=True))
    ]


def made_uid(*parts: object) -> str:
    """Return the UID of what these parts make up.

    The same result has the same UID: an archive that gets it twice keeps one. Whatever differs, be it one pixel of the
    mask or the weights, makes another.
    """
    from pydicom.uid import generate_uid

    return str(generate_uid(entropy_srcs=[MAKER, __version__, *map(str, parts)]))


def equipment(algorithm: Algorithm) -> dict[str, Any]:
    """Return what highdicom takes as the device: our software with its model, and the weights as its serial number."""
    return {
        "manufacturer": MAKER,
        "manufacturer_model_name": algorithm.name,
        "software_versions": (f"{MAKER} {__version__}", f"{algorithm.name} {algorithm.version}"),
        "device_serial_number": algorithm.weights_sha256,
    }


def encoded(dataset: Any) -> bytes:
    """Return a DICOM file as bytes; the source's scanner is not named in it."""
    from pydicom import dcmwrite

    if "ContributingEquipmentSequence" in dataset:  # highdicom adds itself and, where it can, the source's scanner
        del dataset.ContributingEquipmentSequence
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


@contextlib.contextmanager
def making(source: SourceImage, what: str) -> Iterator[None]:
    """Turn whatever libraries raise while a result is made into one line without their words, and keep them silent.

    Raises:
        WrongDataError: Anything but an error of ours or the end of memory was raised inside.
    """
    talkative = logging.getLogger("highdicom")
    before = talkative.level
    talkative.setLevel(logging.CRITICAL + 1)  # for its modules too: their messages hold names
    try:
        with quiet_libraries():
            yield
    except (ToolkitError, MemoryError):
        raise
    except Exception as error:
        advice = "write NIfTI or PNG instead"
        raise WrongDataError(f"{source.name}: no {what} can be made of it ({type(error).__name__}); {advice}") from None
    finally:
        talkative.setLevel(before)


def _header(source: SourceImage, index: int, path: Any, uid: str) -> Any:
    name = source.name if len(source.origin.paths) == 1 else f"{source.name}: slice {path.name}"
    if not path.is_file():
        raise WrongDataError(f"{name} is gone since it was read; keep the source until its results are written")
    header = open_dicom(path, name, keywords=_COPIED).dataset
    missing = [keyword for keyword in _OWN if not header.get(keyword)]
    if missing:
        raise WrongDataError(f"{name} lacks {', '.join(missing)}, which a DICOM result refers to; write NIfTI or PNG")
    if str(header.SOPInstanceUID) != uid:
        raise WrongDataError(f"{name} was replaced since it was read; read it again")
    return _repaired(header)


def _repaired(header: Any) -> Any:
    header.decode()
    header.SpecificCharacterSet = _UNICODE
    for keyword in _NEEDED:
        if header.get(keyword) is None:
            setattr(header, keyword, "")
    for keyword in ("StudyDate", "PatientBirthDate"):
        setattr(header, keyword, _valid_date(str(header.get(keyword))))
    found = _TIME.match(str(header.StudyTime).replace(":", ""))
    header.StudyTime = found.group() if found else ""
    if header.PatientSex not in _SEXES:
        header.PatientSex = ""
    return header


def _valid_date(text: str) -> str:
    from pydicom.valuerep import DA

    plain = text.replace(".", "").strip()
    with contextlib.suppress(ValueError):
        return str(DA(plain)) if _DATE.fullmatch(plain) else ""
    return ""
