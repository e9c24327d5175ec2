"""Sizes in compressed frames, against files that Pillow wrote."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from monai_tumor.clinical.codestream import FrameHeader, frame_header


def encoded(kind: str, shape: tuple[int, ...]) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "JPEG2000"])
@pytest.mark.parametrize("shape", [(37, 53), (37, 53, 3)])
def test_size_and_depth(kind: str, shape: tuple[int, ...]) -> None:
    samples = 1 if len(shape) == 2 else 3
    assert frame_header(encoded(kind, shape)) == FrameHeader(37, 53, samples, 8)


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe0", b"\xff\x4f\xff\x51\0", b"RLE or nothing"])
def test_no_head_is_no_error(content: bytes) -> None:
    assert frame_header(content) is None


def test_a_segment_without_length_does_not_hang() -> None:
    assert frame_header(b"\xff\xd8" + b"\xff\xe0\0\0" * 50) is None
