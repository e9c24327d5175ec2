"""A source image without its pixels as JSON, for the way between processes: nothing that is received is run."""

from __future__ import annotations

import base64
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_tumor.clinical.items import InputItem
from monai_tumor.clinical.kinds import FileKind
from monai_tumor.clinical.source import Box, Geometry, ImageKind, Origin, Region, SourceImage

_PLAIN = ("name", "modality", "scale", "offset", "decoder", "burned_in_possible")


def to_record(image: SourceImage) -> dict[str, Any]:
    """Return everything but the pixels. It identifies the patient: for our own processes only, not for files."""
    geometry, origin = image.geometry, image.origin
    return {
        **{key: getattr(image, key) for key in _PLAIN},
        "kind": image.kind.value,
        "window": image.window,
        "notes": image.notes,
        "crop": image.crop and asdict(image.crop),
        "affine": None if geometry.affine is None else geometry.affine.tolist(),
        "spacing_mm": geometry.spacing_mm,
        "spacing_from": geometry.spacing_from,
        "regions": [asdict(region) for region in geometry.regions],
        "paths": [str(path) for path in origin.paths],
        "instance_uids": origin.instance_uids,
        "frame_numbers": origin.frame_numbers,
        "header": base64.b64encode(origin.header).decode(),
        "turn": origin.turn,
    }


def from_record(record: dict[str, Any], stack: NDArray[Any]) -> SourceImage:
    """Put a record and its pixels together again."""
    affine = None if record["affine"] is None else np.array(record["affine"], np.float64)
    regions = tuple(Region(Box(**one["box"]), _pair(one["spacing_mm"])) for one in record["regions"])
    spacing = record["spacing_mm"] and _pair(record["spacing_mm"])
    return SourceImage(
        **{key: record[key] for key in _PLAIN},
        kind=ImageKind(record["kind"]),
        stack=stack,
        geometry=Geometry(affine, spacing, record["spacing_from"], regions),
        crop=record["crop"] and Box(**record["crop"]),
        window=record["window"] and _pair(record["window"]),
        notes=tuple(record["notes"]),
        origin=Origin(
            tuple(map(Path, record["paths"])),
            tuple(record["instance_uids"]),
            tuple(record["frame_numbers"]),
            base64.b64decode(record["header"]),
            tuple((int(axis), int(direction)) for axis, direction in record["turn"]),
        ),
    )


def item_record(item: InputItem) -> dict[str, Any]:
    """Return an item as JSON."""
    paths = [str(path.absolute()) for path in item.paths]
    return {"name": item.name, "kind": item.kind.value, "paths": paths, "error": item.error}


def item_of(record: dict[str, Any]) -> InputItem:
    """Return the item of its JSON."""
    return InputItem(record["name"], FileKind(record["kind"]), tuple(map(Path, record["paths"])), record["error"])


def _pair(values: Any) -> tuple[float, float]:
    return (float(values[0]), float(values[1]))
