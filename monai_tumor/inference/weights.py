"""The trained weights of a bundle, loaded when the evaluator starts."""

from __future__ import annotations

from pathlib import Path

from ignite.engine import Engine, Events
from torch import nn

from monai_tumor.errors import WrongCallError
from monai_tumor.training.checkpoint import read_checkpoint


class WeightsCheckpointLoader:
    """Load ``models/model.pt`` of a bundle into the network, strictly, when the engine starts.

    ``CheckpointLoader`` is part of the name because ``MonaiAlgo`` (1.6.1) switches off handlers by it, to evaluate the
    weights that a federation sends instead. MONAI's own loader needs the file when it is made, so that an untrained bundle
    could not even be checked, and drops layers whose shapes do not fit with a log line.

    Args:
        bundle_root: The bundle or run.
        network: What is loaded into.
    """

    def __init__(self, bundle_root: str, network: nn.Module) -> None:
        self.path, self.network = Path(bundle_root) / "models" / "model.pt", network

    def attach(self, engine: Engine) -> None:
        """Follow the evaluator ``engine``."""
        engine.add_event_handler(Events.STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Load the weights.

        Raises:
            WrongCallError: The bundle has not been trained, or its weights are damaged or of another network.
        """
        if not self.path.is_file():
            raise WrongCallError(
                f"{self.path.parent.parent} has no trained weights (models/model.pt); train first, then give the run"
            )
        weights = read_checkpoint(self.path, engine.state.device)
        try:
            self.network.load_state_dict(weights)
        except RuntimeError as error:
            raise WrongCallError(
                f"{self.path} does not fit this network ({str(error).splitlines()[0]}); give the settings it was trained with"
            ) from error
