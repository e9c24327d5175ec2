"""What a compressed frame says about its own size, compared with the DICOM header before a decoder believes it."""

from __future__ import annotations

from dataclasses import dataclass

_SOI = b"\xff\xd8"
_J2K = b"\xff\x4f\xff\x51"
# Start-of-frame markers: C0..CF without DHT (C4), JPG (C8) and DAC (CC), and JPEG-LS (F7).
_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """Size and depth in the head of a JPEG, JPEG-LS or JPEG 2000 codestream."""

    rows: int
    columns: int
    samples: int
    bits: int


def frame_header(frame: bytes) -> FrameHeader | None:
    """Return what a codestream claims, or None where it is of another kind or has no head."""
    if frame.startswith(_SOI):
        return _jpeg(frame)
    start = frame.find(_J2K, 0, 4096)
    return _jpeg_2000(frame, start + 4) if start >= 0 else None


def _jpeg(frame: bytes) -> FrameHeader | None:
    at = 2
    while at + 10 <= len(frame):
        if frame[at] != 0xFF:
            return None
        marker = frame[at + 1]
        if marker == 0xFF or marker in _WITHOUT_LENGTH:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAME_MARKERS:
            rows, columns = int.from_bytes(frame[at + 5 : at + 7]), int.from_bytes(frame[at + 7 : at + 9])
            return FrameHeader(rows, columns, frame[at + 9], frame[at + 4])
        at += 2 + int.from_bytes(frame[at + 2 : at + 4])
    return None


def _jpeg_2000(frame: bytes, at: int) -> FrameHeader | None:
    """Read the SIZ segment: length, capabilities, then eight 4-byte numbers and one entry a component."""
    if len(frame) < at + 40:
        return None
    right, bottom, left, top = (int.from_bytes(frame[at + 4 + 4 * i : at + 8 + 4 * i]) for i in range(4))
    samples = int.from_bytes(frame[at + 36 : at + 38])
    return FrameHeader(bottom - top, right - left, samples, (frame[at + 38] & 0x7F) + 1)
