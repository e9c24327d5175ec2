"""The inputs of a prediction: found, read one at a time, and handed on picture by picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import IterableDataset

from monai_tumor.clinical.find import find_inputs
from monai_tumor.clinical.found import look_at
from monai_tumor.clinical.isolate import decode_isolated
from monai_tumor.clinical.items import InputItem
from monai_tumor.clinical.kinds import FileKind
from monai_tumor.clinical.read import read_source
from monai_tumor.clinical.source import SourceImage
from monai_tumor.errors import ToolkitError, WrongDataError, unknown_name
from monai_tumor.imaging.prepare import PrepareSettings, prepare_image
from monai_tumor.pipeline.deferred import Item

AUTO, ALWAYS, NEVER = "auto", "always", "never"
ISOLATION = (AUTO, ALWAYS, NEVER)


def list_inputs(folder: str | None) -> list[dict[str, Any]]:
    """Return the items of everything below ``folder``; configurations call this when no list of items is given.

    Without a folder there are none: a configuration can be checked before it is known what will be predicted.

    Raises:
        WrongDataError: There is nothing to predict.
    """
    return [] if folder is None else input_items([folder])


def input_items(inputs: Sequence[str | Path]) -> list[dict[str, Any]]:
    """Return an item for each input in files, folders, globs, list files and archives; see ``find_inputs``.

    An item is ``{"image": path, "name": output name, "kind": ...}``; that of a series has all its ``paths``, and one that
    cannot be used a ``fault``.

    Raises:
        WrongDataError: There is nothing to predict.
    """
    found = find_inputs([Path(entry) for entry in inputs])
    if not found:
        raise WrongDataError(f"no image in {', '.join(map(str, inputs))}; expected pictures, DICOM or NIfTI files")
    return [_item(one) for one in found]


def _item(found: InputItem) -> dict[str, Any]:
    paths = [str(path) for path in found.paths]
    item: dict[str, Any] = {"image": paths[0] if paths else "", "name": found.name, "kind": found.kind.value}
    if len(paths) > 1:
        item["paths"] = paths
    return item if found.error is None else {**item, "fault": found.error}


def _found(item: Mapping[str, Any]) -> InputItem:
    """Return the input of an item; one that says no kind is looked at, so that a path and a name are enough."""
    paths = tuple(map(Path, item.get("paths") or [item["image"]]))
    if "fault" in item:
        return InputItem(item["name"], FileKind.UNKNOWN, paths, item["fault"])
    if "kind" in item:
        return InputItem(item["name"], FileKind(item["kind"]), paths)
    looked = look_at(paths[0], Path(item["image"]))
    return InputItem(item["name"], looked.kind, paths, looked.error)


def read_input(item: Mapping[str, Any], isolate: str = AUTO) -> SourceImage:
    """Return the input of an item of ``input_items``, or of ``{"image": path, "name": output name}``.

    Args:
        item: The item.
        isolate: Whether it is decoded in a child process with bounds on memory and time: ``auto`` (DICOM), ``always`` or
            ``never``.

    Raises:
        WrongDataError: It carries an error, or cannot be read.
    """
    found = _found(item)
    isolated = isolate == ALWAYS or (isolate == AUTO and found.kind is FileKind.DICOM)
    return decode_isolated(found) if isolated else read_source(found)


class InputPictures(IterableDataset[Item]):
    """Every picture of every input, prepared: the frames of a cine, the slices of a volume, in their order.

    One input is read at a time, so memory does not grow with their number. An input that cannot be read is one black picture
    with ``error``.

    Args:
        data: Items of ``input_items``, or ``{"image": path, "name": output name}``.
        settings: How pictures are prepared.
        isolate: As of ``read_input``.

    Attributes:
        sources: The inputs that were read and not yet dropped, by name.
    """

    def __init__(self, data: Sequence[Mapping[str, Any]], settings: PrepareSettings, isolate: str = AUTO) -> None:
        if isolate not in ISOLATION:
            raise unknown_name("isolate", isolate, ISOLATION)
        self.data, self.settings, self.isolate = list(data), settings, isolate
        self.sources: dict[str, SourceImage] = {}

    def __iter__(self) -> Iterator[Item]:
        """Yield items: ``image`` (channels, rows, columns) uint8, ``name``, ``path``, ``frame``, ``frames``, ``source_shape``.

        ``source_shape`` (2,) int64 are the rows and columns of what was prepared: of the ultrasound region where the input
        has exactly one, else of the picture.
        """
        for item in self.data:
            try:
                source = read_input(item, self.isolate)
            except ToolkitError as error:
                yield self._unreadable(item, str(error))
                continue
            self.sources[item["name"]] = source
            for frame in range(source.frames):
                yield self._picture(item, source, frame)

    def _picture(self, item: Mapping[str, Any], source: SourceImage, frame: int) -> Item:
        pixels = source.picture(frame)
        shown = pixels if source.crop is None else pixels[source.crop.window]
        return {
            "image": prepare_image(shown, self.settings).transpose(2, 0, 1),
            "name": item["name"],
            "path": item["image"],
            "frame": frame,
            "frames": source.frames,
            "source_shape": np.array(shown.shape[:2]),
        }

    def _unreadable(self, item: Mapping[str, Any], reason: str) -> Item:
        black = np.zeros((self.settings.channels, self.settings.rows, self.settings.columns), dtype=np.uint8)
        about = {"name": item["name"], "path": item["image"], "frame": 0, "frames": 1, "error": reason}
        return {**about, "image": black, "source_shape": np.array([1, 1])}
