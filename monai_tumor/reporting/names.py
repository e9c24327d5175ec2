"""How measures and parts are called on the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai_tumor.metrics.measures import (
    ALL_CASE_MEASURES,
    FURTHER_LESION_MEASURES,
    LESION_MEASURES,
    NSD_TOLERANCE_PX,
    Measure,
)

_TITLES = {
    "dice": "Dice",
    "iou": "IoU",
    "precision": "Precision",
    "recall": "Recall",
    "hd95_px": "HD95 (px)",
    "assd_px": "ASSD (px)",
    f"nsd_{NSD_TOLERANCE_PX:g}px": f"NSD within {NSD_TOLERANCE_PX:g} px",
    "area_error": "Relative area error",
    "lesion_recall": "Share of a case's lesions found",
    "found": "Share of cases not missed",
    "specificity": "Specificity",
    "false_positive_area_px": "False-positive area (px)",
    "false_lesions": "False lesions of a case",
    "pixel_accuracy": "Pixel accuracy",
}

_OF_LESION = LESION_MEASURES + FURTHER_LESION_MEASURES

# Key in metrics.json, heading, and its means in their order.
PARTS = (
    ("lesion_cases", "Lesion cases", (*(one.name for one in _OF_LESION), "found")),
    ("lesion_free_cases", "Lesion-free cases", ("specificity", "false_positive_area_px")),
    ("all_cases", "All cases", tuple(one.name for one in ALL_CASE_MEASURES)),
)


# The parts whose figures say how good a run is; those of the others were learnt or chosen from.
ESTIMATES = ("test", "out_of_fold", "external")


def evaluation_title(metrics: Mapping[str, Any], folder: Path) -> str:
    """Return part and data set; a sealed test also by what tells its data from another folder of the same layout."""
    sealed = f" {folder.name[-8:]}" if metrics["part"] == "external" else ""
    return f"{this_part(metrics)} of {metrics['dataset']}{sealed}"


def title(measure: str) -> str:
    """Return the name of a measure as a heading."""
    return _TITLES.get(measure, measure.replace("_", " "))


def lesion_measure(name: str) -> Measure:
    """Return a measure of lesion cases by its name."""
    return next(one for one in _OF_LESION if one.name == name)


def this_part(metrics: Mapping[str, Any]) -> str:
    """Return for example ``test part``."""
    if metrics.get("sealed"):
        return "external test"
    part = str(metrics["part"])
    return "out-of-fold predictions" if part == "out_of_fold" else f"{part} part"
