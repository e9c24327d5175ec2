"""An image that was read: pixels as a model wants them, geometry as the file states it, origin as a writer needs it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.imaging.prepare import scale_to_bytes

Pixels = NDArray[Any]
Affine = NDArray[np.float64]


class ImageKind(enum.StrEnum):
    """What the frames of an input are to each other."""

    PICTURE = "picture"
    FRAMES = "frame sequence"
    VOLUME = "volume"
    PLANE = "single plane"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels; ``bottom`` and ``right`` lie just outside."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def window(self) -> tuple[slice, slice]:
        """The rectangle as an index of (rows, columns)."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def holds(self, other: Box) -> bool:
        """Say whether ``other`` lies inside completely."""
        inside = self.top <= other.top and self.left <= other.left
        return inside and other.bottom <= self.bottom and other.right <= self.right


@dataclass(frozen=True, slots=True)
class Region:
    """A part of an ultrasound picture in which millimetres are known.

    Attributes:
        box: Where it lies.
        spacing_mm: Distance of neighbouring rows and of neighbouring columns.
    """

    box: Box
    spacing_mm: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Where the pixels lie; what the file does not state is None and never guessed.

    Attributes:
        affine: 4 x 4, (frame, row, column, 1) to millimetres right, anterior, superior. The frame axis of a single
            plane is its unit normal and says nothing about a thickness.
        spacing_mm: Distance of neighbouring rows and of neighbouring columns.
        spacing_from: The part of the header that states the spacing, ``"unknown"`` without one.
        regions: Ultrasound regions. Where there are some, millimetres hold inside one of them only.
    """

    affine: Affine | None = None
    spacing_mm: tuple[float, float] | None = None
    spacing_from: str = "unknown"
    regions: tuple[Region, ...] = ()

    def spacing_within(self, box: Box) -> tuple[float, float] | None:
        """Return the spacing that holds in all of ``box``: None where it is unknown or spans two regions."""
        if not self.regions:
            return self.spacing_mm
        return next((region.spacing_mm for region in self.regions if region.box.holds(box)), None)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Origin:
    """What a writer needs of the source. It identifies the patient: not for logs, names, reports or messages.

    Attributes:
        paths: The files in the order of the frames, or the one file.
        instance_uids: DICOM SOP Instance UIDs in the order of the frames, or the one of a multi-frame file.
        frame_numbers: For each frame its number in a multi-frame DICOM file, counted from 1.
        header: The raw NIfTI header with its extensions.
        turn: For volumes that were turned: the stored axis that became frames, rows and columns, and its direction (1 or -1).
    """

    paths: tuple[Path, ...] = ()
    instance_uids: tuple[str, ...] = ()
    frame_numbers: tuple[int, ...] = ()
    header: bytes = b""
    turn: tuple[tuple[int, int], ...] = ()

    def __repr__(self) -> str:
        return f"Origin({len(self.paths)} files)"


@dataclass(frozen=True, slots=True, eq=False)
class SourceImage:
    """One input: a picture, a cine, a volume or a single plane. Its repr may be shown to anyone.

    Attributes:
        name: What the input and its results are called; from file names, never from a header.
        kind: What the frames are to each other.
        stack: (frames, rows, columns) or (frames, rows, columns, 3), uint8 or uint16; brighter is more, frames by position.
        modality: ``"US"``, ``"MR"``, ... or ``""`` where the file does not say.
        geometry: Where the pixels lie.
        crop: The ultrasound region, where there is exactly one.
        scale: Modality value (after rescale or look-up table) of one level; negative where the file was inverted.
        offset: Modality value of level 0, so that value = scale x level + offset.
        window: Levels that become 0 and 255 in ``picture``; None where 8 bits are shown as they are.
        decoder: Which library decoded the pixels.
        notes: What the reader had to assume, for the user.
        burned_in_possible: Whether names may stand in the pixels; False only where the header says NO.
        origin: What a writer needs; not to be shown.
    """

    name: str
    kind: ImageKind
    stack: Pixels = field(repr=False)
    modality: str = ""
    geometry: Geometry = field(default_factory=Geometry)
    crop: Box | None = None
    scale: float = 1.0
    offset: float = 0.0
    window: tuple[float, float] | None = None
    decoder: str = ""
    notes: tuple[str, ...] = ()
    burned_in_possible: bool = True
    origin: Origin = field(default_factory=Origin, repr=False)

    @property
    def frames(self) -> int:
        """Number of frames or slices."""
        return int(self.stack.shape[0])

    @property
    def rows(self) -> int:
        """Height in pixels."""
        return int(self.stack.shape[1])

    @property
    def columns(self) -> int:
        """Width in pixels."""
        return int(self.stack.shape[2])

    @property
    def channels(self) -> int:
        """1 (grey) or 3 (RGB)."""
        return 1 if self.stack.ndim == 3 else 3

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8 or uint16."""
        return self.stack.dtype

    def frame(self, index: int) -> Pixels:
        """Return the levels of one frame, (rows, columns) or (rows, columns, 3), uint8 or uint16."""
        return np.asarray(self.stack[index])

    def values(self, index: int) -> NDArray[np.float32]:
        """Return the modality values of one frame, (rows, columns) float32."""
        return np.asarray(self.frame(index) * np.float64(self.scale) + self.offset, np.float32)

    def picture(self, index: int) -> Pixels:
        """Return one frame as data sets show it: slices of a volume share one window and become uint8."""
        return self.frame(index) if self.window is None else scale_to_bytes(self.frame(index), *self.window)
