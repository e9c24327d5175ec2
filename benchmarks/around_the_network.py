"""What does everything around the network cost? CPU time per 256x256 image of a later epoch, three ways.

The network is a 1x1 convolution, so that nearly everything that is measured lies around it. Images are grey PNG files of
about 560x470 pixels. Each way trains in a process of its own on the same cases with the same batch size (8), and the
clock is the processor time of the whole process, so that other work on the machine disturbs little. One thread by default:
with more, idle threads of a tiny network wait actively, and that would be measured instead.
"""

from __future__ import annotations

import importlib
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from common import PartFiles, arguments, in_fresh_process, load_average, medians, report

WAYS = {
    "ours": "brain bundle (train.json)",
    "notebook": "notebook loop, OpenCV from disk",
    "monai": "MONAI CacheDataset bundle style",
}
TRAINING, VALIDATION = 144, 40


def make_data(folder: Path, training: int, validation: int) -> None:
    """Write images and masks into ``folder``/data and the parts into ``folder``/split.json."""
    from made_images import write_images

    from monai_tumor.audit.division import divide
    from monai_tumor.datasets import open_dataset
    from monai_tumor.splits.split import write_split

    test = 8
    count = training + validation + test
    write_images(folder / "data", count)
    dataset = open_dataset("folder")
    fractions = {"training": training / count, "validation": validation / count, "test": test / count}
    split = divide(dataset, dataset.cases(folder / "data"), fractions=fractions)
    write_split(folder / "split.json", split)


def measure(settings: dict[str, Any]) -> dict[str, Any]:
    """Train one way in this process; return CPU milliseconds per image, and the network's own share of them."""
    import cv2
    import torch

    torch.set_num_threads(settings["threads"])
    cv2.setNumThreads(settings["threads"])
    folder = Path(settings["folder"])
    files = PartFiles.read(folder)
    with tempfile.TemporaryDirectory() as scratch:
        way = importlib.import_module(f"way_{settings['way']}")
        result = way.train(folder / "data", Path(scratch), settings["epochs"], files)
    trained, validated = len(files.training) // 8 * 8, len(files.validation)
    later = medians(result["looks"][1:])
    per_image = 1000 / (trained + validated)
    own = network_cost(*result["network"])
    network = (trained * own["step_without_loss"] + validated * own["forward"]) * per_image
    step = (trained * own["step"] + validated * own["forward"]) * per_image
    whole = later["cpu_s"] * per_image
    return {
        "whole_epoch_cpu_ms": whole,
        "outside_network_cpu_ms": whole - network,
        "outside_network_and_loss_cpu_ms": whole - step,
        "network_cpu_ms": network,
        "loss_cpu_ms": step - network,
        "whole_epoch_wall_ms": later["wall_s"] * per_image,
        "first_epoch_cpu_ms": result["looks"][0]["cpu_s"] * per_image,
        "epochs": len(result["looks"]) - 1,
        "images": trained + validated,
    }


def network_cost(network: Any, loss: Any, optimizer: Any) -> dict[str, float]:
    """Return CPU seconds per image, on a fixed batch: a step with and without its loss, and a forward pass."""
    import torch

    image = torch.randn(8, 1, 256, 256, generator=torch.Generator().manual_seed(0))
    label = (image > 1).float()
    gradient = torch.full_like(image, 1e-6)

    def step() -> None:
        optimizer.zero_grad()
        loss(network(image), label).backward()
        optimizer.step()

    def step_without_loss() -> None:
        optimizer.zero_grad()
        network(image).backward(gradient)
        optimizer.step()

    @torch.no_grad()
    def forward() -> None:
        network(image)

    return {call.__name__: seconds_per_image(call) for call in (step, step_without_loss, forward)}


def seconds_per_image(call: Any, calls: int = 20, rounds: int = 7) -> float:
    """Return the median over rounds of the CPU seconds of one call on a batch of 8, divided by 8."""
    seconds = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(calls):
            call()
        seconds.append({"cpu_s": (time.process_time() - start) / calls / 8})
    return medians(seconds)["cpu_s"]


def compare(quick: bool, threads: int, rounds: int) -> dict[str, Any]:
    """Measure all ways in turn, ``rounds`` times, each in a fresh process; return medians over rounds and ratios."""
    training, validation = (24, 8) if quick else (TRAINING, VALIDATION)
    settings = {"epochs": 3 if quick else 8, "threads": threads}
    measured: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    loads = []
    with tempfile.TemporaryDirectory() as name:
        make_data(Path(name), training, validation)
        for turn in range(rounds):
            for way in random.Random(turn).sample(list(WAYS), len(WAYS)):
                loads.append(load_average())
                measured[way].append(in_fresh_process(__file__, way=way, folder=name, **settings))
    ways = {way: medians(looks) for way, looks in measured.items()}
    figures = ("whole_epoch_cpu_ms", "outside_network_cpu_ms", "outside_network_and_loss_cpu_ms")
    return {
        "threads": threads,
        "rounds": rounds,
        "load_average": {"lowest": min(loads), "highest": max(loads)},
        "ms_per_image": ways,
        "times_ours": {
            way: {figure: ways[way][figure] / ways["ours"][figure] for figure in figures}
            for way in WAYS
            if way != "ours"
        },
    }


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1, help="of torch and OpenCV (default 1)")
    parser.add_argument("--rounds", type=int, help="fresh processes per way (default 3; 1 with --quick)")
    given = parser.parse_args()
    if given.child:
        print(json.dumps(measure(json.loads(given.child))))
        return
    result = compare(given.quick, given.threads, given.rounds or (1 if given.quick else 3))
    lines = [f"CPU ms per image of a later epoch, {given.threads} thread(s): whole / outside network / and its loss"]
    for way, words in WAYS.items():
        figures = list(result["ms_per_image"][way].values())[:3]
        lines.append(f"  {words:33s} " + " / ".join(f"{figure:6.2f}" for figure in figures))
    for way, ratios in result["times_ours"].items():
        lines.append(f"  {way} costs {' / '.join(f'{ratio:.1f}' for ratio in ratios.values())} times ours")
    report("around_the_network", result, lines, given.out, given.quick)


if __name__ == "__main__":
    main()
