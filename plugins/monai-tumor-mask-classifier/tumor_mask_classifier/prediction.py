"""Diagnosis of plain image files, each with its mask where there is one."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ignite.engine import Engine, Events
from numpy.typing import NDArray

from monai_tumor.datasets.base import load_files
from monai_tumor.errors import ToolkitError, WrongCallError, WrongDataError
from monai_tumor.imaging.prepare import PrepareSettings
from monai_tumor.imaging.write import write_text
from monai_tumor.pipeline import PrepareCase
from tumor_mask_classifier.cases_table import probabilities
from tumor_mask_classifier.crop import check_crop, crop_to_lesion
from tumor_mask_classifier.source import NONE

PREDICTIONS = "predictions.json"


class PrepareDiagnosis(PrepareCase):
    """Decode an image and its mask file, cut them as in training, and prepare them; a bad file is marked and passed over.

    Args:
        settings: Rows, columns, channels and fit of the prepared arrays.
        mask_source: What the network was trained with; ``none`` looks at no mask.
        masks: Folder in which the mask of an image NAME is ``NAME_mask.png`` (as 'monai-tumor predict' writes it) or
            ``NAME.png``; an item that names its own ``mask`` needs none.
        crop: Context around the lesion, as in training.
    """

    def __init__(
        self, settings: PrepareSettings, mask_source: str, masks: str | None = None, crop: float | None = None
    ) -> None:
        super().__init__(settings, skip_errors=True)
        check_crop(crop)
        if masks is not None and not Path(masks).is_dir():
            raise WrongCallError(f"masks: {masks} is no folder; give the folder of the predicted masks")
        self.uses_masks, self.masks, self.crop = mask_source != NONE, masks, crop

    def mask_file(self, item: dict[str, Any]) -> str | None:
        """Return the mask file of an item, or None where it has none or none is used.

        Raises:
            WrongDataError: There is a folder of masks, and it has none for this image.
        """
        if not self.uses_masks:
            return None
        if item.get("mask") is not None or self.masks is None:
            return item.get("mask")
        names = [Path(self.masks) / f"{item['name']}{ending}" for ending in ("_mask.png", ".png")]
        found = next((path for path in names if path.is_file()), None)
        if found is None:
            raise WrongDataError(
                f"{names[0]} does not exist: image {item['name']!r} has no mask there; predict it first"
            )
        return str(found)

    def _load(self, item: dict[str, Any]) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        mask_file = self.mask_file(item)
        image, mask = load_files(item["image"], None if mask_file is None else [mask_file])
        return (image, None) if mask is None else crop_to_lesion(image, mask, self.crop)


class SaveDiagnoses:
    """Write ``<name>.json`` for every image, and ``predictions.json`` about all.

    Args:
        output_dir: Where to; files of an earlier prediction are not overwritten.
        classes: The labels in the order of the logits.
        mask_source: What the network was trained with: images without a mask are named where it was trained with masks.
    """

    def __init__(self, output_dir: str, classes: Sequence[str], mask_source: str) -> None:
        self.folder, self.classes, self.needs_masks = Path(output_dir), tuple(classes), mask_source != NONE
        self.results: list[dict[str, Any]] = []

    def attach(self, engine: Engine) -> None:
        """Follow the evaluator ``engine``."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.add)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def start(self, engine: Engine) -> None:
        """Refuse to mix with an earlier prediction."""
        self.results = []
        if (self.folder / PREDICTIONS).exists():
            raise WrongCallError(f"{self.folder} holds a prediction already; give another folder for this one")

    def add(self, engine: Engine) -> None:
        """Write the images of one batch (``pred`` (batch, classes) logits)."""
        batch, logits = engine.state.batch, engine.state.output["pred"].detach().cpu().double().numpy()
        errors, masks = (batch.get(name) for name in ("error", "label"))
        for place, name in enumerate(batch["name"]):
            error = None if errors is None else errors[place]
            has_mask = masks is not None and masks[place] is not None
            self.results.append(self._one(name, logits[place], has_mask, error))

    def finish(self, engine: Engine) -> None:
        """Write ``predictions.json``, and say how many files failed and how many had no mask."""
        write_text(self.folder / PREDICTIONS, json.dumps(self.results, indent=1, ensure_ascii=False) + "\n")
        failed = sum("error" in result for result in self.results)
        without = sum(result.get("mask") is False for result in self.results)
        if self.needs_masks and without:
            print(
                f"NOTE: {without} images had no mask, and the network learnt from masks; give masks=DIR.",
                file=sys.stderr,
            )
        print(f"{len(self.results) - failed} predicted, {failed} failed: {self.folder}", file=sys.stderr)

    def _one(self, name: str, logits: NDArray[np.float64], has_mask: bool, error: str | None) -> dict[str, Any]:
        shares = dict(zip(self.classes, probabilities(logits).round(6).tolist(), strict=True))
        result = {"image": name, "class": self.classes[int(logits.argmax())], "probabilities": shares, "mask": has_mask}
        try:
            if error is not None:
                raise WrongDataError(error)
            write_text(self.folder / f"{name}.json", json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        except ToolkitError as fault:
            print(f"failed: {fault}", file=sys.stderr)
            return {"image": name, "error": str(fault)}
        return result
