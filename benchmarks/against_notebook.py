"""Dice over time: the recipe ``fast`` beside plain PyTorch + albumentations loops, on the same leak-free parts of BUSI.

    pip install albumentations
    python benchmarks/against_notebook.py --dataset-dir DIR --work WORK [--only NAME ...]

Every way trains on the same training part with two threads or as many as the machine has, one after the other:

- ``fast``: the recipe for 60 minutes; ``fast_2`` and ``fast_10``: the same for 2 and 10 minutes, each with its own schedule.
- ``notebook``: U-Net++ with ResNet-34 from random weights, Adam 1e-4, as earlier projects would run it here, 60 minutes.
- ``twin``: the network and pretrained weights of ``fast`` in the same plain loop, Adam 1e-3, 30 minutes.

The plain loops are float32, read files in every epoch, stretch to 256x256, flip, turn, shift, scale and rotate. Weights are
put aside at set minutes of training time; afterwards all are scored alike: masks in the geometry of the file, threshold 0.5,
mean Dice over lesion cases, intervals by group. A way whose log is complete in WORK is not trained again.

On a machine that is not quiet for hours: ``--processor-time``. How long a training step takes with two threads and with one is
measured first (for that minute it must be quiet), then every way trains on one thread, and a minute of two threads is as many
processor seconds of one as the same steps take. Each way so does the steps of its quiet minutes, whatever else runs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from busi_cases import cases_of, clusters_of, mean_dice, mean_difference, score_cases
from common import ROOT, load_average, report

MARKS = (0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60)
WAYS: dict[str, dict[str, Any]] = {
    "fast": {"minutes": 60, "recipe": "fast"},
    "fast_2": {"minutes": 2, "recipe": "fast"},
    "fast_10": {"minutes": 10, "recipe": "fast"},
    "notebook": {"minutes": 60, "network": {"name": "unetplusplus"}, "lr": 1e-4},
    "twin": {"minutes": 30, "network": {"name": "unet", "encoder_weights": "wheel:lite0"}, "lr": 1e-3},
}
SEED = 0
FIGURE = ROOT / "docs" / "images" / "against-notebook.svg"


class KeepAtMinutes:
    """Put the validated weights aside at the first end of an epoch after each of ``marks`` minutes, and at the end."""

    def __init__(self, average: Any, budget: Any, folder: str, scale: float = 1.0) -> None:
        self.average, self.budget, self.folder, self.scale = average, budget, Path(folder), scale
        self.marks = list(MARKS)

    def attach(self, engine: Any) -> None:
        from ignite.engine import Events

        engine.add_event_handler(Events.EPOCH_COMPLETED, self.keep)

    def keep(self, engine: Any) -> None:
        import torch

        minutes = self.budget.seconds / 60 / self.scale
        if engine.state.epoch == engine.state.max_epochs or (self.marks and minutes >= self.marks[0]):
            self.marks = [mark for mark in self.marks if mark > minutes]
            torch.save(self.average.network.state_dict(), self.folder / f"{minutes:07.3f}.pt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset-dir", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("runs/against_notebook"))
    parser.add_argument("--only", nargs="*", choices=WAYS, default=list(WAYS))
    parser.add_argument("--minutes", type=float, help="all ways so long instead: a trial run, which writes no result")
    parser.add_argument("--processor-time", action="store_true", help="one thread and its processor time as the clock")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--steps-only", action="store_true", help="measure the steps, train nothing")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        train_way(options.child, options)
        return
    options.work.mkdir(parents=True, exist_ok=True)
    split = options.work / "split.json"
    if not split.exists():
        words = ["data", "split", str(options.dataset_dir), "--dataset", "busi", "--fractions", ".65,.1,.25"]
        subprocess.run([sys.executable, "-m", "monai_tumor", *words, "-o", str(split)], check=True)
    if options.processor_time and not (options.work / "steps.json").exists():
        steps = {
            name: {threads: step_seconds(name, threads) for threads in (1, 2)} for name in ("fast", "notebook", "twin")
        }
        (options.work / "steps.json").write_text(json.dumps(steps))
    if options.steps_only:
        return
    for name in options.only:
        folder = options.work / name
        if not (folder / "done.json").exists():
            folder.mkdir(exist_ok=True)
            with (folder / "log.txt").open("w") as log:
                command = [sys.executable, __file__, *sys.argv[1:], "--child", name]
                threads = {"OMP_NUM_THREADS": "1"} if options.processor_time else {}
                subprocess.run(command, check=True, stdout=log, stderr=log, env={**os.environ, **threads})
        if not (folder / "scores.json").exists():
            (folder / "scores.json").write_text(json.dumps(score_way(name, options)))
        print(name, *lines_of(folder), sep="\n", flush=True)
    if options.minutes is None and all((options.work / name / "scores.json").exists() for name in WAYS):
        write_result(options)


def seconds_per_second(name: str, options: argparse.Namespace) -> float:
    """Return how many processor seconds of one thread do the steps of a second of two threads."""
    if not options.processor_time:
        return 1.0
    steps = json.loads((options.work / "steps.json").read_text())[name.split("_")[0]]
    return float(steps["1"] / steps["2"])


def step_seconds(name: str, threads: int) -> float:
    """Return the seconds of a training step, in a process of its own."""
    code = f"import against_notebook; print(against_notebook.measure_step({name!r}))"
    settings = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=settings, cwd=ROOT / "benchmarks")
    return float(done.stdout.split()[-1])


def measure_step(name: str) -> float:
    """Return the least seconds of four training steps of a batch of 8: processor time of one thread, else wall time."""
    import torch
    from way_notebook import loss_function

    from monai_tumor.inference import AutocastInferer
    from monai_tumor.networks import build
    from monai_tumor.training import DiceBceLoss, keep_memory, place_network

    ours = "recipe" in WAYS[name]
    network = build(in_channels=1, out_channels=1, **WAYS["twin" if ours else name]["network"]).train()
    image, label, loss, inferer = torch.randn(8, 1, 256, 256), torch.zeros(8, 1, 256, 256), loss_function, None
    if ours:
        keep_memory()
        network, image = place_network(network, "cpu"), image.to(memory_format=torch.channels_last)
        loss, inferer = DiceBceLoss(), AutocastInferer()
    optimizer = torch.optim.AdamW(network.parameters(), fused=ours)
    seconds = []
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    for _ in range(5):
        started = clock()
        optimizer.zero_grad()
        loss(network(image) if inferer is None else inferer(image, network), label).backward()
        optimizer.step()
        seconds.append(clock() - started)
    return min(seconds[1:])


def train_way(name: str, options: argparse.Namespace) -> None:
    """Train one way in this process; writes its weights at the marks and ``done.json``."""
    way, folder = WAYS[name], options.work.resolve() / name
    minutes = (options.minutes or way["minutes"]) * seconds_per_second(name, options)
    loads, cpu, wall = [load_average()], time.process_time(), time.perf_counter()
    epochs = (
        train_recipe(way, folder, minutes, options) if "recipe" in way else train_plain(way, folder, minutes, options)
    )
    wall = time.perf_counter() - wall
    loads.append(load_average())
    share = (time.process_time() - cpu) / wall
    done = {"minutes": minutes, "wall_minutes": wall / 60, "epochs": epochs, "cores_busy": share, "load_average": loads}
    (folder / "done.json").write_text(json.dumps(done))


def train_recipe(way: dict[str, Any], folder: Path, minutes: float, options: argparse.Namespace) -> int:
    """Train the breast bundle with a recipe, exactly as ``monai-tumor train`` does, with one more handler."""
    from monai_tumor.bundles.find import bundle_folder, config_file, recipe_file
    from monai_tumor.bundles.launch import run_bundle

    overlay = folder / "keep.json"
    handler = {"_target_": "against_notebook.KeepAtMinutes", "average": "@average", "budget": "@budget"}
    clock = {"budget#_target_": "cpu_budget.CpuBudget"} if options.processor_time else {}
    scale = seconds_per_second("fast", options)
    overlay.write_text(json.dumps({"+train#handlers": [{**handler, "folder": str(folder), "scale": scale}], **clock}))
    files = [config_file(bundle_folder("breast"), "train"), recipe_file(way["recipe"]), overlay]
    settings = {"dataset_dir": str(options.dataset_dir.resolve()), "dataset_name": "busi", "minutes": minutes}
    run = folder / "run"
    run_bundle(
        "training", files, {**settings, "split_file": str(options.work.resolve() / "split.json"), "run_dir": str(run)}
    )
    return len(json.loads((run / "run.json").read_text())["history"])


def train_plain(way: dict[str, Any], folder: Path, minutes: float, options: argparse.Namespace) -> int:
    """Train as a notebook does: no validation costs time, and the clock stands while weights are put aside."""
    import torch
    from torch.utils.data import DataLoader
    from way_notebook import loss_function

    from monai_tumor.networks import build
    from monai_tumor.networks.normalisation import normalisation_of

    torch.manual_seed(SEED)
    network = build(in_channels=1, out_channels=1, **way["network"])
    loader = DataLoader(PlainImages(options, normalisation_of(network)), batch_size=8, shuffle=True, drop_last=True)
    optimizer = torch.optim.Adam(network.parameters(), lr=way["lr"])
    clock = time.process_time if options.processor_time else time.perf_counter
    scale = seconds_per_second(folder.name, options)
    marks, spent, epochs = [mark for mark in MARKS if mark < minutes / scale] + [minutes / scale], 0.0, 0
    while marks:
        network.train()
        started = clock()
        for image, label in loader:
            optimizer.zero_grad()
            loss = loss_function(network(image), label)
            loss.backward()
            optimizer.step()
            loss.item()
        spent += (clock() - started) / 60 / scale
        epochs += 1
        if spent >= marks[0]:
            marks = [mark for mark in marks if mark > spent]
            torch.save(network.state_dict(), folder / f"{spent:07.3f}.pt")
            print(f"epoch {epochs}, {spent:.2f} min", flush=True)
    return epochs


class PlainImages:
    """Grey image and mask, both read from their files, stretched to 256x256 and augmented by albumentations."""

    def __init__(self, options: argparse.Namespace, expected: Any) -> None:
        import albumentations

        self.cases = cases_of(options.dataset_dir, options.work / "split.json", "training")
        self.change = albumentations.Compose(
            [
                albumentations.Resize(256, 256),
                albumentations.HorizontalFlip(p=0.5),
                albumentations.Affine(translate_percent=0.1, scale=(0.9, 1.1), rotate=(-15, 15), p=0.5),
                albumentations.RandomBrightnessContrast(p=0.5),
                albumentations.Normalize(mean=expected.mean, std=expected.std),
            ],
            seed=SEED,
        )

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        import torch

        image, mask = read(self.cases[index])
        changed = self.change(image=image, mask=mask)
        return torch.from_numpy(changed["image"])[None], torch.from_numpy(changed["mask"]).float()[None]


def read(case: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the grey image and the union of the masks, 0 and 1, with OpenCV."""
    import cv2

    image = cv2.imread(case.image, cv2.IMREAD_GRAYSCALE)
    masks = [cv2.imread(mask, cv2.IMREAD_GRAYSCALE) > 127 for mask in case.masks]
    return image, np.any(masks, axis=0).astype(np.uint8) if masks else np.zeros_like(image)


def score_way(name: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return for every weights file its minutes and the Dice of each lesion case of the test part."""
    import torch

    from monai_tumor.imaging.prepare import PrepareSettings
    from monai_tumor.networks import build

    way = WAYS[name]
    settings = PrepareSettings(256, 256, 1, "pad" if "recipe" in way else "stretch")
    network = build(in_channels=1, out_channels=1, **way.get("network", WAYS["twin"]["network"])).eval()
    cases = cases_of(options.dataset_dir, options.work / "split.json", "test")
    scores = []
    for file in sorted((options.work / name).glob("*.pt")):
        network.load_state_dict(torch.load(file, weights_only=True))
        scores.append({"minutes": float(file.stem), "cases": score_cases(network, settings, cases)})
    return scores


def curve_of(folder: Path, groups: dict[str, str]) -> list[dict[str, Any]]:
    """Return the mean Dice with its interval after each time."""
    scores = json.loads((folder / "scores.json").read_text())
    return [{"minutes": score["minutes"], "dice": mean_dice(score["cases"], groups)} for score in scores]


def lines_of(folder: Path) -> list[str]:
    """Return the curve in words."""
    curve = curve_of(folder, clusters_of(folder.parent / "split.json"))
    return [f"  {point['minutes']:6.2f} min: {point['dice']['text']}" for point in curve]


def write_result(options: argparse.Namespace) -> None:
    """Write curves, the two comparisons that were set beforehand, and the figure."""
    groups = clusters_of(options.work / "split.json")
    folders = {name: options.work / name for name in WAYS}
    ends = {name: json.loads((folder / "scores.json").read_text())[-1]["cases"] for name, folder in folders.items()}
    curves = {name: curve_of(folder, groups) for name, folder in folders.items()}
    result = {
        "curves": curves,
        "trainings": {name: json.loads((folder / "done.json").read_text()) for name, folder in folders.items()},
        "fast_2_minus_notebook": mean_difference(ends["fast_2"], ends["notebook"], groups),
        "fast_10_minus_twin": mean_difference(ends["fast_10"], ends["twin"], groups),
        "fast_minus_notebook": mean_difference(ends["fast"], ends["notebook"], groups),
    }
    FIGURE.write_text(figure(curves), encoding="utf-8")
    report(
        "against_notebook",
        result,
        [f"{name}: {result[name]['text']}" for name in result if "minus" in name],
        options.out,
        False,
    )


def figure(curves: dict[str, list[dict[str, Any]]]) -> str:
    """Draw Dice over minutes, logarithmic, with intervals."""
    colours = {"fast": "#0072B2", "fast_2": "#56B4E9", "fast_10": "#56B4E9", "notebook": "#D55E00", "twin": "#009E73"}
    left, top, width, height = 60, 40, 560, 300

    def x(minutes: float) -> float:
        return float(left + width * (np.log2(minutes) + 1) / (np.log2(64) + 1))

    def y(dice: float) -> float:
        return top + height * (1 - dice / 0.9)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 90}" height="{top + height + 50}" '
        'font-family="sans-serif" font-size="12" role="img"><title>Dice over minutes</title>',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{left}" y="20">Dice of the test part (mean over lesion cases, 95 % interval) by minutes</text>',
    ]
    for tick in (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        parts.append(f'<line x1="{left}" x2="{left + width}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for minutes in (0.5, 1, 2, 4, 8, 15, 30, 60):
        parts.append(f'<text x="{x(minutes):.1f}" y="{top + height + 20}" text-anchor="middle">{minutes:g}</text>')
    for name, curve in curves.items():
        points = [(x(max(point["minutes"], 0.5)), point["dice"]) for point in curve]
        line = " ".join(f"{place:.1f},{y(dice['mean']):.1f}" for place, dice in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colours[name]}" stroke-width="2"/>')
        for place, dice in points:
            parts.append(f'<circle cx="{place:.1f}" cy="{y(dice["mean"]):.1f}" r="3" fill="{colours[name]}"/>')
        place, dice = points[-1]
        if dice["low"] is not None:
            ends = f'y1="{y(dice["low"]):.1f}" y2="{y(dice["high"]):.1f}"'
            parts.append(f'<line x1="{place:.1f}" x2="{place:.1f}" {ends} stroke="{colours[name]}"/>')
        parts.append(f'<text x="{place + 6:.1f}" y="{y(dice["mean"]) + 4:.1f}" fill="{colours[name]}">{name}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    main()
