"""The operating point: from which probability on a pixel is lesion, which components are too small, and the temperature."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from monai.transforms import Transform
from numpy.typing import NDArray

from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.imaging.write import write_text
from monai_tumor.metrics.plain import PlainResult
from monai_tumor.training.record import file_sha256

AUTO = "auto"
_ADVICE = "choose one with: monai-tumor evaluate {run} --part {part}"


@dataclass(frozen=True, slots=True)
class OperatingPoint(PlainResult):
    """How probabilities become a mask.

    Attributes:
        threshold: The probability from which on a pixel is lesion.
        smallest_area: Smallest component that is kept, as a share of the image's pixels.
        temperature: What logits are divided by to be calibrated; None where nobody fitted it.
        chosen_on: The cases that threshold and area were chosen on, in words; empty where a person gave them.
        calibrated_on: The cases that the temperature was fitted on, in words; empty without one.
    """

    threshold: float = 0.5
    smallest_area: float = 0.0
    temperature: float | None = None
    chosen_on: str = ""
    calibrated_on: str = ""

    def mask(self, probability: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
        """Return the mask, bool (rows, columns), of probabilities (rows, columns); components touch at sides or corners."""
        mask = probability >= self.threshold
        if not self.smallest_area:
            return mask
        _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
        kept = stats[:, cv2.CC_STAT_AREA] >= self.smallest_area * mask.size
        kept[0] = False
        return np.asarray(kept[labels], bool)


PER_FOLD = OperatingPoint(math.nan, math.nan, chosen_on="validation part of each fold")
"""What stands for the operating points of a fold set whose folds have chosen their own."""


def operating_point(
    bundle_root: str,
    threshold: float | str,
    smallest_area: float | None = None,
    tta: bool = False,
    prediction: str | None = None,
) -> OperatingPoint:
    """Return the operating point that a configuration asks for.

    Args:
        bundle_root: The run.
        threshold: A probability, ``auto`` for what was chosen on the run's validation or out-of-fold cases, or the path of
            an ``operating_point.json``.
        smallest_area: Share of the image's pixels; None for the chosen one, or 0 beside a given threshold.
        tta: Whether predictions are means over mirrored images; those have an operating point of their own.
        prediction: Digest of the settings that predictions are made with; those it was chosen with must be the same.

    Raises:
        WrongCallError: The threshold or area lies outside of 0 to 1, or ``auto`` and none was chosen.
        WrongDataError: The file is damaged, or was chosen for other weights.
    """
    if smallest_area is not None and not (_is_number(smallest_area) and 0 <= smallest_area < 1):
        raise WrongCallError(f"smallest_area is {smallest_area}, expected a share of the image from 0 to below 1")
    own = own_file(bundle_root, tta)
    if isinstance(threshold, str):
        path = own if threshold == AUTO else Path(threshold)
        if not path.is_file():
            raise WrongCallError(f"threshold {threshold!r}: {path} does not exist; {advice(bundle_root, tta)}")
        chosen = read_point(path, bundle_root, tta, prediction)
        if smallest_area is None:
            return chosen
        return replace(
            chosen, smallest_area=smallest_area, chosen_on=f"{chosen.chosen_on}; the smallest area was given"
        )
    if not (_is_number(threshold) and 0 < threshold < 1):
        raise WrongCallError(f"threshold is {threshold}, expected a probability between 0 and 1, or {AUTO!r}")
    point = OperatingPoint(float(threshold), smallest_area or 0.0)
    try:
        fitted = read_point(own, bundle_root, tta, prediction) if own.is_file() else point
    except WrongDataError:
        fitted = point  # of other weights; only who asks for it has to know
    return replace(point, temperature=fitted.temperature, calibrated_on=fitted.calibrated_on)


def own_file(bundle_root: str | Path, tta: bool) -> Path:
    """Return where a run keeps its operating point, whether it exists or not."""
    return Path(bundle_root) / f"operating_point{'-tta' if tta else ''}.json"


def advice(bundle_root: str | Path, tta: bool) -> str:
    """Return how to choose an operating point for a run, in words."""
    part = "out_of_fold" if (Path(bundle_root) / "fold-0").is_dir() else "validation"
    return _ADVICE.format(run=bundle_root, part=part) + (" --tta" if tta else "")


def read_point(path: Path, bundle_root: str | Path, tta: bool, prediction: str | None = None) -> OperatingPoint:
    """Read an operating point and check that it is one of these weights.

    Raises:
        WrongDataError: The file is damaged, or belongs to other weights or another way to predict.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        values = {field.name: content[field.name] for field in fields(OperatingPoint)}
        weights, mirrored = content["weights_sha256"], content["tta"]
        point = OperatingPoint(**values)
        _check_point(point)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WrongDataError(f"{path} is no operating point ({error}); {advice(bundle_root, tta)}") from error
    other = f"{'with' if mirrored else 'without'} tta" if mirrored != tta else ""
    if weights != weights_digest(bundle_root):
        other = "for other weights"
    elif prediction is not None and content.get("prediction_sha256") not in (None, prediction):
        other = "with another prepare, network_def or precision"
    if other:
        raise WrongDataError(f"{path} was chosen {other}; {advice(bundle_root, tta)}")
    return point


def _check_point(point: OperatingPoint) -> None:
    numbers = [point.threshold, point.smallest_area, *([] if point.temperature is None else [point.temperature])]
    if not all(map(_is_number, numbers)) or not 0 < point.threshold < 1 or not 0 <= point.smallest_area < 1:
        raise ValueError("threshold or smallest_area is no number from 0 to 1")
    if point.temperature is not None and not point.temperature > 0:
        raise ValueError("temperature is not greater than 0")
    if not isinstance(point.chosen_on, str) or not isinstance(point.calibrated_on, str):
        raise ValueError("chosen_on or calibrated_on is no text")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def write_point(path: Path, point: OperatingPoint, **about: Any) -> None:
    """Write an operating point with what else is to be known of it; one of the same run is replaced.

    Raises:
        WrongCallError: The file cannot be written.
    """
    content = {**point.plain(), **about}
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n", overwrite=True)


def weights_digest(bundle_root: str | Path) -> str | None:
    """Return the sha256 of ``models/model.pt``, or None without one."""
    path = Path(bundle_root) / "models" / "model.pt"
    return file_sha256(path) if path.is_file() else None


class LesionMask(Transform):
    """Turn the probability map of an item into a mask.

    Args:
        point: Threshold and smallest area.
        key: The entry, (1, rows, columns) of probabilities.
    """

    def __init__(self, point: OperatingPoint, key: str = "pred") -> None:
        self.point, self.key = point, key

    def __call__(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return the item with ``key`` as (1, rows, columns) bool."""
        return {**item, self.key: self.point.mask(np.asarray(item[self.key])[0])[None]}
