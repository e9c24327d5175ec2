"""DICOM SEG of pictures and cines, which lie nowhere in the patient: frames stand for frames of the source, by number."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.clinical.out_dicom import PLACE

_STILL = "1.2.840.10008.5.1.4.1.1.6.1"  # Ultrasound Image Storage
_TEMPORAL_POSITION_INDEX, _FRAME_CONTENT = 0x00209128, 0x00209111


def as_still(header: Any) -> Any:
    """Return the header of a still ultrasound image: the one kind without places of which highdicom makes a SEG."""
    still = copy.deepcopy(header)
    for keyword in PLACE:
        if keyword in still:
            delattr(still, keyword)
    still.SOPClassUID = _STILL
    return still


def point_to_class(made: Any, stored: str) -> None:
    """Let every reference to the source name its true SOP class again."""

    def name_class(_: Any, element: Any) -> None:
        if element.keyword == "ReferencedSOPClassUID" and element.value == _STILL:
            element.value = stored

    made.walk(name_class)


def over_frames(made: Any, labels: NDArray[np.uint8], numbers: Sequence[int], segments: int) -> None:
    """Put the frames of a cine into a SEG of one frame.

    Args:
        made: The SEG, with its segment named in its one frame; changed in place.
        labels: (frames, rows, columns), 0 or the number of a segment.
        numbers: For each frame its number in the source file.
        segments: How many segments are described.
    """
    from pydicom.pixels.utils import pack_bits

    kept = [
        (segment, index)
        for segment in range(1, segments + 1)
        for index in range(len(labels))
        if not labels.any() or (labels[index] == segment).any()
    ]
    _add_dimension(made)
    template = copy.deepcopy(made.PerFrameFunctionalGroupsSequence[0])
    made.PerFrameFunctionalGroupsSequence = [_frame(template, segment, numbers[index]) for segment, index in kept]
    made.NumberOfFrames = len(kept)
    made.PixelData = pack_bits(np.stack([labels[index] == segment for segment, index in kept]).astype(np.uint8))


def _add_dimension(made: Any) -> None:
    dimension = copy.deepcopy(made.DimensionIndexSequence[0])
    dimension.DimensionIndexPointer = _TEMPORAL_POSITION_INDEX
    dimension.FunctionalGroupPointer = _FRAME_CONTENT
    dimension.DimensionDescriptionLabel = "Temporal Position Index"
    made.DimensionIndexSequence.append(dimension)


def _frame(template: Any, segment: int, number: int) -> Any:
    item = copy.deepcopy(template)
    item.SegmentIdentificationSequence[0].ReferencedSegmentNumber = segment
    content = item.FrameContentSequence[0]
    # Validators want the value of the dimension to equal the index, so both are the number of the frame.
    content.DimensionIndexValues, content.TemporalPositionIndex = [segment, number], number
    item.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber = number
    return item
