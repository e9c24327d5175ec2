"""Masks to DICOM Segmentation objects in the study of their source."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.clinical.dicom_classes import class_name
from monai_tumor.clinical.out_dicom import encoded, equipment, made_uid, making, need_highdicom, source_headers
from monai_tumor.clinical.out_findings import CATEGORY, Algorithm, Finding
from monai_tumor.clinical.out_frames import as_still, over_frames, point_to_class
from monai_tumor.clinical.out_masks import checked_labels
from monai_tumor.clinical.out_places import even_places, has_places
from monai_tumor.clinical.source import SourceImage
from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.imaging.write import refuse_target, write_bytes

_SERIES_NUMBER = 9001
_NOT_IN_TIME = ("Enhanced", "Nuclear", "Positron")


def write_segmentation(
    path: str | os.PathLike[str],
    mask: NDArray[Any],
    source: SourceImage,
    findings: Sequence[Finding],
    algorithm: Algorithm,
) -> None:
    """Write a mask as a binary DICOM SEG, with patient and study of the source and nothing else of its header.

    A volume or plane keeps its places in the patient. A picture or cine has none: its frames are those of the source
    file, by number. Frames without a finding are left out; a mask of nothing keeps them all, for "looked at, nothing
    found". The same result has the same UIDs, see ``made_uid``.

    Args:
        path: File to write; its folder is made.
        mask: (frames, rows, columns) on the grid of the source, bool or whole numbers; 0 is nothing, 1 the first finding.
        source: The image that the mask was made from; its files must still be there.
        findings: What the labels mean, one segment each.
        algorithm: The model that made the mask.

    Raises:
        WrongCallError: highdicom is missing, the source is not DICOM, the mask does not fit, or the file exists.
        WrongDataError: The source's header does not allow a SEG.
    """
    need_highdicom()
    refuse_target(path)
    if not findings:
        raise WrongCallError(f"no finding is named for the mask of {source.name}; name one for each label")
    labels = checked_labels(mask, source, len(findings))
    with making(source, "DICOM SEG"):
        headers = source_headers(source)
        unique = _unique(source, labels, findings, algorithm)
        descriptions = [_segment(number, one, algorithm, unique) for number, one in enumerate(findings, 1)]
        if has_places(source, headers):
            even_places(headers, source)
            made = _made(headers, _stored_order(labels, source), descriptions, algorithm, unique)
        else:
            made = _flat(source, headers[0], labels, descriptions, algorithm, unique)
        _settle_dimensions(made, unique)
        content = encoded(made)
    write_bytes(path, content)


def _stored_order(labels: NDArray[np.uint8], source: SourceImage) -> NDArray[np.uint8]:
    """Return the frames in the order of a multi-frame file; those of a series stay as its headers are."""
    if not source.origin.frame_numbers:
        return labels
    return np.ascontiguousarray(labels[np.argsort(source.origin.frame_numbers)])


def _flat(
    source: SourceImage,
    header: Any,
    labels: NDArray[np.uint8],
    descriptions: list[Any],
    algorithm: Algorithm,
    unique: str,
) -> Any:
    """Make a SEG without places: highdicom makes one of one frame, and the other frames are put in by hand."""
    stored = str(header.SOPClassUID)
    kind = class_name(stored)
    if source.frames > 1 and any(word in kind for word in _NOT_IN_TIME):
        raise WrongDataError(
            f"{source.name} states no places of its frames, which a DICOM SEG needs; write NIfTI or PNG"
        )
    made = _made([as_still(header)], labels[:1], descriptions, algorithm, unique)
    made.PatientOrientation = ""
    point_to_class(made, stored)
    if source.frames > 1:
        numbers = source.origin.frame_numbers
        over_frames(made, _stored_order(labels, source), sorted(numbers), len(descriptions))
    return made


def _made(
    headers: list[Any], labels: NDArray[np.uint8], descriptions: list[Any], algorithm: Algorithm, unique: str
) -> Any:
    from highdicom.seg import Segmentation

    made = Segmentation(
        headers,
        labels,
        "BINARY",
        descriptions,
        series_instance_uid=made_uid("series", unique),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=made_uid("instance", unique),
        instance_number=1,
        series_description=f"{algorithm.name} (automatic segmentation)"[:64],
        content_label="LESION",
        content_description="Automatic segmentation, not verified",
        omit_empty_frames=bool(labels.any()),
        **equipment(algorithm),
    )
    _name_segments_per_frame(made)
    return made


def _segment(number: int, finding: Finding, algorithm: Algorithm, unique: str) -> Any:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentDescription
    from pydicom.sr.codedict import codes

    return SegmentDescription(
        segment_number=number,
        segment_label=finding.label,
        segmented_property_category=CATEGORY.coded(),
        segmented_property_type=finding.what.coded(),
        algorithm_type="AUTOMATIC",
        algorithm_identification=AlgorithmIdentificationSequence(
            name=algorithm.name,
            version=algorithm.version,
            family=codes.DCM.ArtificialIntelligence,
            parameters={"weights_sha256": algorithm.weights_sha256},
        ),
        anatomic_regions=[finding.site.coded()],
        tracking_uid=made_uid("segment", number, unique),
        tracking_id=f"{finding.label} {number}",
    )


def _unique(source: SourceImage, labels: NDArray[np.uint8], findings: Sequence[Finding], algorithm: Algorithm) -> str:
    """Return what tells this result from all others."""
    pixels = hashlib.sha256(labels.tobytes()).hexdigest()
    return repr((source.origin.instance_uids, source.origin.frame_numbers, pixels, tuple(findings), algorithm))


def _name_segments_per_frame(made: Any) -> None:
    """Name the segment in every frame: with one segment highdicom names it once for all, which few readers expect."""
    shared = made.SharedFunctionalGroupsSequence[0]
    if "SegmentIdentificationSequence" in shared:
        for frame in made.PerFrameFunctionalGroupsSequence:
            frame.SegmentIdentificationSequence = shared.SegmentIdentificationSequence
        del shared.SegmentIdentificationSequence


def _settle_dimensions(made: Any, unique: str) -> None:
    """Give the organization of dimensions, which highdicom draws by lot, a UID of the result as well."""
    settled = made_uid("dimensions", unique)
    for item in (*made.DimensionOrganizationSequence, *made.DimensionIndexSequence):
        item.DimensionOrganizationUID = settled
