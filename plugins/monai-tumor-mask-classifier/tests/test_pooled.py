"""All folds together: temperatures and thresholds come from the other folds, and a better way is seen to be better."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tumor_mask_classifier.cases_table import DiagnosedCases, pool_tables, read_diagnosed
from tumor_mask_classifier.diagnosis_point import DiagnosisWish
from tumor_mask_classifier.figures import decide_out_of_fold, diagnosis_figures
from tumor_mask_classifier.pooled import difference
from tumor_mask_classifier.table import table_of

from monai_tumor.errors import WrongCallError, WrongDataError

CLASSES = ("normal", "benign", "malignant")
WISH = DiagnosisWish(CLASSES)


def cases_of_fold(fold: int, strength: float, count: int = 60) -> DiagnosedCases:
    """Return what a classifier whose logits hold the truth with some strength gave for the cases of a fold."""
    random = np.random.default_rng(fold)
    targets = random.integers(0, 3, count)
    logits = random.normal(0, 1, (count, 3)) + strength * np.eye(3)[targets]
    names = tuple(f"f{fold}-{number:02}" for number in range(count))
    pairs = tuple(f"f{fold}-{number // 2:02}" for number in range(count))
    return DiagnosedCases(names, pairs, targets, logits * 2, random.gamma(9, 1, count))


def pooled(strength: float) -> DiagnosedCases:
    return pool_tables([cases_of_fold(fold, strength) for fold in range(4)])


@pytest.fixture(scope="module")
def ways() -> dict[str, DiagnosedCases]:
    return {"weak": pooled(0.5), "strong": pooled(3.0)}


def figures_of(cases: DiagnosedCases, asked: DiagnosisWish = WISH) -> dict:
    return diagnosis_figures(cases, decide_out_of_fold(cases, asked), "the other folds", asked, seed=0)


def between(first: DiagnosedCases, second: DiagnosedCases) -> dict:
    scaled = decide_out_of_fold(first, WISH).logits, decide_out_of_fold(second, WISH).logits
    return difference(first, second, scaled, CLASSES, ("benign", "malignant"), seed=0)


def test_every_case_is_there_once(ways):
    weak = ways["weak"]
    assert len(set(weak.names)) == len(weak.names) == 240 and np.bincount(weak.folds).tolist() == [60] * 4
    assert weak.names == ways["strong"].names == tuple(sorted(weak.names))


def test_a_table_is_read_back_as_it_was(ways, tmp_path: Path):
    cases = ways["weak"]
    cases.write(tmp_path / "cases.csv", CLASSES)
    back = read_diagnosed(tmp_path / "cases.csv", CLASSES)
    assert (back.names, back.groups) == (cases.names, cases.groups)
    assert np.allclose(back.logits, cases.logits, rtol=1e-8) and np.allclose(back.distances, cases.distances, rtol=1e-8)
    assert np.array_equal(back.targets, cases.targets) and np.array_equal(back.folds, cases.folds)


def test_a_table_of_other_classes_is_refused(ways, tmp_path: Path):
    ways["weak"].write(tmp_path / "cases.csv", CLASSES)
    with pytest.raises(WrongDataError, match=r"cases\.csv is no table of the classes cyst, tumour"):
        read_diagnosed(tmp_path / "cases.csv", ("cyst", "tumour"))


@pytest.mark.parametrize(
    "damage",
    [("f0-00,", f"{'f' * 200_000},"), ("normal,", "benign,"), (",target", ",goal"), ("logit_normal", "logit")],
)
def test_a_damaged_table_is_named(damage, ways, tmp_path: Path):
    path = tmp_path / "cases.csv"
    ways["weak"].write(path, CLASSES)
    path.write_text(path.read_text().replace(*damage, 1))
    with pytest.raises(WrongDataError, match=r"cases\.csv is no table of the classes"):
        read_diagnosed(path, CLASSES)
    path.write_text("case,group,label\n")
    with pytest.raises(WrongDataError, match=r"cases\.csv is no table of the classes"):
        read_diagnosed(path, CLASSES)


def test_no_false_alarms_are_stated_where_a_fold_could_not_decide(ways):
    cases = ways["weak"]
    few = replace(cases, distances=np.where(cases.folds == 0, cases.distances, np.nan))  # known in one fold only
    assert decide_out_of_fold(few, WISH).far is None and "out_of_place" not in figures_of(few)


def test_a_fold_has_no_say_in_its_own_decisions(ways):
    cases = ways["strong"]
    own = cases.folds == 0
    flipped = replace(cases, targets=np.where(own, (cases.targets + 1) % 3, cases.targets))
    before, after = decide_out_of_fold(cases, WISH), decide_out_of_fold(flipped, WISH)
    for name in ("logits", "called", "possible", "far"):
        one, two = getattr(before, name), getattr(after, name)
        assert np.array_equal(one[own], two[own]), name
    assert not np.array_equal(before.logits, after.logits)


def test_a_better_way_is_better_with_an_interval(ways):
    found = between(ways["weak"], ways["strong"])
    assert found["auroc"]["difference"]["low"] > 0 and found["auroc"]["permutation"]["p"] < 0.01
    assert between(ways["weak"], ways["weak"])["auroc"]["difference"]["mean"] == 0


def test_ways_on_different_cases_are_not_compared(ways):
    other = replace(ways["weak"], names=("other", *ways["weak"].names[1:]))
    with pytest.raises(WrongCallError, match="different cases"):
        between(other, ways["strong"])


def test_the_frozen_point_holds_what_was_asked_nearly(ways):
    figures = figures_of(ways["strong"], DiagnosisWish(CLASSES, sensitivity=0.9))
    assert figures["point"]["sensitivity"]["mean"] == pytest.approx(0.9, abs=0.08)
    assert figures["point"]["specificity"]["mean"] > 0.9
    assert set(figures["point"]["specificity_to"]) == {"normal", "benign"}


def test_the_answers_cover_each_class_as_often_as_promised(ways):
    answers = figures_of(ways["weak"])["answers"]
    assert all(one["covered"]["mean"] >= 0.85 for one in answers["per_class"].values())  # 0.95 asked
    assert answers["referred"]["mean"] > figures_of(ways["strong"])["answers"]["referred"]["mean"]


def test_about_as_many_images_are_out_of_place_as_asked(ways):
    alarms = figures_of(ways["weak"])["out_of_place"]["alarms"]
    assert alarms["n"] == 240 and alarms["mean"] <= 0.05


def test_the_table_has_a_row_a_way_and_says_what_is_better(ways):
    found = {
        "first": "weak",
        "cases": 240,
        "ways": {name: {**figures_of(way), "alpha": WISH.alpha} for name, way in ways.items()},
        "differences": {"strong": between(ways["weak"], ways["strong"])},
    }
    text = table_of(found)
    assert "# Diagnosis: 240 cases, each tested once" in text and text.count("\n| ") == 4
    assert "- strong minus weak, malignant against benign: AUROC +0." in text
