"""How long each trained network takes for one image on the CPU.

Run in a fresh process, because trainings leave memory and threads behind:
``python -m monai_tumor.comparison.forward_time RUN RUN`` prints JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from monai_tumor.errors import ToolkitError, user_error

if TYPE_CHECKING:
    import torch

    from monai_tumor.bundles.content import TrainedNetwork

_WARM_UP = 3
_REPEATS = 25


def forward_times(runs: Mapping[str, Path]) -> dict[str, Any]:
    """Measure the networks of several runs in turn in a fresh process.

    Args:
        runs: Name to the run whose network is measured.

    Returns:
        ``milliseconds``: name to the median of one forward pass of one image, in the size and precision of its bundle, None
        where it could not be measured; and ``threads`` that computed.

    Raises:
        ToolkitError: The process ended without a result.
    """
    command = [sys.executable, "-m", __name__, *(str(run) for run in runs.values())]
    done = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    if done.returncode != 0:
        raise ToolkitError(f"the forward passes could not be timed: the process ended with exit code {done.returncode}")
    told = json.loads(done.stdout)
    return {**told, "milliseconds": dict(zip(runs, told["milliseconds"], strict=True))}


def main(runs: Sequence[str]) -> None:
    """Print the medians of the runs and the number of threads as JSON."""
    import torch

    from monai_tumor.training import keep_memory

    keep_memory()  # as prediction does
    networks = [_loaded(Path(run)) for run in runs]
    print(json.dumps({"milliseconds": _medians(networks), "threads": torch.get_num_threads()}))


def _loaded(run: Path) -> TrainedNetwork | None:
    """Return the network of a run, or None with a line on stderr: the others are measured all the same."""
    from monai_tumor.bundles.content import trained_network
    from monai_tumor.bundles.running import cause

    try:
        return trained_network(run)
    except Exception as error:  # whatever a configuration may do
        print(f"NOTE: {run} is not timed: {user_error(error) or cause(error)}", file=sys.stderr)
        return None


def _medians(networks: Sequence[TrainedNetwork | None]) -> list[float | None]:
    """Measure in turn: what else the machine does then meets all networks alike."""
    import torch

    order = torch.channels_last  # of the images that networks get when they predict
    images = [None if one is None else torch.rand(1, *one.shape).to(memory_format=order) for one in networks]
    seconds: list[list[float]] = [[] for _ in networks]
    with torch.inference_mode():
        for repeat in range(_WARM_UP + _REPEATS):
            for place, (network, image) in enumerate(zip(networks, images, strict=True)):
                if network is not None and image is not None:
                    spent = _seconds(network, image)
                    seconds[place] += [spent] if repeat >= _WARM_UP else []
    return [round(1000 * median(spent), 2) if spent else None for spent in seconds]


def _seconds(network: TrainedNetwork, image: torch.Tensor) -> float:
    started = time.perf_counter()
    network(image)
    return time.perf_counter() - started


if __name__ == "__main__":
    main(sys.argv[1:])
