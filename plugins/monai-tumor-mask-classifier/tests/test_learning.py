"""What is learnt: a contour where it decides the class, and nothing where the labels say nothing."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from monai_tumor.bundles.find import config_file
from monai_tumor.bundles.launch import run_bundle
from monai_tumor.datasets.phantom import PhantomDataset

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file")
# 16 cases of each class: the standard deviation of a recall that is 1/3 by chance, and of the mean of three.
CHANCE, DEVIATION = 1 / 3, np.sqrt(1 / 3 * 2 / 3 / 16 / 3)


def evaluated(run: Path, **settings) -> dict:
    run_bundle("evaluating", [config_file(run, "train"), config_file(run, "evaluate")], settings)
    metrics: dict = json.loads((run / "evaluation" / "001-test" / "metrics.json").read_text())
    return metrics


def labelled_phantoms(folder: Path, shuffled: bool) -> None:
    """Write 120 phantoms, and labels of which the largest class is no more frequent than the smallest."""
    phantom = PhantomDataset(count=120, size=(64, 80))
    phantom.write(folder)
    cases = phantom.cases()
    labels = [str(case.label) for case in cases]
    if shuffled:
        labels = np.random.default_rng(0).permutation(["normal", "benign", "malignant"] * 40).tolist()
    with (folder / "cases.csv").open() as file:
        table = list(csv.DictReader(file))
    with (folder / "cases.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows({**row, "label": label} for row, label in zip(table, labels, strict=True))


@pytest.mark.parametrize("shuffled", [True, False])
def test_shuffled_labels_are_learnt_no_better_than_chance_and_true_ones_are(train, tmp_path, shuffled):
    """The second half shows that the first could fail: the same training on the true labels does."""
    labelled_phantoms(tmp_path / "scans", shuffled)
    parts = {"training": 0.5, "validation": 0.1, "test": 0.4}
    data = {"dataset_dir": str(tmp_path / "scans"), "dataset_name": "folder", "source#fractions": parts}
    run = train(tmp_path / "run", epochs=12, lr=0.003, crop=0.2, average_decay=None, **data)
    found = evaluated(run, dataset_dir=str(tmp_path / "scans"))["balanced_accuracy"]["mean"]
    is_chance = abs(found - CHANCE) < 3 * DEVIATION
    assert is_chance == shuffled, found


@pytest.mark.slow
def test_benign_and_malignant_are_told_apart_by_the_contour(train, tmp_path):
    """In these phantoms nothing else differs. 15 of 20 right happen by guessing once in fifty times."""
    settings = {"epochs": 20, "lr": 0.003, "crop": 0.2, "average_decay": 0.9, "backbone": "resnet10t"}
    parts = {"training": 0.7, "validation": 0.1, "test": 0.2}
    run = train(tmp_path / "run", dataset_name="phantom", **settings, **{"source#fractions": parts})
    confusion = np.array(evaluated(run)["confusion"])[1:]
    assert confusion.sum() == 20 and confusion[0, 1] + confusion[1, 2] >= 15
