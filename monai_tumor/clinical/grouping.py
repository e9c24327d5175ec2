"""DICOM files to inputs: the slices of a series become one volume, everything else stays alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from monai_tumor.clinical.dicom_geometry import has_place
from monai_tumor.clinical.dicom_open import open_dicom
from monai_tumor.clinical.dicom_pixels import frame_count
from monai_tumor.clinical.found import FoundFile
from monai_tumor.clinical.items import InputItem
from monai_tumor.clinical.kinds import FileKind
from monai_tumor.clinical.limits import STANDARD, Limits, guarded
from monai_tumor.errors import ToolkitError

# What may tell the volumes of one series apart where their slices lie at the same places.
_REPEATS = ("EchoTime", "EchoNumbers", "DiffusionBValue", "TemporalPositionIdentifier", "AcquisitionNumber")
_KEYWORDS = (
    "SOPClassUID",
    "SeriesInstanceUID",
    "NumberOfFrames",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    *_REPEATS,
)


@dataclass(frozen=True, slots=True, eq=False)
class _Brief:
    file: FoundFile
    series: Hashable
    place: Hashable
    repeats: dict[str, str]


def group_dicom(files: Sequence[FoundFile], limits: Limits = STANDARD) -> list[tuple[PurePath, InputItem]]:
    """Return one item a series and one for each file that belongs to none; a series is called after its first file.

    A series is what shares a Series Instance UID, lies in one folder, and has places in the patient. Where places
    repeat, echo, b-value, time or acquisition divide it, if one of them does so completely.
    """
    found: list[tuple[PurePath, InputItem]] = []
    series: dict[Hashable, list[_Brief]] = defaultdict(list)
    for file in files:
        try:
            brief = _brief(file, limits)
        except ToolkitError as error:
            found.append((file.relative, InputItem("", FileKind.DICOM, (file.path,), str(error))))
            continue
        series[brief.series].append(brief)
    for members in series.values():
        found.extend(_item(part) for part in _divided(members))
    return found


def _item(members: Sequence[_Brief]) -> tuple[PurePath, InputItem]:
    return members[0].file.relative, InputItem("", FileKind.DICOM, tuple(one.file.path for one in members))


def _brief(file: FoundFile, limits: Limits) -> _Brief:
    name = file.relative.as_posix()
    with guarded(name, "its DICOM header"):
        dataset = open_dicom(file.path, name, limits, _KEYWORDS).dataset
        uid = str(dataset.get("SeriesInstanceUID") or "")
        alone = not uid or not has_place(dataset) or frame_count(dataset, name) > 1
        place = None if alone else tuple(round(float(part), 3) for part in _numbers(dataset))
        repeats = {keyword: str(dataset.get(keyword, "")) for keyword in _REPEATS}
    return _Brief(file, file.path if alone else (file.path.parent, uid), place, repeats)


def _numbers(dataset: Any) -> list[Any]:
    return [*dataset.ImagePositionPatient, *dataset.ImageOrientationPatient]


def _divided(members: list[_Brief]) -> list[list[_Brief]]:
    if _places_differ(members):
        return [members]
    for keyword in _REPEATS:
        parts: dict[str, list[_Brief]] = defaultdict(list)
        for member in members:
            parts[member.repeats[keyword]].append(member)
        if len(parts) > 1 and all(map(_places_differ, parts.values())):
            return list(parts.values())
    return [members]


def _places_differ(members: Sequence[_Brief]) -> bool:
    return len({member.place for member in members}) == len(members)
