"""The end of a training: the model card, one line that says where everything is, and an honest exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_tumor.errors import WrongCallError
from monai_tumor.reporting.card import write_card
from monai_tumor.wording import figure_words

if TYPE_CHECKING:
    from monai_tumor.evaluation import RecordEvaluation
    from monai_tumor.training.run_folder import RunFolder

INTERRUPTED = 130  # what a shell expects of a command that ended on Ctrl-C


def finish_evaluation(evaluation: RecordEvaluation) -> None:
    """Write the model card of the run anew; configurations call this after the evaluator."""
    if (evaluation.root / "run.json").is_file():
        write_card(evaluation.root)


def finish_prediction(output_dir: str) -> None:
    """Tell a shell how the prediction went; configurations call this after the evaluator.

    Raises:
        WrongCallError: There was nothing to predict (MONAI 1.6.1 passes over an empty loader with a warning).
        SystemExit: Some files failed; exit code 1.
    """
    results = Path(output_dir) / "predictions.json"
    if not results.is_file():
        raise WrongCallError("prediction needs images: give --dataset_dir DIR, or files to 'monai-tumor predict'")
    if any("error" in entry for entry in json.loads(results.read_text(encoding="utf-8"))):
        raise SystemExit(1)


def finish_run(folder: RunFolder) -> None:
    """Write the model card and say where the run is; configurations call this after the trainer.

    Raises:
        SystemExit: The training was interrupted; exit code 130.
    """
    from monai_tumor.training.process import rank

    if rank() != 0:
        return
    write_card(folder.path)
    record = folder.record
    if record["status"] == "interrupted":
        print(
            f"interrupted in epoch {len(record.get('history', [])) + 1}; every complete epoch is in {folder.path}. "
            f"Go on with: monai-tumor train --resume {folder.path}",
            file=sys.stderr,
        )
        raise SystemExit(INTERRUPTED)
    print(f"run: {folder.path} ({_chosen(record)})", file=sys.stderr)


def _chosen(record: Mapping[str, Any]) -> str:
    """Say which epoch was kept and why."""
    words = figure_words(record["metric"])
    if record.get("best") is not None:
        return f"best epoch {record['best_epoch']}, validation {words} {record['best']:.3f}"
    reason = "no epoch was validated (val_interval)"
    if any(record["metric"] in epoch for epoch in record.get("history", [])):
        reason = "no validation case has a lesion" if words == "Dice" else f"the validation {words} is not a number"
    return f"{reason}, so the last epoch was kept"
