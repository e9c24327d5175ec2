"""How long is a training step? U-Net++ with a ResNet-34 encoder, 256x256, batch 8, 3 channels.

Our trainer (the brain bundle's own train.json: memory kept, channels-last, fused Adam, bf16 or fp32) against the plain
fp32 loop, each in a process of its own. Median of the steps after a warm-up, wall and processor time of the whole process.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
from typing import Any

from common import Clock, arguments, brain_training, in_fresh_process, load_average, medians, report

WAYS = {"plain": "plain fp32 loop", "fp32": "our trainer, fp32", "bf16": "our trainer, bf16"}
FULL = {"rows": 256, "batch": 8, "network": "unetplusplus", "warm_up": 2, "steps": 6}
QUICK = {"rows": 64, "batch": 2, "network": "unetplusplus", "warm_up": 1, "steps": 2}
LEARNING_RATE = 5e-4


def made_batch(rows: int, batch: int) -> tuple[Any, Any]:
    """Return a fixed image batch (batch, 3, rows, rows) uint8 and label (batch, 1, rows, rows) uint8 of 0 and 1."""
    import torch

    chance = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (batch, rows, rows, 3), dtype=torch.uint8, generator=chance).permute(0, 3, 1, 2)
    label = (image[:, :1] > 200).to(torch.uint8).contiguous()
    return image, label


def plain_steps(settings: dict[str, Any]) -> list[dict[str, float]]:
    """Train as a notebook does: contiguous fp32 tensors, Adam, the bundle's loss; return a look at the clock per step."""
    import torch
    from monai.losses import DiceCELoss

    from monai_tumor.networks import build

    torch.manual_seed(0)
    image, label = made_batch(settings["rows"], settings["batch"])
    image, label = image.float().div(127.5).sub(1).contiguous(), label.float()
    network = build(name=settings["network"], in_channels=3, out_channels=1)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    loss_function = DiceCELoss(sigmoid=True, batch=True)
    network.train()
    clock, looks = Clock(), []
    for _ in range(settings["warm_up"] + settings["steps"]):
        optimizer.zero_grad()
        loss = loss_function(network(image), label)
        loss.backward()
        optimizer.step()
        loss.item()
        looks.append(clock.look())
    return looks


def our_steps(settings: dict[str, Any], precision: str) -> list[dict[str, float]]:
    """Train with the trainer that the brain bundle's train.json makes; its handlers and data are left out."""
    from ignite.engine import Events

    os.environ.setdefault("MONAI_TUMOR_CACHE", settings["cache"])
    workflow = brain_training(
        precision=precision,
        lr=LEARNING_RATE,
        **{"network_def#name": settings["network"], "train#trainer#train_handlers": []},
    )
    trainer = workflow.parser.get_parsed_content("train#trainer")
    image, label = made_batch(settings["rows"], settings["batch"])
    count = settings["warm_up"] + settings["steps"]
    trainer.data_loader = [{"image": image, "label": label}] * count
    trainer.state.epoch_length, trainer.state.max_epochs = count, 1
    clock, looks = Clock(), []
    trainer.add_event_handler(Events.STARTED, lambda engine: clock.look())
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: looks.append(clock.look()))
    trainer.run()
    return looks


def measure(settings: dict[str, Any]) -> dict[str, float]:
    """Measure one way in this process."""
    import torch

    if settings["threads"]:
        torch.set_num_threads(settings["threads"])
    way = settings["way"]
    looks = plain_steps(settings) if way == "plain" else our_steps(settings, way)
    return {**medians(looks[settings["warm_up"] :]), "first_step_wall_s": looks[0]["wall_s"]}


def compare(quick: bool, rounds: int, threads: int | None) -> dict[str, Any]:
    """Measure all ways in turn, ``rounds`` times, each in a fresh process; return medians over rounds and ratios."""
    shape = {**(QUICK if quick else FULL), "threads": threads}
    measured: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    loads = []
    with tempfile.TemporaryDirectory() as cache:
        for turn in range(rounds):
            for way in random.Random(turn).sample(list(WAYS), len(WAYS)):
                loads.append(load_average())
                measured[way].append(in_fresh_process(__file__, way=way, cache=cache, **shape))
    seconds = {way: medians(looks) for way, looks in measured.items()}
    faster = {
        way: {name: seconds["plain"][name] / seconds[way][name] for name in ("wall_s", "cpu_s")}
        for way in WAYS
        if way != "plain"
    }
    return {
        **shape,
        "rounds": rounds,
        "load_average": {"lowest": min(loads), "highest": max(loads)},
        "per_step": seconds,
        "every_round": measured,
        "times_faster": faster,
    }


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, help="fresh processes per way (default 3; 1 with --quick)")
    parser.add_argument(
        "--threads", type=int, help="of torch (default: what torch takes; 1 on a machine that is shared)"
    )
    given = parser.parse_args()
    if given.child:
        print(json.dumps(measure(json.loads(given.child))))
        return
    result = compare(given.quick, given.rounds or (1 if given.quick else 3), given.threads)
    lines = [
        f"seconds per step, {result['network']}, batch {result['batch']}, {result['rows']}x{result['rows']}: wall / CPU"
    ]
    for way in WAYS:
        step = result["per_step"][way]
        ratio = result["times_faster"].get(way)
        faster = f", {ratio['wall_s']:.2f} / {ratio['cpu_s']:.2f} times faster" if ratio else ""
        lines.append(
            f"  {WAYS[way]:18s} {step['wall_s']:6.2f} / {step['cpu_s']:6.2f} "
            f"({step['system_s']:.2f} in the kernel, {step['page_faults']:.0f} page faults){faster}"
        )
    report("train_step", result, lines, given.out, given.quick)


if __name__ == "__main__":
    main()
