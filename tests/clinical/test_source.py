"""What a source image says of itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from monai_tumor.clinical.source import Box, Geometry, ImageKind, Origin, Region, SourceImage


def test_frames_have_rows_before_columns() -> None:
    image = SourceImage("x", ImageKind.FRAMES, np.zeros((4, 6, 8, 3), np.uint8))
    assert (image.frames, image.rows, image.columns, image.channels) == (4, 6, 8, 3)
    assert image.frame(1).shape == (6, 8, 3) and image.dtype == np.uint8


def test_values_and_picture_of_a_slice() -> None:
    stack = np.array([[[0, 100, 200]]], np.uint16)
    image = SourceImage("x", ImageKind.VOLUME, stack, scale=0.5, offset=-20, window=(0, 200))
    assert image.values(0).tolist() == [[-20, 30, 80]]
    assert image.picture(0).tolist() == [[0, 128, 255]] and image.picture(0).dtype == np.uint8


def test_millimetres_hold_inside_one_region() -> None:
    left, right = Region(Box(0, 0, 10, 20), (0.1, 0.2)), Region(Box(0, 20, 10, 40), (0.1, 0.2))
    geometry = Geometry(spacing_mm=(0.1, 0.2), regions=(left, right))
    assert geometry.spacing_within(Box(1, 21, 5, 40)) == (0.1, 0.2)
    assert geometry.spacing_within(Box(1, 15, 5, 25)) is None
    assert Geometry(spacing_mm=(1, 2)).spacing_within(Box(0, 0, 1, 1)) == (1, 2)


def test_a_box_is_an_index() -> None:
    assert np.arange(12).reshape(3, 4)[Box(1, 2, 3, 4).window].tolist() == [[6, 7], [10, 11]]


def test_what_identifies_is_not_shown() -> None:
    origin = Origin((Path("Plantagenet.dcm"),), ("1.2.3.4",), header=b"Plantagenet")
    shown = repr(SourceImage("x", ImageKind.PLANE, np.zeros((1, 2, 3), np.uint8), origin=origin)) + repr(origin)
    assert "Plantagenet" not in shown and "1.2.3.4" not in shown
