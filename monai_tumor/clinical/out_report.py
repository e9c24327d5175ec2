"""Measurements to DICOM Structured Reports (TID 1500), unverified and preliminary as all results of a model are."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai_tumor import __version__
from monai_tumor.clinical.out_dicom import MAKER, encoded, equipment, made_uid, making, need_highdicom, source_headers
from monai_tumor.clinical.out_findings import Algorithm, ClinicalCode, Finding
from monai_tumor.clinical.out_regions import SegmentationFile, region_of
from monai_tumor.clinical.source import SourceImage
from monai_tumor.errors import WrongCallError
from monai_tumor.imaging.write import refuse_target, write_bytes

_SERIES_NUMBER = 9002
_PIXELS = ClinicalCode("{pixels}", "UCUM", "pixels")
_VOXELS = ClinicalCode("{voxels}", "UCUM", "voxels")
_PERCENT = ClinicalCode("%", "UCUM", "Percent")
_MEASURED = {
    "area": ClinicalCode("42798000", "SCT", "Area"),
    "volume": ClinicalCode("118565006", "SCT", "Volume"),
    "longest_diameter": ClinicalCode("103339001", "SCT", "Long axis"),
    "short_axis": ClinicalCode("103340004", "SCT", "Short axis"),
    "probability": ClinicalCode("111012", "DCM", "Certainty of Finding"),
    "probability_of_cancer": ClinicalCode("111047", "DCM", "Probability of cancer"),
}
_UNITS = {
    "mm": {
        "area": ClinicalCode("mm2", "UCUM", "square millimeter"),
        "volume": ClinicalCode("mm3", "UCUM", "cubic millimeter"),
        "longest_diameter": ClinicalCode("mm", "UCUM", "millimeter"),
        "short_axis": ClinicalCode("mm", "UCUM", "millimeter"),
    },
    "px": {"area": _PIXELS, "volume": _VOXELS, "longest_diameter": _PIXELS, "short_axis": _PIXELS},
}
_PROCEDURE = ClinicalCode("363679005", "SCT", "Imaging procedure")


@dataclass(frozen=True, slots=True)
class MeasuredFinding:
    """One finding with its figures; what is None was not measured and is not written.

    Attributes:
        finding: What it is and where.
        unit: ``"mm"``, or ``"px"`` where the spacing is unknown; areas and volumes are in its square and cube.
        area: Of the outline in one frame; in ``px`` the number of pixels.
        volume: Of the outline in all slices; in ``px`` the number of voxels.
        longest_diameter: Largest distance within one frame or slice.
        short_axis: Extent perpendicular to it.
        probability: That the finding is there, 0 to 1; written in percent.
        probability_of_cancer: That it is malignant, likewise.
        frame: Index of the frame in the source's stack; None for the whole volume.
        segment: Number of its segment in the SEG, from 1.
    """

    finding: Finding
    unit: str = "px"
    area: float | None = None
    volume: float | None = None
    longest_diameter: float | None = None
    short_axis: float | None = None
    probability: float | None = None
    probability_of_cancer: float | None = None
    frame: int | None = None
    segment: int = 1


def write_report_sr(
    path: str | os.PathLike[str],
    measurements: Sequence[MeasuredFinding],
    source: SourceImage,
    algorithm: Algorithm,
    segmentation: str | os.PathLike[str] | None = None,
) -> None:
    """Write measurements as a DICOM SR, with patient and study of the source and nothing else of its header.

    Args:
        path: File to write; its folder is made.
        measurements: One for each finding, at least one; an area of 0 says that nothing was found.
        source: The image that was measured; its files must still be there.
        algorithm: The model that made the outlines.
        segmentation: The DICOM SEG that was measured, made from the same source; without it the figures refer to images.

    Raises:
        WrongCallError: highdicom is missing, the source is not DICOM, a figure cannot be, or the file exists.
        WrongDataError: The source's header or the SEG does not allow a report.
    """
    need_highdicom()
    refuse_target(path)
    if not measurements:
        raise WrongCallError(
            f"there is nothing to report of {source.name}; give a measurement, with area 0 for nothing"
        )
    for one in measurements:
        _check(one, source)
    with making(source, "DICOM SR"):
        headers = source_headers(source)
        outlined = None if segmentation is None else SegmentationFile.read(Path(segmentation), source)
        unique = repr((source.origin.instance_uids, tuple(measurements), algorithm, outlined and outlined.uid))
        groups = [_group(number, one, source, headers, outlined, unique) for number, one in enumerate(measurements, 1)]
        evidence = headers if outlined is None else [*headers, outlined.dataset]
        content = encoded(_made(evidence, _report(groups, algorithm), algorithm, unique))
    write_bytes(path, content)


def _check(one: MeasuredFinding, source: SourceImage) -> None:
    found = f"a measurement of {source.name}"
    if one.unit not in _UNITS:
        raise WrongCallError(f"{found} has unit {one.unit!r}, expected mm or px")
    if one.unit == "mm" and source.geometry.spacing_mm is None and not source.geometry.regions:
        raise WrongCallError(f"{found} is in mm, but the file states no spacing; measure it in px")
    if one.frame is not None and not 0 <= one.frame < source.frames:
        raise WrongCallError(f"{found} is of frame {one.frame}, expected 0 to {source.frames - 1}")
    values = {name: getattr(one, name) for name in _MEASURED}
    given = {name: value for name, value in values.items() if value is not None}
    if not given:
        raise WrongCallError(f"{found} has no figure; give its area or volume")
    for name, value in given.items():
        most = 1.0 if name.startswith("probability") else math.inf
        if not (math.isfinite(value) and 0 <= value <= most):
            raise WrongCallError(
                f"{found} has {name} {value}, expected a number from 0" + (" to 1" if most == 1 else "")
            )


def _group(
    number: int,
    one: MeasuredFinding,
    source: SourceImage,
    headers: list[Any],
    outlined: SegmentationFile | None,
    unique: str,
) -> Any:
    from highdicom.sr import FindingSite, TrackingIdentifier

    kind, where, tracking = region_of(one.frame, one.segment, source, headers, outlined)
    uid, text = tracking or (made_uid("finding", number, unique), f"{one.finding.label} {number}")
    return kind(
        tracking_identifier=TrackingIdentifier(uid=uid, identifier=text),
        finding_type=one.finding.what.coded(),
        finding_sites=[FindingSite(anatomic_location=one.finding.site.coded())],
        measurements=_figures(one),
        **where,
    )


def _figures(one: MeasuredFinding) -> list[Any]:
    """Return the figures with six significant digits: a Decimal String holds no more than sixteen characters."""
    from highdicom.sr import Measurement

    found = []
    for name, code in _MEASURED.items():
        value, unit = getattr(one, name), _UNITS[one.unit].get(name, _PERCENT)
        if value is not None:
            shown = float(f"{value * 100 if unit is _PERCENT else value:.6g}")
            found.append(Measurement(name=code.coded(), value=shown, unit=unit.coded()))
    return found


def _report(groups: list[Any], algorithm: Algorithm) -> Any:
    from highdicom.sr import (
        DeviceObserverIdentifyingAttributes,
        MeasurementReport,
        ObservationContext,
        ObserverContext,
    )
    from pydicom.sr.codedict import codes

    device = DeviceObserverIdentifyingAttributes(
        uid=made_uid("device", algorithm),
        name=algorithm.name,
        manufacturer_name=MAKER,
        model_name=f"{algorithm.name} {algorithm.version}, {MAKER} {__version__}",
        serial_number=algorithm.weights_sha256,
    )
    observer = ObserverContext(observer_type=codes.DCM.Device, observer_identifying_attributes=device)
    return MeasurementReport(
        observation_context=ObservationContext(observer_device_context=observer),
        procedure_reported=_PROCEDURE.coded(),
        imaging_measurements=groups,
    )


def _made(evidence: list[Any], report: Any, algorithm: Algorithm, unique: str) -> Any:
    from highdicom.sr import Comprehensive3DSR

    return Comprehensive3DSR(
        evidence=evidence,
        content=report,
        series_instance_uid=made_uid("report series", unique),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=made_uid("report", unique),
        instance_number=1,
        series_description=f"{algorithm.name} (automatic measurements)"[:64],
        is_complete=True,
        is_final=False,
        is_verified=False,
        **equipment(algorithm),
    )
