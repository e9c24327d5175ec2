"""Ultrasound regions of a DICOM header: where in the picture millimetres are known."""

from __future__ import annotations

import math
from typing import Any

from monai_tumor.clinical.source import Box, Region

_TWO_DIMENSIONAL = 1
_CENTIMETRES = 3
# Some scanners write the number of columns where the last column belongs.
_ONE_PIXEL_OVER = 1


def find_regions(dataset: Any) -> tuple[tuple[Region, ...], tuple[str, ...]]:
    """Return the two-dimensional regions in centimetres, and notes on those that cannot be true.

    A region that reaches beyond the picture tells that the picture was made smaller or cut after the scan: neither its
    place nor its scale is right any more.
    """
    regions: dict[Region, None] = {}
    notes: dict[str, None] = {}
    for item in dataset.get("SequenceOfUltrasoundRegions") or ():
        spacing, box = _spacing(item), _box(item)
        if spacing is None or box is None:
            continue
        if box.bottom > dataset.Rows + _ONE_PIXEL_OVER or box.right > dataset.Columns + _ONE_PIXEL_OVER:
            notes["an ultrasound region reaches beyond the picture, so its millimetres are not used"] = None
            continue
        inside = Box(box.top, box.left, min(box.bottom, int(dataset.Rows)), min(box.right, int(dataset.Columns)))
        regions[Region(inside, spacing)] = None
    return tuple(regions), tuple(notes)


def common_spacing(regions: tuple[Region, ...]) -> tuple[float, float] | None:
    """Return the spacing of all regions where it is one, else None."""
    spacings = {region.spacing_mm for region in regions}
    return spacings.pop() if len(spacings) == 1 else None


def _spacing(item: Any) -> tuple[float, float] | None:
    if item.get("RegionSpatialFormat") != _TWO_DIMENSIONAL:
        return None
    if (item.get("PhysicalUnitsXDirection"), item.get("PhysicalUnitsYDirection")) != (_CENTIMETRES, _CENTIMETRES):
        return None
    # A negative distance says which way an axis points, not how far pixels are apart.
    rows, columns = abs(float(item.PhysicalDeltaY)) * 10, abs(float(item.PhysicalDeltaX)) * 10
    return (rows, columns) if all(math.isfinite(part) and part > 0 for part in (rows, columns)) else None


def _box(item: Any) -> Box | None:
    top, left = int(item.RegionLocationMinY0), int(item.RegionLocationMinX0)
    bottom, right = int(item.RegionLocationMaxY1) + 1, int(item.RegionLocationMaxX1) + 1
    return Box(top, left, bottom, right) if 0 <= top < bottom and 0 <= left < right else None
