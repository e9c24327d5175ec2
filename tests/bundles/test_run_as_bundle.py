"""A finished run is a packed bundle for every tool of MONAI; the written masks are what the figures say."""

from __future__ import annotations

import csv
import json
import shutil
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from monai_tumor.bundles.check import check_bundle
from monai_tumor.bundles.find import config_file, resolve
from monai_tumor.bundles.launch import plain_command, run_bundle
from monai_tumor.datasets import open_dataset
from monai_tumor.errors import WrongCallError, user_error
from monai_tumor.pipeline import CaseSource
from monai_tumor.splits.split import write_split

warnings.filterwarnings("ignore", message="parsing config_file")


@pytest.fixture(scope="module")
def evaluated(trained_run, tmp_path_factory):
    run = shutil.copytree(trained_run, tmp_path_factory.mktemp("evaluated") / "run")
    run_bundle("evaluating", [config_file(run, "train"), config_file(run, "evaluate")], {})
    return run


def test_the_dice_equals_one_computed_from_the_written_masks(evaluated):
    """Independent of our metrics: masks by Pillow, references by the phantom, plain set arithmetic."""
    phantom = open_dataset("phantom")
    cases = {case.id: case for case in phantom.cases(None)}
    folder = evaluated / "evaluation" / "001-test"
    expected = []
    for row in csv.DictReader((folder / "cases.csv").open()):
        mask = np.array(Image.open(folder / "predictions" / f"{row['case']}.png")) > 0
        reference = phantom.load(cases[row["case"]])[1]
        assert mask.shape == reference.shape
        if reference.any():
            dice = 2 * len(set(np.flatnonzero(mask)) & set(np.flatnonzero(reference))) / (mask.sum() + reference.sum())
            assert float(row["dice"]) == pytest.approx(dice, abs=1e-6)
            expected.append(dice)
        else:
            assert row["dice"] == ""
    stated = json.loads((folder / "metrics.json").read_text())["lesion_cases"]
    assert stated["n"] == len(expected)
    assert stated["dice"]["mean"] == pytest.approx(np.mean(expected), abs=1e-6)


def test_the_distances_equal_monais_of_the_written_masks(evaluated):
    from monai.metrics import compute_hausdorff_distance

    phantom = open_dataset("phantom")
    cases = {case.id: case for case in phantom.cases(None)}
    folder = evaluated / "evaluation" / "001-test"
    for row in csv.DictReader((folder / "cases.csv").open()):
        mask = np.array(Image.open(folder / "predictions" / f"{row['case']}.png")) > 0
        reference = phantom.load(cases[row["case"]])[1]
        assert (row["hd95_px"] == row["assd_px"] == "") == (not (mask.any() and reference.any()))
        if row["hd95_px"]:
            pair = [torch.from_numpy(one)[None, None].float() for one in (mask, reference)]
            theirs = compute_hausdorff_distance(*pair, include_background=True, percentile=95).item()
            assert float(row["hd95_px"]) == pytest.approx(theirs, rel=1e-6)


def test_an_evaluation_scores_the_test_part_of_its_own_split(evaluated):
    split = json.loads((evaluated / "split.json").read_text())["cases"]
    rows = csv.DictReader((evaluated / "evaluation" / "001-test" / "cases.csv").open())
    assert {row["case"] for row in rows} == {name for name, entry in split.items() if entry["part"] == "test"}


def test_a_second_evaluation_gets_the_next_number(evaluated):
    run_bundle(
        "evaluating", [config_file(evaluated, "train"), config_file(evaluated, "evaluate")], {"part": "validation"}
    )
    assert sorted(path.name for path in (evaluated / "evaluation").iterdir()) == ["001-test", "002-validation"]


def test_prediction_writes_masks_of_the_size_of_the_image_and_names_what_failed(trained_run, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (65, 70), dtype=np.uint8)).save(images / "odd.png")
    Image.fromarray(np.zeros((1, 300, 3), dtype=np.uint8)).save(images / "flat.jpg")
    (images / "broken.png").write_bytes(b"not a picture")
    settings = {"dataset_dir": str(images), "output_dir": str(tmp_path / "out")}
    with pytest.raises(SystemExit, match="1"):
        run_bundle("predicting", [config_file(trained_run, "inference")], settings)
    results = {entry["image"]: entry for entry in json.loads((tmp_path / "out" / "predictions.json").read_text())}
    assert Image.open(tmp_path / "out" / "odd_mask.png").size == (70, 65)
    assert Image.open(tmp_path / "out" / "flat_overlay.png").size == (300, 1)
    assert "broken.png" in results["broken"]["error"]


def test_a_run_loads_with_monai_bundle_load(trained_run):
    from monai.bundle import load

    network = load("001", bundle_dir=str(trained_run.parent), source="github", workflow_type="train")
    weights = torch.load(trained_run / "models" / "model.pt", weights_only=True)
    assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())


def test_a_run_trains_and_evaluates_in_monai_algo(trained_run, tmp_path, monkeypatch):
    from monai.fl.client import MonaiAlgo
    from monai.fl.utils.exchange_object import ExchangeObject

    monkeypatch.chdir(tmp_path)
    copy = shutil.copytree(trained_run, tmp_path / "copy")
    algo = MonaiAlgo(bundle_root=str(copy), local_epochs=1)
    algo.initialize()
    start = {name: value.clone() for name, value in algo.trainer.network.state_dict().items()}
    algo.train(ExchangeObject(weights=start))
    assert algo.get_weights().weights.keys() == start.keys()
    algo.evaluate(ExchangeObject(weights=start))
    algo.finalize()
    assert (tmp_path / "runs" / "brain" / "001" / "models" / "model.pt").is_file()


@pytest.mark.parametrize(("part", "kind"), [("train", "train"), ("inference", "infer")])
def test_monais_own_property_check_is_empty(bundle, part, kind):
    from monai.bundle import create_workflow

    workflow = create_workflow(config_file=str(config_file(bundle, part)), workflow_type=kind)
    assert workflow.check_properties() == []


def test_a_bundle_has_no_findings(bundle):
    assert check_bundle(bundle) == []


def test_a_run_has_no_findings(trained_run):
    assert check_bundle(trained_run) == []


def test_a_run_on_files_is_checked_without_them(trained_run, tmp_path):
    run = shutil.copytree(trained_run, tmp_path / "run")
    settings = json.loads((run / "configs" / "train.json").read_text())
    (run / "configs" / "train.json").write_text(json.dumps({**settings, "dataset_name": "folder"}))
    assert check_bundle(run) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            '"_target_": "torch.optim.AdamW"|"_target_": "torch.optim.AdamV"',
            "train.json: optimizer: torch.optim.AdamV: ",
        ),
        ('"bundle": "brain",|"bundel": "brain",', "train.json: run_folder: monai_tumor.training.RunFolder: "),
        ('"minutes": "@minutes"|"minutes": "@minute"', "minute"),
        ("'brain_mri')|'brain_mri', 'fantom')", "train.json: source: monai_tumor.pipeline.CaseSource: unknown"),
        ('"num_workers": 0,|"num_workers": 0;', "train.json: is not JSON: "),
        ('"max_epochs": "@epochs",|', "train.json: train#trainer#max_epochs: is missing"),
    ],
)
def test_one_mistake_is_named_with_id_target_and_cause(brain, tmp_path, change, expected):
    copy = shutil.copytree(brain, tmp_path / "brain")
    old, new = change.split("|")
    text = (copy / "train.json").read_text()
    assert old in text
    (copy / "train.json").write_text(text.replace(old, new, 1))
    findings = [str(finding) for finding in check_bundle(copy) if finding.file == "train.json"]
    assert len(findings) == 1
    assert expected in findings[0]
    assert "\n" not in findings[0]


def test_an_untrained_bundle_cannot_be_evaluated(brain):
    with pytest.raises(Exception) as caught:
        run_bundle("evaluating", [config_file(brain, "train"), config_file(brain, "evaluate")], {})
    assert "has no trained weights" in str(user_error(caught.value))
    assert not (brain / "evaluation").exists()


def test_a_monai_transform_put_into_the_list_works(brain, tmp_path, train_brain, trained_run):
    copy = shutil.copytree(trained_run, tmp_path / "bundle")
    path = copy / "configs" / "train.json"
    settings = json.loads(path.read_text())
    settings["train"]["preprocessing"]["transforms"].insert(
        2, {"_target_": "RandGibbsNoised", "keys": "image", "prob": 0.5, "alpha": [0.2, 0.4]}
    )
    path.write_text(json.dumps(settings))
    run_bundle("training", [path], {"run_dir": str(tmp_path / "run"), "epochs": 1})
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "finished"


def test_an_unknown_bundle_suggests_the_nearest():
    with pytest.raises(WrongCallError, match="unknown bundle or run 'brian'; did you mean 'brain'"):
        resolve("brian")


def test_the_plain_command_quotes_what_a_shell_would_change(brain):
    line = plain_command(
        "training", [brain / "train.json"], {"network_def#name": "unet", "fold": None, "run_dir": "a b"}
    )
    assert line.endswith("'--network_def#name' unet --fold '$None' --run_dir 'a b'")


def test_a_test_on_what_the_run_has_seen_is_refused(trained_run, tmp_path):
    """Another split of the same data would put training cases into the test part."""
    run = shutil.copytree(trained_run, tmp_path / "run")
    source = CaseSource("phantom", seed=77)
    write_split(tmp_path / "other.json", source.split)
    with pytest.raises(Exception) as caught:
        files = [config_file(run, "train"), config_file(run, "evaluate")]
        run_bundle("evaluating", files, {"split_file": str(tmp_path / "other.json")})
    assert "were in the training or validation part of this run" in str(user_error(caught.value))
    assert not (run / "evaluation").exists()


def test_metrics_say_what_was_evaluated(evaluated):
    metrics = json.loads((evaluated / "evaluation" / "001-test" / "metrics.json").read_text())
    assert metrics["threshold"] == 0.5
    assert metrics["weights_sha256"] == json.loads((evaluated / "run.json").read_text())["weights_sha256"]
    assert "## Test part of phantom\n" in (evaluated / "docs" / "README.md").read_text()


def test_a_run_on_phantoms_given_a_folder_does_not_use_phantoms_silently(trained_run, tmp_path):
    with pytest.raises(Exception) as caught:
        files = [config_file(trained_run, "train"), config_file(trained_run, "evaluate")]
        run_bundle("evaluating", files, {"dataset_dir": str(tmp_path)})
    assert "data set 'phantom' is synthesised and reads no folder" in str(user_error(caught.value))


def test_predicting_nothing_is_an_error(trained_run, tmp_path):
    with pytest.raises(Exception) as caught:
        run_bundle("predicting", [config_file(trained_run, "inference")], {"output_dir": str(tmp_path / "out")})
    assert "prediction needs images" in str(user_error(caught.value))
