"""The operating point of a classifier: chosen on cases that it did not learn from, stated on others, used in prediction."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tumor_mask_classifier.record as record
from click.testing import CliRunner, Result
from PIL import Image
from tumor_mask_classifier.cases_table import DiagnosedCases
from tumor_mask_classifier.diagnosis_point import (
    DiagnosisPoint,
    DiagnosisWish,
    choose_diagnosis_point,
    farthest,
    find_diagnosis_point,
    write_diagnosis_point,
)

from monai_tumor.cli.main import main
from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.splits.split import read_split, write_split

CLASSES = ("normal", "benign", "malignant")
WISH = DiagnosisWish(CLASSES, sensitivity=0.9, alpha=0.1)


def some_cases(count: int = 300, seed: int = 0) -> DiagnosedCases:
    """Return cases whose logits tell something, but are three times too sure."""
    random = np.random.default_rng(seed)
    targets = random.integers(0, 3, count)
    logits = 3 * (random.normal(0, 1, (count, 3)) + 1.5 * np.eye(3)[targets])
    names = tuple(f"case {number:03}" for number in range(count))
    return DiagnosedCases(names, names, targets, logits, random.gamma(9, 1, count))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "model.pt").write_bytes(b"weights")
    return tmp_path


def chosen(cases: DiagnosedCases | None = None) -> DiagnosisPoint:
    return choose_diagnosis_point(some_cases() if cases is None else cases, WISH, "validation part of busi")


def test_the_threshold_finds_the_asked_share_of_the_cases_it_was_chosen_on():
    cases, point = some_cases(), chosen()
    malignant = cases.targets == 2
    found = point.called(cases.logits)[malignant].mean()
    assert found >= 0.9 and found - 1 / malignant.sum() < 0.9  # one fewer would be too few


def test_too_sure_logits_are_divided_by_a_temperature_above_one():
    cases, point = some_cases(), chosen()
    assert point.temperature > 2
    assert np.allclose(point.probabilities(cases.logits).sum(axis=1), 1)


def test_one_in_fifty_new_images_is_out_of_place():
    assert farthest(np.arange(1.0, 100.0)) == 98  # 100 * 0.98
    new = np.random.default_rng(1).gamma(9, 1, 5000)
    assert chosen().out_of_place(new).mean() == pytest.approx(0.02, abs=0.015)
    assert farthest(np.arange(19.0)) is None  # too few
    assert not replace(chosen(), distance=None).out_of_place(new).any()


def test_a_point_is_read_back_as_it_was(run: Path):
    point = chosen()
    write_diagnosis_point(run / "operating_point.json", point, run)
    assert find_diagnosis_point(run, None, CLASSES) == find_diagnosis_point(run, "auto", CLASSES) == point


def test_a_run_without_a_point_has_none_unless_one_is_asked_for(run: Path):
    assert find_diagnosis_point(run, None, CLASSES) is None
    with pytest.raises(
        WrongCallError, match=r"does not exist; choose one with: monai-tumor evaluate .* --part validation"
    ):
        find_diagnosis_point(run, "auto", CLASSES)
    with pytest.raises(WrongCallError, match=r"threshold is 0\.5; a classifier takes null"):
        find_diagnosis_point(run, 0.5, CLASSES)


def test_a_point_of_other_weights_or_classes_or_a_damaged_one_is_refused(run: Path):
    file = run / "operating_point.json"
    write_diagnosis_point(file, chosen(), run)
    with pytest.raises(WrongDataError, match="other weights or classes"):
        find_diagnosis_point(run, None, ("benign", "malignant"))
    content = json.loads(file.read_text())
    damages = [{"temperature": 0}, {"threshold": 7}, {"answers": {}}, {"positive": "cyst"}, {"temperature": "x"}]
    damages += [
        {"temperature": True},
        {"temperature": np.inf},
        {"distance": "x"},
        {"sensitivity": "a"},
        {"chosen_on": 5},
    ]
    damages += [{"answers": {**content["answers"], "least": least}} for least in ([0.1], [np.nan] * 3)]
    for damage in damages:
        file.write_text(json.dumps({**content, **damage}))
        with pytest.raises(WrongDataError, match="no operating point of a classifier"):
            find_diagnosis_point(run, None, CLASSES)
    write_diagnosis_point(file, chosen(), run)
    (run / "models" / "model.pt").write_bytes(b"trained on")
    with pytest.raises(WrongDataError, match="other weights or classes"):
        find_diagnosis_point(run, None, CLASSES)


def test_a_point_of_predictions_that_were_made_otherwise_is_refused(run: Path):
    file = run / "operating_point.json"
    write_diagnosis_point(file, chosen(), run, "settings")
    assert find_diagnosis_point(run, None, CLASSES, "settings") == chosen()
    with pytest.raises(
        WrongDataError, match="was chosen with another prepare, network_def, precision, mask_source or crop"
    ):
        find_diagnosis_point(run, None, CLASSES, "others")
    write_diagnosis_point(file, chosen(), run)  # of an earlier version, which did not tell
    assert find_diagnosis_point(run, None, CLASSES, "others") == chosen()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"positive": "cyst"}, "positive"),
        ({"sensitivity": 0}, "sensitivity"),
        ({"alpha": 1}, "alpha"),
        ({"alpha": "x"}, "alpha"),
    ],
)
def test_an_impossible_wish_is_refused(wrong, words):
    with pytest.raises(WrongCallError, match=f"{words} is"):
        DiagnosisWish(CLASSES, **wrong)


def _killed(*given: object) -> None:
    raise KeyboardInterrupt


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def metrics_of(run: Path, name: str) -> dict:
    return json.loads((run / "evaluation" / name / "metrics.json").read_text())


def test_the_validation_part_chooses_what_the_test_part_then_states(trained, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    assert call("evaluate", run, "--part", "validation").exit_code == 0
    point = json.loads((run / "operating_point.json").read_text())
    assert "point" not in metrics_of(run, "001-validation")  # figures on cases that chose are no figures
    result = call("evaluate", run)
    assert result.exit_code == 0 and "malignant at the chosen threshold (asked: 95 %), sensitivity" in result.stderr
    found = metrics_of(run, "002-test")
    assert found["point"]["chosen_on"] == point["chosen_on"] == "validation part of phantom_us"
    assert {"answers", "out_of_place"} <= set(found) and "## Operating point" in (
        run / "docs" / "README.md"
    ).read_text()


@pytest.mark.parametrize("other", ["prepare#rows=32", "mask_source=none", "crop=0.2", "precision=bf16"])
def test_a_point_is_for_the_settings_it_was_chosen_with(other, trained, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    assert call("evaluate", run, "--part", "validation").exit_code == 0
    PhantomDataset(count=3, seed=3, style="us", size=(64, 80)).write(tmp_path / "scans")
    predict = ["predict", tmp_path / "scans" / "images", "--bundle", run, "--output", tmp_path / "out"]
    for words in (["evaluate", run, "--set", other], [*predict, "--set", other]):
        result = call(*words)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1) and "was chosen with another" in result.stderr
    assert not (tmp_path / "out").exists() and not list(run.glob("evaluation/*-test"))
    assert call(*predict).exit_code == 0


def test_a_point_is_chosen_on_no_other_validation_part_than_the_runs_own(trained, tmp_path):
    """Else it might be chosen on the run's test part, and stated there."""
    run, other = shutil.copytree(trained, tmp_path / "run"), tmp_path / "other.json"
    own, exchanged = read_split(run / "split.json"), {"test": "validation", "validation": "test"}
    cases = {name: replace(entry, part=exchanged.get(entry.part, entry.part)) for name, entry in own.cases.items()}
    write_split(other, replace(own, cases=cases))
    result = call("evaluate", run, "--part", "validation", "--set", f"split_file={other}")
    assert result.exit_code == 2 and "is not the split of" in result.stderr
    assert not (run / "operating_point.json").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--part", "validation", "--threshold", "auto"], "the validation part uses no chosen one"),
        (["--threshold", 0.4], "threshold is 0.4; a classifier takes null"),
        (["--set", "seed=-1"], "seed is -1, expected a whole number from 0"),
        (["--set", "crop=1e400"], "crop is inf, expected null"),
        (["--set", "mask_source=out_of_fold", "--set", "masks=5"], "masks is 5, expected the folder"),
        (["--set", "classes=5"], "classes are 5, expected two or more"),
    ],
)
def test_a_wrong_evaluation_is_one_line_and_leaves_nothing(words, told, trained, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    result = call("evaluate", run, *words)
    assert (result.exit_code, told in result.stderr.splitlines()[-1]) == (2, True), result.stderr
    assert not (run / "evaluation").exists()


def test_an_external_test_that_was_begun_goes_on_only_as_it_was(trained, tmp_path, monkeypatch):
    run = shutil.copytree(trained, tmp_path / "run")
    PhantomDataset(count=12, seed=7, style="us", size=(64, 80)).write(tmp_path / "clinic")
    words = ["evaluate", run, "--external", tmp_path / "clinic", "--dataset", "folder"]
    monkeypatch.setattr(record, "write_diagnosis_report", _killed)
    assert call(*words).exit_code != 0
    monkeypatch.undo()
    for other in ("prepare#rows=32", "mask_source=none", "crop=0.2", "alpha=0.3", "precision=bf16"):
        result = call(*words, "--set", other)
        assert result.exit_code == 2 and "was begun in" in result.stderr.splitlines()[-1]
    assert call(*words).exit_code == 0


def test_a_damaged_point_of_the_run_does_not_stop_a_test_at_another_one(trained, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    PhantomDataset(count=40, seed=7, style="us", size=(64, 80)).write(tmp_path / "clinic")
    clinic = [tmp_path / "clinic", "--dataset", "folder"]
    assert call("calibrate", run, "--on", *clinic, "--cases", 16).exit_code == 0
    (run / "operating_point.json").write_text("{}")
    [local] = run.glob("evaluation/*-calibration/operating_point.json")
    assert call("evaluate", run, "--external", *clinic).exit_code == 2
    assert call("evaluate", run, "--external", *clinic, "--threshold", local).exit_code == 0
    [external] = run.glob("evaluation/external-*/metrics.json")
    assert "before" not in json.loads(external.read_text())


def test_a_diagnosis_says_what_it_decides_and_how_large_the_lesion_is(trained, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    PhantomDataset(count=6, seed=3, style="us", size=(64, 80)).write(tmp_path / "scans")
    for image in (tmp_path / "scans" / "images").iterdir():  # a prediction has a mask of every image, also an empty one
        mask = tmp_path / "scans" / "masks" / image.name
        if not mask.is_file():
            Image.new("L", Image.open(image).size).save(mask)
    call("evaluate", run, "--part", "validation")
    settings = ["--set", f"masks={tmp_path / 'scans' / 'masks'}", "--set", "spacing=[0.1, 0.2]"]
    result = call("predict", tmp_path / "scans" / "images", "--bundle", run, "--output", tmp_path / "out", *settings)
    assert result.exit_code == 0, result.stderr
    for one in json.loads((tmp_path / "out" / "predictions.json").read_text()):
        assert one["calibrated"] and one["answer"] in (*CLASSES, "refer") and set(one["possible"]) <= set(CLASSES)
        assert isinstance(one["called_malignant"], bool) and isinstance(one["out_of_place"], bool)
        assert one["lesion"]["unit"] == "mm" and (one["lesion"]["area"] > 0) == (one["lesion"]["lesions"] > 0)
        assert (tmp_path / "out" / f"{one['image']}_diagnosis.png").is_file()


def test_noise_is_out_of_place_and_referred(train, tmp_path):
    """A network that has learnt a little: its features tell phantoms from noise and from black."""
    run = train(tmp_path / "run", epochs=4, backbone="resnet10t")
    call("evaluate", run, "--part", "validation")
    scans = tmp_path / "scans"
    scans.mkdir()
    noise = np.random.default_rng(0).integers(0, 2, (90, 120), np.uint8) * 255
    Image.fromarray(noise).save(scans / "noise.png")
    Image.fromarray(np.full((90, 120), 255, np.uint8)).save(scans / "white.png")
    result = call("predict", scans, "--bundle", run, "--output", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    found = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert all(one["out_of_place"] and one["answer"] == "refer" for one in found), found


def test_local_cases_choose_another_point_and_the_rest_is_the_test(trained, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    PhantomDataset(count=40, seed=7, style="us", size=(64, 80)).write(tmp_path / "clinic")
    assert call("evaluate", run, "--part", "validation").exit_code == 0
    result = call("calibrate", run, "--on", tmp_path / "clinic", "--cases", 16, "--dataset", "folder")
    assert result.exit_code == 0, result.stderr
    local = run / "evaluation" / "002-calibration" / "operating_point.json"
    result = call("evaluate", run, "--external", tmp_path / "clinic", "--dataset", "folder", "--threshold", local)
    assert result.exit_code == 0, result.stderr
    [external] = (run / "evaluation").glob("external-*")
    found = metrics_of(run, external.name)
    assert found["cases"] == 24 and found["point"]["chosen_on"].startswith("calibration")
    assert found["before"]["point"]["chosen_on"].startswith("validation")


def test_the_folds_of_a_classifier_predict_as_one(bundle, small, tmp_path):
    """Trained on every fold by the core's own command, tested out-of-fold, and a bundle that states three answers."""
    words = [word for key, value in small.items() if key != "epochs" for word in ("--set", f"{key}={value}")]
    run = tmp_path / "set"
    result = call("train", "breast_diagnosis", "--folds", 3, "--epochs", 1, "--run-dir", run, *words)
    assert result.exit_code == 0, result.stderr
    result = call("evaluate", run, "--set", "explain=true")
    assert result.exit_code == 0, result.stderr
    assert (run / "evaluation" / "001-out_of_fold" / "report.html").is_file()
    found = metrics_of(run, "001-out_of_fold")
    assert found["point"]["chosen_on"] == "the other folds" and "out_of_place" in found
    for other in ("mask_source=none", "prepare#rows=32"):  # the folds were not tested like that
        result = call("evaluate", run, "--set", other)
        assert result.exit_code == 2 and "has no finished test with these settings" in result.stderr.splitlines()[-1]
    point = json.loads((run / "operating_point.json").read_text())
    assert point["chosen_on"].startswith("out-of-fold cases") and point["distance"] > 0
    PhantomDataset(count=5, seed=3, style="us", size=(64, 80)).write(tmp_path / "scans")
    words = ["--bundle", run, "--output", tmp_path / "out", "--set", "explain=true"]
    result = call("predict", tmp_path / "scans" / "images", *words)
    assert result.exit_code == 0, result.stderr
    assert all("answer" in one for one in json.loads((tmp_path / "out" / "predictions.json").read_text()))
