"""What configurations and runs resolve to outside of a workflow: one setting, or the trained network of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_tumor.bundles.find import config_file

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """The network of a run as it predicts.

    Attributes:
        network: With the best weights, in evaluation mode, on the CPU.
        inferer: Called with a batch and the network; knows the precision.
        shape: Channels, rows and columns of its input.
    """

    network: nn.Module
    inferer: Any
    shape: tuple[int, int, int]

    def __call__(self, images: torch.Tensor) -> Any:
        """Return the logits of normalised images, float32 (batch, channels, rows, columns)."""
        return self.inferer(images, self.network)


def resolved_setting(file: Path, name: str, **overrides: Any) -> Any:
    """Return what one id of a configuration file becomes; only what it refers to is built.

    Args:
        file: The configuration file.
        name: Its id.
        overrides: Top-level settings to change before.
    """
    return merged_configuration([file], overrides).get_parsed_content(name)


def trained_network(run: Path) -> TrainedNetwork:
    """Build the network of a run on the CPU and load its best weights.

    Raises:
        WrongCallError: The run has no weights, or they are damaged.
    """
    from monai_tumor.training.checkpoint import read_checkpoint

    parser = merged_configuration([config_file(run, "inference")], {"device": "cpu"})
    network, prepare = parser.get_parsed_content("network"), parser.get_parsed_content("prepare")
    network.load_state_dict(read_checkpoint(run / "models" / "model.pt"))
    shape = (prepare.channels, prepare.rows, prepare.columns)
    return TrainedNetwork(network.eval(), parser.get_parsed_content("inferer"), shape)


def merged_configuration(files: Sequence[Path], settings: Mapping[str, Any]) -> Any:
    """Return MONAI's parser of configuration files, merged as MONAI does, and of settings; nothing is built yet.

    Args:
        files: A configuration file of a bundle, and overlays.
        settings: What is merged last, ``network_def#name`` style.
    """
    from monai.bundle import ConfigParser

    parser = ConfigParser()
    parser.read_config([str(file) for file in files])
    for name, value in settings.items():
        parser[name] = value
    return parser
