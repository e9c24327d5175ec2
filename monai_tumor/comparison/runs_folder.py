"""The folder that the comparison of two runs leaves: table, figures, picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai_tumor.comparison.changed import changed_picture, data_to_draw
from monai_tumor.comparison.evaluations import EvaluatedRun
from monai_tumor.comparison.runs_page import runs_markdown
from monai_tumor.errors import WrongCallError
from monai_tumor.imaging.write import refuse_target, write_picture, write_text

TABLE, FIGURES, PICTURE = "comparison.md", "comparison.json", "changed.png"
HOW_TO_KEEP = f"nothing was written; -o OUT --dataset-dir DIR writes this and {PICTURE}, the cases that changed most"


def refuse_folder(output: str | Path) -> None:
    """Refuse a folder that is not new, before anything is compared.

    Raises:
        WrongCallError: It holds something, or this user may not write there.
    """
    folder = Path(output)
    refuse_target(folder / TABLE)
    if folder.is_dir() and any(folder.iterdir()):
        raise WrongCallError(f"{folder} is not empty and nothing is overwritten; give a new folder")


def write_runs(
    output: str | Path, pair: tuple[EvaluatedRun, EvaluatedRun], compared: Mapping[str, Any], dataset_dir: str | None
) -> str:
    """Write table and figures, and the picture where there is something to draw on.

    Args:
        output: A new folder.
        pair: The two evaluations.
        compared: What ``compare_evaluated`` returns of them.
        dataset_dir: Folder of the data set; None for phantoms, or for no picture.

    Returns:
        One line that says what was written, and why there is no picture.

    Raises:
        WrongCallError: A file exists or cannot be written, or the data set reads no folder.
        WrongDataError: The data set has other cases or references than were evaluated.
    """
    folder, written = Path(output), [TABLE, FIGURES]
    dataset, why_not = data_to_draw(compared["dataset"], dataset_dir), ""
    if not compared["changed"]:
        why_not = f"; no {PICTURE}: the Dice of no case changed"
    elif dataset is None:
        why_not = (
            f"; no {PICTURE}: an evaluation keeps no images, give their folder with --dataset-dir DIR and a new OUT"
        )
    else:
        picture = changed_picture(pair, compared["changed"], dataset, dataset_dir)
        write_picture(folder / PICTURE, picture)
        written.append(PICTURE)
    write_text(folder / TABLE, runs_markdown(compared))
    write_text(folder / FIGURES, json.dumps(compared, indent=1) + "\n")
    return f"comparison: {folder} ({', '.join(written)}){why_not}"
