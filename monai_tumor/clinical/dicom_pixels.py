"""Pixel data of a DICOM data set to stored values, by decoders in a fixed order that is written down with the result.

Decoders of lossy JPEG differ by up to three grey levels, so those that are always installed are the only ones there:
Pillow, and ITK where Pillow cannot. What is stored without loss is equal from any decoder; the fastest one comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.clinical.codestream import frame_header
from monai_tumor.clinical.itk_files import decode_with_itk
from monai_tumor.clinical.limits import STANDARD, Limits, check_decoded, guarded, quiet_libraries
from monai_tumor.errors import WrongDataError

_ORDER = ("pydicom", "pillow", "pyjpegls", "pylibjpeg", "gdcm")
_PINNED = ("pydicom", "pillow")
_LOSSY = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.203")
_FRAME_COUNT_BYTES = 16
_GREY = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """Decoded pixels.

    Attributes:
        stack: (frames, rows, columns) stored values, or (frames, rows, columns, 3) RGB.
        decoder: The library that decoded them.
        notes: Why it was not the first choice, where it was not.
    """

    stack: NDArray[Any]
    decoder: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Layout:
    frames: int
    rows: int
    columns: int
    samples: int
    bits: int

    @property
    def shape(self) -> tuple[int, ...]:
        sizes = (self.frames, self.rows, self.columns)
        return sizes if self.samples == 1 else (*sizes, self.samples)


def decode_stored(dataset: Any, name: str, limits: Limits = STANDARD) -> Stored:
    """Decode all frames; YBR becomes RGB, planes are interleaved, palettes stay indices, nothing is rescaled.

    Raises:
        WrongDataError: The pixels are cut off, larger than allowed, contradict the header, or cannot be decoded.
    """
    with guarded(name, "its pixel description"):
        layout = _layout(dataset, name)
        check_decoded(name, layout.shape, (layout.bits + 7) // 8, limits)
        _check_length(dataset, layout, name)
    stored = _first_that_works(dataset, name)
    if stored.stack.size != np.prod(layout.shape, dtype=np.int64):
        raise WrongDataError(f"{name} decodes to {stored.stack.shape}, its header says {layout.shape}; export it again")
    native = stored.stack.dtype.newbyteorder("=")
    return Stored(stored.stack.reshape(layout.shape).astype(native, copy=False), stored.decoder, stored.notes)


def frame_count(dataset: Any, name: str) -> int:
    """Return the number of frames.

    Raises:
        WrongDataError: The header gives no whole number from 1.
    """
    try:
        count = dataset.get("NumberOfFrames")
        return 1 if count in (None, "") else _positive(int(str(count)))
    except (ValueError, TypeError):
        raise WrongDataError(f"{name} states no whole Number of Frames; export it again") from None


def _positive(count: int) -> int:
    if count < 1:
        raise ValueError("not positive")
    return count


def _layout(dataset: Any, name: str) -> _Layout:
    photometric, samples = str(dataset.PhotometricInterpretation), int(dataset.SamplesPerPixel)
    if photometric not in (*_GREY, *_COLOUR):
        known = ", ".join((*_GREY, *_COLOUR))
        raise WrongDataError(f"{name} has colours of a kind that is not read; expected {known}; convert it")
    if samples != (1 if photometric in _GREY else 3):
        raise WrongDataError(f"{name} is {photometric} with {samples} samples a pixel; its header is wrong")
    bits, stored = int(dataset.BitsAllocated), int(dataset.BitsStored)
    if bits not in (8, 16, 32) or not 1 <= stored <= bits:
        raise WrongDataError(f"{name} has {stored} of {bits} bits a value, expected 8, 16 or 32; convert it")
    return _Layout(frame_count(dataset, name), int(dataset.Rows), int(dataset.Columns), samples, bits)


def _check_length(dataset: Any, layout: _Layout, name: str) -> None:
    """Compare bytes with what the header claims: no decoder is asked for more than there can be."""
    data = len(dataset.PixelData)
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        if data < layout.frames * _FRAME_COUNT_BYTES:
            raise WrongDataError(f"{name} claims {layout.frames} frames in {data} bytes; it is cut off or broken")
        _check_codestreams(dataset, layout, name)
        return
    halved = str(dataset.PhotometricInterpretation) == "YBR_FULL_422"
    frame = layout.rows * layout.columns * layout.bits // 8 * (2 if halved else layout.samples)
    expected = frame * layout.frames
    if data < expected:
        raise WrongDataError(f"{name} is cut off: {data:,} of {expected:,} bytes of pixels; copy or export it again")
    if data >= expected + max(frame, 2):
        raise WrongDataError(f"{name} has {data:,} bytes of pixels, its header says {expected:,}; export it again")


def _check_codestreams(dataset: Any, layout: _Layout, name: str) -> None:
    from pydicom.encaps import generate_frames

    for number, frame in enumerate(generate_frames(dataset.PixelData, number_of_frames=layout.frames), 1):
        head = frame_header(frame)
        if head is None:
            continue
        if (head.rows, head.columns, head.samples) != (layout.rows, layout.columns, layout.samples):
            claimed = f"{head.rows} x {head.columns} x {head.samples}"
            wanted = f"{layout.rows} x {layout.columns} x {layout.samples}"
            raise WrongDataError(
                f"{name}: frame {number} is coded as {claimed}, its header says {wanted}; export it again"
            )
        if head.bits > layout.bits:
            raise WrongDataError(
                f"{name}: frame {number} is coded with {head.bits} bits, its header says {layout.bits}"
            )


def _first_that_works(dataset: Any, name: str) -> Stored:
    from pydicom.pixels.utils import pixel_array

    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        with guarded(name, "its pixel data"):
            return Stored(pixel_array(dataset), "pydicom")
    failed: list[str] = []
    for plugin in [*_plugins(dataset, name), "itk"]:
        stack = _attempt(dataset, plugin)
        if stack is not None:
            notes = (f"decoded by {plugin} because {' and '.join(failed)} could not",) if failed else ()
            return Stored(stack, plugin, notes)
        failed.append(plugin)
    syntax, tried = dataset.file_meta.TransferSyntaxUID.name, ", ".join(failed)
    raise WrongDataError(f"{name} cannot be decoded from {syntax} (tried {tried}); decompress or export it again")


def _attempt(dataset: Any, plugin: str) -> NDArray[Any] | None:
    from pydicom.pixels.utils import pixel_array

    if plugin == "itk":
        return decode_with_itk(dataset)
    try:
        with quiet_libraries():
            return pixel_array(dataset, decoding_plugin=plugin)
    except MemoryError:
        raise
    except Exception:  # decoders raise many kinds, with header values in their words
        return None


def _plugins(dataset: Any, name: str) -> list[str]:
    """Return pydicom's decoders in the order of trial: for lossy JPEG those alone that are always installed."""
    from pydicom.pixels.decoders.base import get_decoder

    uid = dataset.file_meta.TransferSyntaxUID
    try:
        available = get_decoder(uid).available_plugins
    except NotImplementedError:
        raise _no_decoder(uid, name) from None
    known = _PINNED if uid in _LOSSY else _ORDER
    return [plugin for plugin in known if plugin in available]


def _no_decoder(uid: Any, name: str) -> WrongDataError:
    if "MPEG" in uid.name or "HEVC" in uid.name:
        return WrongDataError(f"{name} is a video ({uid.name}), which is not read; export its frames")
    syntax = "an unknown transfer syntax" if uid.name == uid else uid.name
    return WrongDataError(f"{name} is stored as {syntax}, which no decoder here reads; decompress or export it again")
