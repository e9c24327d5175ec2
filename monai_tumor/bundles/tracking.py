"""MONAI's ``--tracking mlflow``: what it puts into a workflow is made to work, and kept out of runs.

A tracker belongs to one call, as the folder of the data does: where it writes is nobody else's matter.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from monai_tumor.errors import WrongCallError

_IDS = ("tracking_uri", "experiment_name", "run_name", "save_execute_config", "is_not_rank0")
_HANDLER = "MLFlowHandler"
_PARTS = ("train", "validate")


def refuse_telemetry() -> None:
    """Switch off what MLflow 3 tells its makers by default; MONAI 1.6.1 imports MLflow wherever it is installed."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    if "mlflow.telemetry.client" in sys.modules:
        sys.modules["mlflow.telemetry.client"].set_telemetry_client()  # looks at the variable again


def without_tracking(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings without the ids and handlers that ``--tracking mlflow`` adds; ``settings`` stay as they are."""
    kept = {name: value for name, value in settings.items() if name not in _IDS}
    for part in _PARTS:
        if isinstance(kept.get(part), dict) and isinstance(kept[part].get("handlers"), list):
            handlers = [handler for handler in kept[part]["handlers"] if not _tracks(handler)]
            kept[part] = {**kept[part], "handlers": handlers}
    return kept


def prepare_tracking(parser: Any) -> None:
    """Let MONAI's tracker read the loss of a trainer that does not decollate.

    MONAI 1.6.1's ``from_engine(["loss"], first=True)`` takes a scalar from a decollated output only; from ours it makes a
    tuple, which no tracker can store.

    Args:
        parser: The ``ConfigParser`` of the workflow, parsed and not yet resolved.

    Raises:
        WrongCallError: MLflow is not installed.
    """
    handlers = parser.get("train#handlers", [])
    for place in [place for place, handler in enumerate(handlers) if _tracks(handler)]:
        if find_spec("mlflow") is None:
            raise WrongCallError(
                "MLflow is not installed; pip install 'monai-tumor[tracking]', or leave --tracking out"
            )
        if "from_engine" in str(handlers[place].get("output_transform")):
            parser.ref_resolver.resolved_content[f"train::handlers::{place}::output_transform"] = loss_of_step


def loss_of_step(output: Any) -> Any:
    """Return the loss in a trainer's output, a dictionary or the list of dictionaries that decollation makes of it."""
    return (output[0] if isinstance(output, list) else output)["loss"]


def _tracks(handler: Any) -> bool:
    return isinstance(handler, dict) and str(handler.get("_target_")).rpartition(".")[2] == _HANDLER
