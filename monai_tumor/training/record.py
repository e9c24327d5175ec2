"""``run.json`` and ``split.json``: what was run, on what, with which result."""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import os
import platform
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from torch import nn

from monai_tumor import __version__
from monai_tumor.errors import WrongDataError
from monai_tumor.pipeline import CaseSource
from monai_tumor.splits.split import PARTS, SplitEntry, read_split, write_split
from monai_tumor.training.process import rank
from monai_tumor.training.run_folder import RunFolder

try:
    import resource
except ImportError:  # Windows does not count so
    resource = None  # type: ignore[assignment]

# The folders in front of the last part of an absolute path, wherever in a word it begins.
_FOLDERS = re.compile(r"(?<![\w.~-])(?:~|[A-Za-z]:)?[\\/](?:[^\\/'\",]*[\\/])*")
_PACKAGES = (
    "monai",
    "torch",
    "torchvision",
    "pytorch-ignite",
    "segmentation-models-pytorch",
    "numpy",
    "opencv-python-headless",
)


class RecordRun:
    """Claim the run folder when the trainer starts, and keep ``run.json`` up to date.

    Stands first in the list of handlers. Paths of the user's machine, user and host names are not recorded.

    Args:
        folder: The run.
        source: The data and its split.
        seed: The seed of the run.
        settings: Further settings worth a place in ``run.json``, such as the network's name and the precision.
        network: Its parameters are counted; ``encoder_source`` (see ``networks.build``) says what its encoder began with.
    """

    def __init__(
        self,
        folder: RunFolder,
        source: CaseSource,
        seed: int,
        settings: dict[str, Any],
        network: nn.Module | None = None,
    ) -> None:
        self.folder, self.source, self.seed = folder, source, seed
        self.settings = {**settings, **getattr(network, "encoder_source", {})}
        if network is not None:
            self.settings["parameters"] = sum(parameter.numel() for parameter in network.parameters())

    def attach(self, engine: Engine) -> None:
        """Follow the trainer ``engine``."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def start(self, engine: Engine) -> None:
        """Write what is known before the first epoch."""
        self.folder.claim()
        self._keep_split()
        resumed = list(self.folder.record.get("resumed", []))
        if self.folder.resume is not None:
            self.folder.update(status="running", resumed=[*resumed, now()])
            return
        split = self.source.split
        self.folder.update(
            status="running",
            bundle=self.folder.bundle,
            started=now(),
            command=portable_command(sys.argv),
            seed=self.seed,
            settings={name: value for name, value in self.settings.items() if value is not None},
            data={
                "dataset": self.source.name,
                "synthetic": self.source.synthetic,
                "fingerprint": split.fingerprint,
                "split": split.hash,
                "rule": split.rule,
                **{part: case_counts([split.cases[name] for name in split.ids(part)]) for part in PARTS},
            },
            versions=versions(),
            hardware=hardware(engine.state.device),
        )

    def finish(self, engine: Engine) -> None:
        """Write the result."""
        interrupted = self.folder.record.get("status") == "interrupted"
        weights = self.folder.weights
        self.folder.update(
            status="interrupted" if interrupted else "finished",
            ended=now(),
            **resources(),
            weights_sha256=file_sha256(weights) if weights.is_file() else None,
        )

    def _keep_split(self) -> None:
        path = self.folder.path / "split.json"
        if not path.exists():
            if rank() == 0:
                write_split(path, self.source.split)
        elif read_split(path).hash != self.source.split.hash:
            raise WrongDataError(
                f"{path} is not the split of this data and seed: the data changed since the run began, or another seed or "
                "split_file was given; resume with what the run was started with"
            )


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide about results."""
    found = {"python": platform.python_version(), "monai-tumor": __version__}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def hardware(device: Any) -> dict[str, Any]:
    """Return processor, cores and device; no host name."""
    name = torch.cuda.get_device_name(device) if getattr(device, "type", "cpu") == "cuda" else "CPU"
    return {
        "device": name,
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
    }


def resources() -> dict[str, float]:
    """Return what this process has used so far: CPU seconds of all threads, and the peak of resident memory in MiB."""
    used = {"cpu_seconds": round(time.process_time(), 1)}
    if resource is not None:
        used["peak_memory_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)  # KiB on Linux
    return used


def portable_command(arguments: list[str]) -> list[str]:
    """Return a command line without the folders of this machine: of every absolute path only the last part stays."""
    return [_FOLDERS.sub("", word) for word in arguments]


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def case_counts(entries: Sequence[SplitEntry]) -> dict[str, int]:
    """Return how many cases and groups there are, and how many cases have a lesion, none, or no reference."""
    return {
        "cases": len(entries),
        "groups": len({entry.cluster for entry in entries}),
        "with_lesion": sum(entry.lesion is True for entry in entries),
        "lesion_free": sum(entry.lesion is False for entry in entries),
        "no_reference": sum(entry.lesion is None for entry in entries),
    }


def now() -> str:
    """Return the time in UTC, to the second, as ISO 8601."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
