"""Which DICOM objects are images, and what the others are called."""

from __future__ import annotations

from typing import Any

from monai_tumor.errors import WrongDataError

_LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
_IMAGES = ("Image", "Enhanced US Volume", "unknown")
_UNKNOWN = "object of an unknown kind"
_OTHERS = {
    "Segmentation": "it is a result, give the images it refers to",
    "Label Map": "it is a result, give the images it refers to",
    "Parametric Map": "its values are measurements, give the images it was made from",
    "SR": "it is a report, give the images it refers to",
    "Report": "it is a report, give the images it refers to",
    "RT": "it belongs to a radiotherapy plan, give the images it was planned on",
    "Presentation State": "it says how images are shown, give the images",
    "Key Object": "it is a list, give the images it names",
    "Media Storage Directory": "give it as DICOMDIR with the folder it belongs to",
    "Video": "videos are not read, export the frames",
    "Whole Slide": "slides under a microscope are not read",
    "Surface": "it holds no pixels, give the images it was made from",
    "Registration": "it holds no pixels, give the images",
    "Fiducials": "it holds no pixels, give the images",
    "Waveform": "it holds no pixels, give the images",
    "ECG": "it holds no pixels, give the images",
    "Encapsulated": "it is a document, give the images",
    "Raw Data": "it is no image yet, give the reconstructed images",
    "Spectroscopy": "it holds no pixels, give the images",
    "Tractography": "it holds no pixels, give the images",
    "Real World Value": "it holds no pixels, give the images",
    "Measurement": "it holds no pixels, give the images",
    "Protocol": "it holds no pixels, give the images",
}


def class_name(uid: object) -> str:
    """Return the published name of a SOP class; one that is not published has no name, whatever it says."""
    from pydicom.uid import UID

    text = str(uid)
    if text == _LABEL_MAP:  # younger than the dictionary
        return "Label Map Segmentation Storage"
    published = UID(text).name  # the UID itself where it is not in the dictionary
    return published if published != text else _UNKNOWN


def refuse_other_objects(dataset: Any, name: str) -> None:
    """Refuse what is no image, saying what it is.

    Raises:
        WrongDataError: The SOP class is not of images, or is missing.
    """
    uid = dataset.get("SOPClassUID") or getattr(dataset, "file_meta", {}).get("MediaStorageSOPClassUID")
    if not uid:
        raise WrongDataError(f"{name} is DICOM without a SOP class, expected an image; export it again")
    kind = class_name(uid)
    words = kind.replace("-", " ").split()
    for part, advice in _OTHERS.items():
        if part in words or (" " in part and part in kind):
            raise WrongDataError(f"{name} is a DICOM {kind.removesuffix(' Storage')}, expected an image; {advice}")
    if not any(part in kind for part in _IMAGES):
        raise WrongDataError(f"{name} is a DICOM {kind}, expected an image; give the images")


def is_projection(dataset: Any) -> bool:
    """Say whether pixels are distances on a detector or a screen and not in the patient."""
    kind = class_name(dataset.get("SOPClassUID", ""))
    flat = ("X-Ray", "Radiography", "Radiofluoroscopic", "Secondary Capture", "Angiographic", "Photographic")
    return any(part in kind for part in flat)
