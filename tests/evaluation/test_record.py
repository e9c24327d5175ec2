"""Whole evaluations of a trained run: what is written, what is not done twice, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from monai_tumor.bundles.find import config_file
from monai_tumor.bundles.launch import run_bundle
from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.errors import WrongCallError, WrongDataError, user_error
from monai_tumor.evaluation import record
from monai_tumor.evaluation.folder import read_cases
from monai_tumor.imaging.read import read_mask
from monai_tumor.imaging.write import write_mask, write_picture
from monai_tumor.splits.split import read_split, write_split


def evaluate(run: Path, **settings: Any) -> dict[str, Any]:
    """Evaluate, and return what ``metrics.json`` of the newest folder says."""
    try:
        run_bundle("evaluating", [config_file(run, name) for name in ("train", "evaluate")], settings)
    except RuntimeError as error:  # MONAI wraps what a configuration raises
        raise user_error(error) or error from None
    newest = max((run / "evaluation").glob("*/metrics.json"), key=lambda path: path.stat().st_mtime_ns)
    return {**json.loads(newest.read_text()), "folder": newest.parent}


@pytest.fixture
def clinic(tmp_path: Path) -> dict[str, str]:
    """Settings of another data set: fourteen images that the run has never seen."""
    PhantomDataset(count=14, seed=77, size=(90, 120)).write(tmp_path / "clinic", "folder_suffix")
    return {"dataset_dir": str(tmp_path / "clinic"), "dataset_name": "folder"}


def stop_after(monkeypatch: pytest.MonkeyPatch, name: str, calls: int) -> list[Any]:
    """Let a function of the recorder be interrupted after some calls, and return the list of these."""
    original, made = getattr(record, name), []

    def counted(*values: Any, **named: Any) -> Any:
        if len(made) == calls:
            raise KeyboardInterrupt
        made.append(values)
        return original(*values, **named)

    monkeypatch.setattr(record, name, counted)
    return made


def test_a_killed_evaluation_predicts_only_what_it_has_not(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(patch, "write_case", 5)
        evaluate(run)
    before = {path: path.stat().st_mtime_ns for path in (run / "evaluation" / "001-test" / "cases").iterdir()}
    made = stop_after(monkeypatch, "write_case", 1000)
    metrics = evaluate(run)
    assert metrics["folder"].name == "001-test" and len(before) == 5
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(made) + 5 == metrics["cases"] == len(read_cases(metrics["folder"]))


def test_an_evaluation_killed_before_its_figures_predicts_nothing(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(patch, "evaluation_figures", 0)
        evaluate(run)
    made = stop_after(monkeypatch, "write_case", 1000)
    assert evaluate(run)["folder"].name == "001-test" and made == []


def test_an_evaluation_in_two_halves_has_the_figures_of_a_whole_one(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(patch, "write_case", 3)
        evaluate(run)
    halves, whole = evaluate(run), evaluate(run)
    assert halves["folder"] != whole["folder"]
    assert {**halves, "folder": ""} == {**whole, "folder": ""}


def test_the_validation_part_chooses_and_the_test_part_uses_it(run: Path) -> None:
    with pytest.raises(
        WrongCallError, match=r"operating_point\.json does not exist; choose one with: monai-tumor evaluate"
    ):
        evaluate(run, threshold="auto")
    evaluate(run, part="validation")
    chosen = json.loads((run / "operating_point.json").read_text())
    metrics = evaluate(run, threshold="auto")
    assert metrics["threshold"] == chosen["threshold"] and metrics["smallest_area"] == chosen["smallest_area"]
    assert metrics["chosen_on"].startswith("validation part of phantom: ")
    assert metrics["calibration"]["temperature"] == chosen["temperature"]


def test_a_case_with_the_chosen_threshold_has_the_mask_on_disk(run: Path) -> None:
    metrics = evaluate(run, threshold=0.25)
    for case in read_cases(metrics["folder"]):
        mask = read_mask(metrics["folder"] / "predictions" / f"{case.id}.png")
        above = case.levels.lesion[64:].sum() + case.levels.ground[64:].sum()
        assert mask.sum() == above == case.scored.overlap.true_positive + case.scored.overlap.false_positive


@pytest.mark.parametrize("part", ["validation", "training"])
def test_what_validation_chose_is_not_stated_on_what_was_learnt(run: Path, part: str) -> None:
    with pytest.raises(WrongCallError, match="takes a number"):
        evaluate(run, part=part, threshold="auto")


def test_mirrored_images_give_each_case_an_uncertainty(run: Path) -> None:
    metrics = evaluate(run, tta=True)
    unsure = [case.unsure for case in read_cases(metrics["folder"])]
    assert not np.isnan(unsure).any() and metrics["referral"]["n"] == metrics["lesion_cases"]["n"]
    assert evaluate(run)["referral"] is None


def test_an_external_test_is_run_once(run: Path, clinic: dict[str, str]) -> None:
    metrics = evaluate(run, part="external", **clinic)
    assert metrics["cases"] == 14 and metrics["sealed"]["pictures"] == 14
    for settings in ({}, {"threshold": 0.4}, {"tta": True}, {"seed": 3}):
        with pytest.raises(
            WrongCallError, match=r"tested on 14 pictures .* run once; its result is in .*external-folder-"
        ):
            evaluate(run, part="external", **clinic, **settings)


def test_one_picture_more_makes_no_new_test_set(run: Path, clinic: dict[str, str]) -> None:
    evaluate(run, part="external", **clinic)
    PhantomDataset(count=1, seed=5, size=(90, 120)).write(Path(clinic["dataset_dir"], "more"), "folder_suffix")
    with pytest.raises(WrongCallError, match="was tested on 14 pictures"):
        evaluate(run, part="external", **clinic)


def test_a_killed_external_test_goes_on_but_not_with_another_threshold(
    run: Path, clinic: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(patch, "write_case", 2)
        evaluate(run, part="external", **clinic)
    with pytest.raises(WrongCallError, match=r"other settings \(threshold was 0\.5, is 0\.4\)"):
        evaluate(run, part="external", threshold=0.4, **clinic)
    assert evaluate(run, part="external", **clinic)["cases"] == 14


def test_what_the_run_was_calibrated_on_is_left_out_of_its_external_test(run: Path, clinic: dict[str, str]) -> None:
    evaluate(run, part="calibration", local_cases=4, **clinic)
    (point,) = (run / "evaluation").glob("*-calibration/operating_point.json")
    metrics = evaluate(run, part="external", threshold=str(point), **clinic)
    assert metrics["cases"] == 10
    assert metrics["threshold"] == json.loads(point.read_text())["threshold"]
    assert not (run / "operating_point.json").exists()  # the run's own is of its validation part


def test_training_pictures_in_the_external_folder_are_refused(run: Path, clinic: dict[str, str]) -> None:
    with pytest.raises(WrongDataError, match=r"\d+ of 120 cases were in the training or validation part"):
        evaluate(run, part="external", dataset_name="phantom", dataset_dir=None)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"part": "tets"}, r"unknown part 'tets'.*did you mean 'test'"),
        ({"local_cases": 3}, "local_cases is 3 for part 'test'"),
        ({"part": "calibration"}, "local_cases is None for part 'calibration'"),
        ({"part": "out_of_fold"}, "is no fold set; make one with: monai-tumor train BUNDLE --folds 5"),
        ({"threshold": 2}, "threshold is 2"),
        ({"smallest_area": 3}, "smallest_area is 3"),
    ],
)
def test_wrong_settings_are_named(run: Path, settings: dict[str, Any], told: str) -> None:
    with pytest.raises(WrongCallError, match=told):
        evaluate(run, **settings)


def test_more_local_cases_than_there_are(run: Path, clinic: dict[str, str]) -> None:
    with pytest.raises(WrongDataError, match=r"20 local cases were asked for; data set 'folder' has 14 labelled cases"):
        evaluate(run, part="calibration", local_cases=20, **clinic)


def test_other_settings_begin_anew_and_never_mix(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(patch, "write_case", 2)
        evaluate(run)
    assert evaluate(run, **{"prepare#rows": 96})["folder"].name == "002-test"


def test_an_operating_point_of_other_settings_is_refused(run: Path) -> None:
    evaluate(run, part="validation", **{"prepare#rows": 96})
    with pytest.raises(WrongDataError, match="was chosen with another prepare, network_def or precision"):
        evaluate(run, threshold="auto")


def test_an_evaluation_killed_before_its_report_goes_on_even_when_sealed(
    run: Path, clinic: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(
            "monai_tumor.reporting.write.build_report", lambda content: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        evaluate(run, part="external", **clinic)
    made = stop_after(monkeypatch, "write_case", 1000)
    metrics = evaluate(run, part="external", **clinic)
    assert made == [] and (metrics["folder"] / "report.html").is_file()


def test_a_copy_of_the_pictures_is_no_new_test_set(run: Path, clinic: dict[str, str], tmp_path: Path) -> None:
    evaluate(run, part="external", **clinic)
    copy = shutil.copytree(clinic["dataset_dir"], tmp_path / "copy")
    for path in copy.rglob("*.png"):
        if "mask" not in path.name:
            picture = np.array(Image.open(path))
            picture[0, 0] ^= 1
            Image.fromarray(picture).save(path)
    with pytest.raises(WrongCallError, match="was tested on 14 pictures"):
        evaluate(run, part="external", threshold=0.4, dataset_name="folder", dataset_dir=str(copy))


def test_nothing_is_calibrated_on_the_test_part_of_the_run(run: Path) -> None:
    with pytest.raises(WrongDataError, match="were in the training, validation or test part of this run"):
        evaluate(run, part="calibration", local_cases=20, dataset_name="phantom", dataset_dir=None)


def test_the_validation_part_is_that_of_the_run(run: Path, tmp_path: Path) -> None:
    split = read_split(run / "split.json")
    swap = {"test": "validation", "validation": "test"}
    entries = {name: replace(entry, part=swap.get(entry.part, entry.part)) for name, entry in split.cases.items()}
    write_split(tmp_path / "swapped.json", replace(split, cases=entries))
    with pytest.raises(WrongCallError, match="split_file is not the split of"):
        evaluate(run, part="validation", split_file=str(tmp_path / "swapped.json"))


def test_an_empty_folder_that_a_kill_left_is_used_and_a_full_one_refused(run: Path, clinic: dict[str, str]) -> None:
    metrics = evaluate(run, part="external", **clinic)
    name = metrics["folder"].name
    shutil.rmtree(run / "evaluation")
    (run / "evaluation" / name).mkdir(parents=True)
    assert evaluate(run, part="external", **clinic)["folder"].name == name
    (run / "evaluation" / name / "evaluation.json").unlink()
    with pytest.raises(WrongCallError, match="is at work in another process, or damaged"):
        evaluate(run, part="external", threshold=0.3, **clinic)


@pytest.mark.parametrize(
    "settings", [{"tta": 5}, {"seed": -1}, {"seed": 1.5}, {"smallest_area": "abc"}, {"threshold": None}]
)
def test_settings_of_another_kind_are_named(run: Path, settings: dict[str, Any]) -> None:
    with pytest.raises((WrongCallError, WrongDataError), match=next(iter(settings))):
        evaluate(run, **settings)


def test_calibration_without_a_lesion_is_an_error(run: Path, tmp_path: Path) -> None:
    for number in range(6):
        picture = np.random.default_rng(number).integers(0, 255, (60, 80), dtype=np.uint8)
        write_picture(tmp_path / "free" / f"n{number}.png", picture)
        write_mask(tmp_path / "free" / f"n{number}_mask.png", np.zeros((60, 80), bool))
    with pytest.raises(WrongDataError, match="none of 4 cases has a lesion"):
        evaluate(run, part="calibration", local_cases=4, dataset_name="folder", dataset_dir=str(tmp_path / "free"))
