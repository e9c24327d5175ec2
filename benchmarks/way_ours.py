"""The brain bundle's own train.json: our data path, MONAI's trainer and evaluator, our handlers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from common import Clock, PartFiles, brain_training
from ignite.engine import Events

PREPARE = {"_target_": "monai_tumor.imaging.prepare.PrepareSettings", "rows": 256, "columns": 256, "channels": 1}
NETWORK = {"_target_": "torch.nn.Conv2d", "in_channels": 1, "out_channels": 1, "kernel_size": 1}


def train(data: Path, scratch: Path, epochs: int, files: PartFiles) -> dict[str, Any]:
    """Train on ``data`` and return one look at the clock per epoch (validation, checkpoint, training)."""
    workflow = brain_training(
        dataset_dir=str(data),
        dataset_name="folder",
        split_file=str(files.split),
        run_dir=str(scratch / "run"),
        cache_dir=str(scratch / "cache"),
        epochs=epochs + 1,
        precision="fp32",
        prepare=PREPARE,
        network_def=NETWORK,
        **{"train#handlers#0#settings": {"network": "1x1 convolution"}},
    )
    parts = [workflow.parser.get_parsed_content(name) for name in ("train#trainer", "validate#evaluator")]
    looks: list[dict[str, float]] = []
    clock = Clock()
    # From one validation to the next: a validation, the checkpoint, and all of the next epoch's training.
    parts[1].add_event_handler(Events.STARTED, lambda engine: looks.append(clock.look()))
    parts[0].run()
    names = ("network", "loss", "optimizer")
    return {"looks": looks[1:], "network": tuple(workflow.parser.get_parsed_content(name) for name in names)}
