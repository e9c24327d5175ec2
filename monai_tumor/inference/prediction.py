"""Prediction of plain image files: masks and overlays beside each other, bad files named and passed over."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ignite.engine import Engine, Events

from monai_tumor.datasets.files import IMAGE_SUFFIXES
from monai_tumor.errors import ToolkitError, WrongCallError, WrongDataError
from monai_tumor.imaging.pictures import outline_picture
from monai_tumor.imaging.read import read_image
from monai_tumor.imaging.write import write_mask, write_picture, write_text


def list_images(folder: str | None) -> list[dict[str, str]]:
    """Return the items of all image files below ``folder``; configurations call this when no list of items is given.

    Without a folder there are none: a configuration can be checked before it is known what will be predicted.

    Raises:
        WrongCallError: The folder does not exist.
        WrongDataError: It has no image file.
    """
    return [] if folder is None else image_items([folder])


def image_items(inputs: Sequence[str | Path]) -> list[dict[str, str]]:
    """Return ``{"image": path, "name": output name}`` for each file and for each image below each folder.

    The name is the path inside the folder that was given, without its suffix, and with it where two would be alike.

    Raises:
        WrongCallError: An input does not exist.
        WrongDataError: Nothing to predict was found.
    """
    found: dict[Path, str] = {}
    for entry in map(Path, inputs):
        if not entry.exists():
            raise WrongCallError(f"{entry} does not exist; give image files or folders ({', '.join(IMAGE_SUFFIXES)})")
        files = (
            sorted(path for path in entry.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
            if entry.is_dir()
            else [entry]
        )
        for path in files:
            found.setdefault(path, str(path.relative_to(entry)) if entry.is_dir() else path.name)
    if not found:
        raise WrongDataError(f"no image in {', '.join(map(str, inputs))}; expected {', '.join(IMAGE_SUFFIXES)}")
    short = [str(Path(name).with_suffix("")) for name in found.values()]
    names = [name if short.count(stem) > 1 else stem for name, stem in zip(found.values(), short, strict=True)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise WrongCallError(f"two inputs would both be written as {twice[0]!r}; predict them into different folders")
    return [{"image": str(path), "name": name} for path, name in zip(found, names, strict=True)]


class SavePredictions:
    """Write ``<name>_mask.png`` and ``<name>_overlay.png`` for every image, and ``predictions.json`` about all.

    Masks have the rows and columns of their image. A file that could not be read is named on stderr and in the JSON.

    Args:
        output_dir: Where to; files of an earlier prediction are not overwritten.
    """

    def __init__(self, output_dir: str) -> None:
        self.folder = Path(output_dir)
        self.results: list[dict[str, Any]] = []

    def attach(self, engine: Engine) -> None:
        """Follow the evaluator ``engine``."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.add)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def start(self, engine: Engine) -> None:
        """Refuse to mix with an earlier prediction."""
        self.results = []
        if (self.folder / "predictions.json").exists():
            raise WrongCallError(f"{self.folder} holds a prediction already; give another folder for this one")

    def add(self, engine: Engine) -> None:
        """Write the images of one batch (decollated items with ``pred``, bool (1, source rows, source columns))."""
        for item, output in zip(engine.state.batch, engine.state.output, strict=True):
            self.results.append(self._one(item, output))

    def finish(self, engine: Engine) -> None:
        """Write ``predictions.json`` and say how many files failed."""
        text = json.dumps(self.results, indent=1, ensure_ascii=False)
        write_text(self.folder / "predictions.json", text + "\n")
        failed = sum("error" in result for result in self.results)
        print(f"{len(self.results) - failed} predicted, {failed} failed: {self.folder}", file=sys.stderr)

    def _one(self, item: dict[str, Any], output: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = {"image": item["name"]}
        try:
            if item.get("error"):
                raise WrongDataError(item["error"])
            mask = np.asarray(output["pred"][0], bool)
            targets = {kind: self.folder / f"{item['name']}_{kind}.png" for kind in ("mask", "overlay")}
            write_mask(targets["mask"], mask)
            write_picture(targets["overlay"], outline_picture(read_image(item["path"]), mask))
        except ToolkitError as error:
            print(f"failed: {error}", file=sys.stderr)
            return {**result, "error": str(error)}
        files = {kind: str(path.relative_to(self.folder)) for kind, path in targets.items()}
        return {**result, **files, "rows": mask.shape[0], "columns": mask.shape[1], "lesion_px": int(mask.sum())}
