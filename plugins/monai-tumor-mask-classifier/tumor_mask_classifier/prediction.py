"""Diagnosis of plain image files, each with its mask where there is one."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from numpy.typing import NDArray
from torch import nn

from monai_tumor.datasets.base import load_masks
from monai_tumor.errors import ToolkitError, WrongCallError, WrongDataError, unknown_name
from monai_tumor.imaging.pictures import captioned, outline_picture
from monai_tumor.imaging.prepare import PrepareSettings, restore_probability
from monai_tumor.imaging.write import write_picture, write_text
from monai_tumor.inference.inputs import read_input
from monai_tumor.metrics.diagnosis_answers import REFER
from monai_tumor.metrics.lesion_size import LesionSize, measure_lesion
from monai_tumor.pipeline import PrepareCase
from tumor_mask_classifier.cases_table import probabilities
from tumor_mask_classifier.crop import check_crop, crop_to_lesion, lesion_window
from tumor_mask_classifier.diagnosis_point import DiagnosisPoint, find_diagnosis_point
from tumor_mask_classifier.explanation import draw_explanation, explain
from tumor_mask_classifier.out_of_place import FeatureDistance
from tumor_mask_classifier.source import MASK_SOURCES, NONE

PREDICTIONS = "predictions.json"

_ITEM = ("mask", "path", "paths", "kind", "fault", "error")

Floats = NDArray[np.float64]


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
        if mask_source not in MASK_SOURCES:
            raise unknown_name("mask_source", mask_source, MASK_SOURCES)
        if masks is not None and not (isinstance(masks, str | Path) and Path(masks).is_dir()):
            raise WrongCallError(f"masks: {masks} is no folder; give the folder of the predicted masks")
        self.uses_masks, self.masks, self.crop = mask_source != NONE, masks, crop

    def mask_file(self, item: dict[str, Any]) -> str | None:
        """Return the mask file of an item, or None where it has none; a network that looks at none may still have one.

        Raises:
            WrongDataError: There is a folder of masks, and it has none for this image.
        """
        if item.get("mask") is not None or self.masks is None:
            return item.get("mask")
        names = [Path(self.masks) / f"{item['name']}{ending}" for ending in ("_mask.png", ".png")]
        found = next((path for path in names if path.is_file()), None)
        if found is None:
            raise WrongDataError(
                f"{names[0]} does not exist: image {item['name']!r} has no mask there; predict it first"
            )
        return str(found)

    def read(self, item: dict[str, Any]) -> tuple[NDArray[Any], NDArray[np.bool_] | None, tuple[float, float] | None]:
        """Return image (R, C[, 3]), mask (R, C) bool or None, and the millimetres from row to row and column to column.

        Of an ultrasound picture with exactly one region it is that region, as for the segmentation.

        Raises:
            WrongDataError: A file cannot be read, has several frames, or the mask has another size.
        """
        source = read_input(item)
        if source.frames > 1:
            raise WrongDataError(f"{source.name} has {source.frames} frames; a classifier takes single pictures")
        window = (slice(None), slice(None)) if source.crop is None else source.crop.window
        file, image = self.mask_file(item), source.picture(0)
        shape = (source.rows, source.columns)
        mask = None if file is None else load_masks(str(item["image"]), shape, [file])[window]
        geometry = source.geometry
        spacing = geometry.spacing_mm if source.crop is None else geometry.spacing_within(source.crop)
        return image[window], mask, None if geometry.regions and source.crop is None else spacing

    def _load(self, item: dict[str, Any]) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        image, mask, _ = self.read(item)
        return (image, None) if mask is None or not self.uses_masks else crop_to_lesion(image, mask, self.crop)


class Deciding:
    """From logits to the words of one diagnosis.

    Args:
        bundle_root: The run.
        network: Its network.
        classes: The labels in the order of the logits.
        threshold: None for the run's own operating point where there is one, ``auto``, or the file of another one.
        prediction: Digest of the settings that predictions are made with, see ``find_diagnosis_point``.
    """

    def __init__(
        self,
        bundle_root: str,
        network: nn.Module,
        classes: Sequence[str],
        threshold: str | None = None,
        prediction: str | None = None,
    ) -> None:
        self.root, self.network, self.classes = Path(bundle_root), network, tuple(classes)
        self.point: DiagnosisPoint | None = find_diagnosis_point(self.root, threshold, classes, prediction)
        self._distance: FeatureDistance | None = None

    def start(self) -> None:
        """Watch what the network predicts from now on."""
        self._distance = FeatureDistance(self.root, self.network)

    def distances(self, images: int) -> list[float | None]:
        """Return how far from typical each image of the last batch is."""
        found = None if self._distance is None else self._distance.of_batch()
        return [None] * images if found is None else found.tolist()

    def about(self, logits: Floats, distance: float | None) -> dict[str, Any]:
        """Return what is decided about one image: class, probabilities, and with an operating point the rest."""
        shares = probabilities(logits) if self.point is None else self.point.probabilities(logits[None])[0]
        found: dict[str, Any] = {
            "class": self.classes[int(shares.argmax())],
            "probabilities": dict(zip(self.classes, shares.round(6).tolist(), strict=True)),
            "calibrated": self.point is not None,
        }
        return found if self.point is None else {**found, **self._decided(self.point, logits, shares, distance)}

    def _decided(self, point: DiagnosisPoint, logits: Floats, shares: Floats, distance: float | None) -> dict[str, Any]:
        possible = point.answers.sets(shares[None])[0]
        answer = point.answers.answers(shares[None])[0]
        found: dict[str, Any] = {
            "answer": answer,
            "possible": [name for name, stays in zip(self.classes, possible.tolist(), strict=True) if stays],
            f"called_{point.positive}": bool(point.called(logits[None])[0]),
        }
        if distance is None or point.distance is None:
            return found
        far = bool(distance > point.distance)
        # A promise about images of one kind says nothing about another kind.
        return {**found, "answer": REFER if far else answer, "out_of_place": far, "distance": round(distance, 4)}


class SaveDiagnoses:
    """Write ``<name>_diagnosis.json`` and ``<name>_diagnosis.png`` for every image, and ``predictions.json`` about all.

    Args:
        output_dir: Where to; files of an earlier prediction are not overwritten.
        decide: What makes words of logits.
        prepare: How images are prepared and masks found.
        explain: Whether the pictures show what speaks for the class.
        spacing: Millimetres from row to row and from column to column, of all images; None where unknown.
    """

    def __init__(
        self,
        output_dir: str,
        decide: Deciding,
        prepare: PrepareDiagnosis,
        explain: bool = False,
        spacing: Sequence[float] | None = None,
    ) -> None:
        self.folder, self.decide, self.prepare, self.explain = Path(output_dir), decide, prepare, explain
        if not isinstance(explain, bool):
            raise WrongCallError(f"explain is {explain!r}, expected true or false")
        self.spacing = None if spacing is None else checked_spacing(spacing)
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
        self.decide.start()

    def add(self, engine: Engine) -> None:
        """Write the images of one batch (``pred`` (batch, classes) logits)."""
        batch, output = engine.state.batch, engine.state.output
        logits = output["pred"].detach().cpu().double().numpy()
        distances = self.decide.distances(len(logits))
        heat = self._heat(output["image"], logits)
        for place, name in enumerate(batch["name"]):
            item = {key: batch[key][place] for key in _ITEM if key in batch and batch[key][place] is not None}
            about = self.decide.about(logits[place], distances[place])
            self.results.append(self._one({**item, "name": name}, about, None if heat is None else heat[place]))

    def finish(self, engine: Engine) -> None:
        """Write ``predictions.json``, and say how many files failed and how many had no mask."""
        write_text(self.folder / PREDICTIONS, json.dumps(self.results, indent=1, ensure_ascii=False) + "\n")
        failed = sum("error" in result for result in self.results)
        without = sum(result.get("mask") is False for result in self.results)
        if self.prepare.uses_masks and without:
            print(
                f"NOTE: {without} images had no mask, and the network learnt from masks; give masks=DIR.",
                file=sys.stderr,
            )
        if self.decide.point is None:
            print(
                "NOTE: no operating point was chosen, so nothing is referred; evaluate the run first.", file=sys.stderr
            )
        print(f"{len(self.results) - failed} predicted, {failed} failed: {self.folder}", file=sys.stderr)

    def _heat(self, inputs: torch.Tensor, logits: Floats) -> NDArray[np.float32] | None:
        return explain(self.decide.network, inputs, logits.argmax(axis=1)) if self.explain else None

    def _one(self, item: dict[str, Any], about: dict[str, Any], heat: NDArray[np.float32] | None) -> dict[str, Any]:
        name = item["name"]
        try:
            if item.get("error") is not None:
                raise WrongDataError(item["error"])
            image, mask, spacing = self.prepare.read({**item, "image": item["path"]})
            size = None if mask is None else measure_lesion(mask, self.spacing or spacing)
            result = {"image": name, **about, "mask": mask is not None, "lesion": size and size.plain()}
            write_text(self.folder / f"{name}_diagnosis.json", json.dumps(result, indent=1, ensure_ascii=False) + "\n")
            write_picture(self.folder / f"{name}_diagnosis.png", self._picture(image, mask, about, size, heat))
        except ToolkitError as fault:
            print(f"failed: {fault}", file=sys.stderr)
            return {"image": name, "error": str(fault)}
        return result

    def _picture(
        self,
        image: NDArray[Any],
        mask: NDArray[np.bool_] | None,
        about: dict[str, Any],
        size: LesionSize | None,
        heat: NDArray[np.float32] | None,
    ) -> NDArray[np.uint8]:
        drawn = outline_picture(image, mask)
        if heat is not None:
            empty = np.zeros(image.shape[:2], bool)
            whole = np.zeros(image.shape[:2], np.float32)
            cut = self.prepare.crop if self.prepare.uses_masks else None
            window = lesion_window(empty if mask is None else mask, cut)
            shape = image[window].shape
            whole[window] = restore_probability(heat, (shape[0], shape[1]), self.prepare.settings)
            drawn = draw_explanation(image, empty if mask is None else mask, whole)
        return captioned(drawn, caption_lines(about, size))


def checked_spacing(spacing: Any) -> tuple[float, float]:
    """Return the spacing as two numbers.

    Raises:
        WrongCallError: It is not two numbers above 0.
    """
    is_list = isinstance(spacing, list | tuple) and len(spacing) == 2
    if not is_list or not all(isinstance(one, int | float) and not isinstance(one, bool) for one in spacing):
        raise WrongCallError(f"spacing is {spacing!r}, expected two numbers of millimetres above 0: rows, columns")
    steps = float(spacing[0]), float(spacing[1])
    measure_lesion(np.zeros((1, 1), bool), steps)  # refuses what is not above 0
    return steps


def caption_lines(about: dict[str, Any], size: LesionSize | None) -> list[str]:
    """Return what stands above the picture of a diagnosis: the answer and its probability, then the lesion's size."""
    share = about["probabilities"][about["class"]]
    first = f"{about['class']}, {'probability' if about['calibrated'] else 'uncalibrated'} {share:.2f}"
    if about.get("answer") == REFER:
        why = "out of place" if about.get("out_of_place") else " or ".join(about["possible"]) or "none fits"
        first = f"REFER ({why}); {first}"
    if size is None:
        return [first, "no mask"]
    if not size.lesions:
        return [first, "no lesion outlined"]
    return [first, f"area {size.area:.0f} {size.unit}\u00b2, longest diameter {size.longest_diameter:.0f} {size.unit}"]
