"""What the figures of a report refer to: a segment, one frame of it, or images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai_tumor.clinical.limits import guarded
from monai_tumor.clinical.source import SourceImage
from monai_tumor.errors import WrongCallError, WrongDataError

_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SegmentationFile:
    """A DICOM SEG without its pixels; its header identifies the patient.

    Attributes:
        dataset: Its header.
        name: What it is called in messages.
    """

    dataset: Any
    name: str

    @classmethod
    def read(cls, path: Path, source: SourceImage) -> SegmentationFile:
        """Read the header of a SEG.

        Raises:
            WrongDataError: It is none, or was made from another image.
        """
        import pydicom

        with guarded(path.name, "its DICOM header"):
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
            kind = str(dataset.get("SOPClassUID", ""))
            series = dataset.get("ReferencedSeriesSequence") or []
            named = {str(item.ReferencedSOPInstanceUID) for one in series for item in one.ReferencedInstanceSequence}
        if kind != _SEGMENTATION:
            raise WrongDataError(f"{path.name} is no DICOM SEG; give the one that was written for {source.name}")
        if not named & set(source.origin.instance_uids):
            raise WrongDataError(
                f"{path.name} was made from another image than {source.name}; give the one of this image"
            )
        return cls(dataset, path.name)

    @property
    def uid(self) -> str:
        """Its SOP Instance UID."""
        return str(self.dataset.SOPInstanceUID)

    def tracking(self, segment: int) -> tuple[str, str]:
        """Return the tracking UID and identifier of a segment.

        Raises:
            WrongCallError: There is no such segment.
        """
        described = self.dataset.SegmentSequence
        if not 1 <= segment <= len(described):
            raise WrongCallError(f"segment {segment} is asked of {self.name}, expected 1 to {len(described)}")
        return str(described[segment - 1].TrackingUID), str(described[segment - 1].TrackingID)

    def frame_of(self, segment: int, uid: str, number: int | None) -> int | None:
        """Return which frame outlines a segment on one image or frame, counted from 1; None where nothing is."""
        for index, frame in enumerate(self.dataset.PerFrameFunctionalGroupsSequence, 1):
            image = frame.DerivationImageSequence[0].SourceImageSequence[0]
            own = int(frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
            there = str(image.ReferencedSOPInstanceUID) == uid and image.get("ReferencedFrameNumber", number) == number
            if own == segment and there:
                return index
        return None


def region_of(
    frame: int | None, segment: int, source: SourceImage, headers: list[Any], outlined: SegmentationFile | None
) -> tuple[Any, dict[str, Any], tuple[str, str] | None]:
    """Return the template of a measurement group, the argument that says where, and the tracking of the segment.

    A segment of a volume is TID 1411, one frame of it TID 1410. Without a SEG, or where it outlines nothing in this
    frame, the group refers to the images (TID 1501).
    """
    from highdicom import sr

    if source.frames == 1:
        frame = 0
    tracking = None if outlined is None else outlined.tracking(segment)
    if outlined is not None and frame is None:
        series = sr.SourceSeriesForSegmentation(str(headers[0].SeriesInstanceUID))
        whole = sr.ReferencedSegment(_SEGMENTATION, outlined.uid, segment, source_series=series)
        return sr.VolumetricROIMeasurementsAndQualitativeEvaluations, {"referenced_segment": whole}, tracking
    if outlined is not None and frame is not None:
        header, numbers = _image_of(frame, source, headers)
        found = outlined.frame_of(segment, str(header.SOPInstanceUID), numbers[0] if numbers else None)
        if found is not None:
            image = sr.SourceImageForSegmentation(str(header.SOPClassUID), str(header.SOPInstanceUID), numbers)
            one = sr.ReferencedSegmentationFrame(_SEGMENTATION, outlined.uid, found, segment, image)
            del one[0].ReferencedSOPSequence[0].ReferencedSegmentNumber  # the standard allows it or a frame, not both
            return sr.PlanarROIMeasurementsAndQualitativeEvaluations, {"referenced_segment": one}, tracking
    return sr.MeasurementsAndQualitativeEvaluations, {"source_images": _images(frame, source, headers)}, tracking


def _images(frame: int | None, source: SourceImage, headers: list[Any]) -> list[Any]:
    from highdicom.sr import SourceImageForMeasurementGroup

    named = [(header, None) for header in headers] if frame is None else [_image_of(frame, source, headers)]
    return [
        SourceImageForMeasurementGroup(str(header.SOPClassUID), str(header.SOPInstanceUID), numbers)
        for header, numbers in named
    ]


def _image_of(frame: int, source: SourceImage, headers: list[Any]) -> tuple[Any, list[int] | None]:
    """Return the header of a frame and, in a list, its number in a multi-frame file."""
    if source.origin.frame_numbers:
        return headers[0], [source.origin.frame_numbers[frame]]
    return headers[frame], None
