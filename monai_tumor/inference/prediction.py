"""Prediction of files: masks and overlays in the geometry of each, bad files named and passed over."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from ignite.engine import Engine, Events
from numpy.typing import NDArray

from monai_tumor.clinical.out_findings import FINDINGS, Algorithm
from monai_tumor.clinical.source import SourceImage
from monai_tumor.errors import ToolkitError, WrongCallError, WrongDataError, unknown_name
from monai_tumor.imaging.write import write_text
from monai_tumor.inference.inputs import InputPictures
from monai_tumor.inference.operating_point import weights_digest
from monai_tumor.inference.outputs import AUTO, Output, checked_formats, described


class SavePredictions:
    """Write mask and overlay of every input, and ``predictions.json`` about all.

    Masks are in the geometry of their input. An input that could not be read is named on stderr and in the JSON. What was
    written of an input is forgotten, so memory does not grow with their number.

    Args:
        output_dir: Where to; files of an earlier prediction are not overwritten.
        inputs: What is predicted.
        bundle_root: The run, which DICOM results name.
        formats: ``auto``, or of ``png``, ``nifti``, ``dicom-seg`` and ``dicom-sr`` some, with commas between; see ``Output``.
        finding: What a mask outlines, for DICOM results.

    Raises:
        WrongCallError: A format or finding is unknown.
    """

    def __init__(
        self,
        output_dir: str,
        inputs: InputPictures,
        bundle_root: str,
        formats: str = AUTO,
        finding: str = "breast lesion",
    ) -> None:
        if finding not in FINDINGS:
            raise unknown_name("finding", finding, FINDINGS)
        self.folder, self.inputs, self.root = Path(output_dir), inputs, Path(bundle_root)
        self.formats, self.finding = checked_formats(formats), finding
        self.results: list[dict[str, Any]] = []
        self._masks: list[NDArray[np.bool_]] = []
        self._output: Output | None = None

    def attach(self, engine: Engine) -> None:
        """Follow the evaluator ``engine``."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.add)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def start(self, engine: Engine) -> None:
        """Refuse to predict nothing, or to mix with an earlier prediction."""
        self.results = []
        if not self.inputs.data:
            raise WrongCallError("prediction needs images: give --dataset_dir DIR, or files to 'monai-tumor predict'")
        if (self.folder / "predictions.json").exists():
            raise WrongCallError(f"{self.folder} holds a prediction already; give another folder for this one")
        self._output = Output(self.folder, self.formats, self.finding, self._algorithm())

    def add(self, engine: Engine) -> None:
        """Take the pictures of one batch (decollated items with ``pred``, bool (1, source rows, source columns))."""
        for item, output in zip(engine.state.batch, engine.state.output, strict=True):
            self._masks.append(np.asarray(output["pred"][0], bool))
            if int(item["frame"]) + 1 == int(item["frames"]):
                masks, self._masks = self._masks, []
                self.results.append(self._one(item, masks))
                self.inputs.sources.pop(item["name"], None)

    def finish(self, engine: Engine) -> None:
        """Write ``predictions.json`` and say how many inputs failed."""
        text = json.dumps(self.results, indent=1, ensure_ascii=False)
        write_text(self.folder / "predictions.json", text + "\n")
        failed = sum("error" in result for result in self.results)
        print(f"{len(self.results) - failed} predicted, {failed} failed: {self.folder}", file=sys.stderr)

    def _one(self, item: dict[str, Any], masks: list[NDArray[np.bool_]]) -> dict[str, Any]:
        try:
            if item.get("error"):
                raise WrongDataError(item["error"])
            if self._output is None:
                raise RuntimeError("the prediction has not started")
            source = self.inputs.sources[item["name"]]
            mask = _placed(source, masks)
            return {"image": item["name"], **self._output.write(source, mask), **described(source, mask, self.finding)}
        except ToolkitError as error:
            print(f"failed: {error}", file=sys.stderr)
            return {"image": item["name"], "error": str(error)}

    def _algorithm(self) -> Algorithm:
        metadata = self.root / "configs" / "metadata.json"
        about = json.loads(metadata.read_text(encoding="utf-8")) if metadata.is_file() else {}
        return Algorithm(about.get("name", "monai-tumor"), about.get("version", ""), weights_digest(self.root) or "")


def _placed(source: SourceImage, masks: list[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Return bool (frames, rows, columns) on the grid of the source; outside of the ultrasound region there is nothing."""
    whole = np.zeros((source.frames, source.rows, source.columns), bool)
    window = (slice(None), slice(None)) if source.crop is None else source.crop.window
    for frame, mask in zip(whole, masks, strict=True):
        frame[window] = mask
    return whole
