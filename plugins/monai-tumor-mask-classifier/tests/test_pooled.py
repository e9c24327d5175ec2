"""All folds together: temperatures and thresholds come from the other folds, and a better way is seen to be better."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tumor_mask_classifier.cases_table import diagnosis_table
from tumor_mask_classifier.pooled import PooledWay, difference, read_way, way_figures
from tumor_mask_classifier.table import table_of

CLASSES = ("normal", "benign", "malignant")


def tables_of(root: Path, strength: float, seed: int = 0, count: int = 60, folds: int = 4) -> dict[int, Path]:
    """Write the tables of a classifier whose logits hold the truth with some strength."""
    found = {}
    for fold in range(folds):
        random = np.random.default_rng(100 * seed + fold)
        targets = random.integers(0, 3, count)
        logits = np.random.default_rng(fold).normal(0, 1, (count, 3)) + strength * np.eye(3)[targets]
        names = [f"f{fold}-{number:02}" for number in range(count)]
        found[fold] = root / f"{strength}-{fold}"
        found[fold].mkdir(parents=True)
        text = diagnosis_table(names, [name[:-1] for name in names], logits * 2, targets, CLASSES)
        (found[fold] / "cases.csv").write_text(text)
    return found


@pytest.fixture
def ways(tmp_path: Path) -> dict[str, PooledWay]:
    return {
        name: read_way(tables_of(tmp_path, strength), CLASSES) for name, strength in (("weak", 0.5), ("strong", 3.0))
    }


def test_every_case_is_there_once(ways: dict[str, PooledWay]) -> None:
    weak = ways["weak"]
    assert len(set(weak.cases)) == len(weak.cases) == 240 and np.bincount(weak.folds).tolist() == [60] * 4
    assert weak.cases == ways["strong"].cases and (weak.targets == ways["strong"].targets).all()


def test_a_fold_has_no_say_in_its_own_temperature(tmp_path: Path) -> None:
    before = read_way(tables_of(tmp_path / "a", 2.0), CLASSES)
    tests = tables_of(tmp_path / "b", 2.0)
    text = (tests[0] / "cases.csv").read_text().splitlines()
    flipped = [text[0], *(",".join([*line.split(",")[:-1], str((int(line[-1]) + 1) % 3)]) for line in text[1:])]
    (tests[0] / "cases.csv").write_text("\n".join(flipped) + "\n")
    after = read_way(tests, CLASSES)
    own = before.folds == 0
    assert np.array_equal(before.scaled[own], after.scaled[own]) and not np.array_equal(before.scaled, after.scaled)


def test_a_better_way_is_better_with_an_interval(ways: dict[str, PooledWay]) -> None:
    found = difference(ways["weak"], ways["strong"], CLASSES, ("benign", "malignant"), seed=0)
    assert found["auroc"]["difference"]["low"] > 0 and found["auroc"]["permutation"]["p"] < 0.01
    same = difference(ways["weak"], ways["weak"], CLASSES, ("benign", "malignant"), seed=0)
    assert same["auroc"]["difference"]["mean"] == 0


def test_the_frozen_point_holds_what_was_asked_nearly(ways: dict[str, PooledWay]) -> None:
    figures = way_figures(ways["strong"], CLASSES, "malignant", 0.9, seed=0)
    assert figures["point"]["sensitivity"]["mean"] == pytest.approx(0.9, abs=0.08)
    assert figures["point"]["specificity"]["mean"] > 0.9


def test_the_table_has_a_row_a_way_and_says_what_is_better(ways: dict[str, PooledWay]) -> None:
    found = {
        "first": "weak",
        "cases": 240,
        "ways": {name: way_figures(way, CLASSES, "malignant", 0.95, 0) for name, way in ways.items()},
        "differences": {"strong": difference(ways["weak"], ways["strong"], CLASSES, ("benign", "malignant"), 0)},
    }
    text = table_of(found)
    assert "# Diagnosis: 240 cases, each tested once" in text and text.count("\n| ") == 4
    assert "- strong minus weak, malignant against benign: AUROC +0." in text
