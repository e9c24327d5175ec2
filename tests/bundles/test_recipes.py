"""A recipe is the method that its page describes, on every organ, from both commands."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from monai.bundle import ConfigParser
from PIL import Image
from torch.nn.functional import binary_cross_entropy

from monai_tumor.bundles.check import check_bundle
from monai_tumor.bundles.find import bundle_folder, config_file, recipe_file, recipes
from monai_tumor.bundles.launch import run_bundle
from monai_tumor.cli.main import main
from monai_tumor.networks.normalisation import normalisation_of

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file")

# Each recipe is tried on one organ at least; which one makes no difference to it.
ORGANS = {
    "rgb-512": "thyroid",
    "two-stage-unet": "breast",
    "unet-128": "brain",
    "unet-224": "brain",
    "unet-256": "thyroid",
}
NAMED = tuple(ORGANS)
# Pixels a side, channels, values, cases in a batch, epochs, rate, seed, shares of the parts, patience, trainable parameters.
METHOD = {
    "rgb-512": (512, 3, (-1, 1), 8, 25, 1e-4, 42, (0.7, 0.2, 0.1), None, None),
    "two-stage-unet": (256, 1, (0, 1), 8, 60, 1e-4, 42, (0.6, 0.2, 0.2), 10, 31_030_593),
    "unet-128": (128, 1, (0, 1), 16, 200, 5e-5, 1, (0.7, 0.15, 0.15), None, 31_030_593),
    "unet-224": (224, 1, (-1, 1), 2, 40, 1e-3, 0, (0.8, 0.1, 0.1), None, 31_030_593),
    "unet-256": (256, 3, (0, 1), 32, 75, 1e-3, 0, (0.6, 0.2, 0.2), 15, 2_161_649),
}
SMALL = {"epochs": 1, "prepare#rows": 32, "prepare#columns": 32, "batch_size": 16, "precision": "fp32"}


def small(name: str) -> dict[str, Any]:
    """Settings that keep a training short."""
    network = {"encoder_name": "resnet18"} if name == "rgb-512" else {"channels": [4, 8]}
    return SMALL | {f"network_def#{option}": value for option, value in network.items()}


def merged(name: str, bundle: str = "breast") -> ConfigParser:
    parser = ConfigParser()
    parser.read_config([config_file(bundle_folder(bundle), "train"), recipe_file(name)])
    return parser


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def train(name: str, bundle: str, *words: object) -> Result:
    settings = [word for key, value in small(name).items() for word in ("--set", f"{key}={json.dumps(value)}")]
    return call("train", bundle, "--recipe", name, *settings, *words)


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Path]:
    """One short training of each recipe, on the phantoms of an organ."""
    home = tmp_path_factory.mktemp("recipes")
    for name, bundle in ORGANS.items():
        result = train(name, bundle, "--run-dir", home / name)
        assert result.exit_code == 0, result.stderr
    return {name: home / name for name in NAMED}


def test_all_recipes_of_earlier_projects_are_tested_here():
    assert set(NAMED) <= set(recipes())


def findings(name: str, bundle: str, folder: Path) -> list[str]:
    copy = shutil.copytree(bundle_folder(bundle), folder / bundle)
    parser = merged(name, bundle)
    parser.update(small(name))
    (copy / "train.json").write_text(json.dumps(parser.get()))
    return [str(finding) for finding in check_bundle(copy)]


@pytest.mark.parametrize("name", NAMED)
def test_the_merged_configuration_is_a_bundle_without_findings(name, tmp_path):
    assert findings(name, ORGANS[name], tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
def test_so_it_is_on_every_organ(name, bundle, tmp_path):
    assert findings(name, bundle.name, tmp_path) == []


@pytest.mark.parametrize("name", NAMED)
def test_what_defines_the_method(name, bundle):
    parser = merged(name, bundle.name)
    size, channels, values, batch, epochs, rate, seed, shares, patience, parameters = METHOD[name]
    prepare, network = parser.get_parsed_content("prepare"), parser.get_parsed_content("network_def")
    optimiser = parser.get_parsed_content("optimizer")
    assert (prepare.rows, prepare.columns, prepare.channels, prepare.fit) == (size, size, channels, "stretch")
    assert normalisation_of(network).value_range() == values
    assert (parser["batch_size"], parser["epochs"], parser["seed"], parser["patience"]) == (
        batch,
        epochs,
        seed,
        patience,
    )
    assert tuple(parser["source"]["fractions"].values()) == shares
    assert type(optimiser) is torch.optim.Adam
    assert (optimiser.defaults["lr"], optimiser.defaults["weight_decay"]) == (rate, 0)
    if parameters is not None:
        assert sum(value.numel() for value in network.parameters()) == parameters
    assert parser["recipe"] == name


def test_rgb_512_takes_the_other_network_of_that_project():
    parser = merged("rgb-512")
    parser.update({"network_def#name": "deeplabv3"})
    assert normalisation_of(parser.get_parsed_content("network_def")).value_range() == (-1, 1)


@pytest.mark.parametrize("name", NAMED)
def test_nothing_of_today_is_added(name):
    """The bundle's own defaults may change; what a recipe is may not."""
    parser = merged(name)
    assert parser["average_decay"] is parser["max_gradient_norm"] is parser["network_def"]["encoder_weights"] is None
    if name != "two-stage-unet":
        schedule = parser.get_parsed_content("lr_scheduler")
        assert [schedule.share(progress) for progress in (0, 0.01, 0.5, 1)] == [1, 1, 1, 1]


def test_the_learning_rate_of_two_stage_unet_halves_after_five_epochs_without_a_better_dice():
    parser = merged("two-stage-unet")
    schedule, optimiser = parser.get_parsed_content("lr_scheduler"), parser.get_parsed_content("optimizer")
    rates = []
    for dice in [0.5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4]:
        schedule.step(dice)
        rates.append(optimiser.param_groups[0]["lr"])
    assert rates == [1e-4] * 5 + [5e-5] * 2


def test_two_stage_unet_replaces_the_schedule_and_no_other_handler(bundle):
    own = ConfigParser(json.loads(config_file(bundle, "train").read_text()))["train"]["handlers"]
    theirs = merged("two-stage-unet", bundle.name)["train"]["handlers"]
    assert [place for place, pair in enumerate(zip(own, theirs, strict=True)) if pair[0] != pair[1]] == [7]
    assert "@lr_scheduler" in json.dumps(own[7])


@pytest.fixture
def logits() -> torch.Tensor:
    """Three small images that are not square, (3, 1, 4, 6)."""
    return torch.randn(3, 1, 4, 6, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def reference() -> torch.Tensor:
    """Lesions of 3 and 8 pixels, and none."""
    label = torch.zeros(3, 1, 4, 6)
    label[0, 0, 1, 2:5], label[1, 0, 2:, :4] = 1, 1
    return label


@pytest.mark.parametrize(("name", "half", "smooth"), [("unet-224", 0.5, 1e-5), ("two-stage-unet", 1.0, 1e-6)])
def test_dice_of_each_image_and_cross_entropy(name, half, smooth, logits, reference):
    p = logits.sigmoid()
    overlap, total = (p * reference).sum((1, 2, 3)), (p + reference).sum((1, 2, 3))
    dice = ((2 * overlap + smooth) / (total + smooth)).mean()
    expected = half * binary_cross_entropy(p, reference) + half * (1 - dice)
    assert merged(name).get_parsed_content("loss")(logits, reference) == pytest.approx(expected.item(), rel=1e-5)


def test_dice_of_the_batch_from_logits_and_cross_entropy(logits, reference):
    from segmentation_models_pytorch.losses import DiceLoss

    expected = DiceLoss("binary")(logits, reference) + binary_cross_entropy(logits.sigmoid(), reference)
    loss = merged("rgb-512").get_parsed_content("loss")
    assert loss(logits, reference).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("name", ["unet-128", "unet-256"])
def test_cross_entropy_alone(name, logits, reference):
    loss = merged(name).get_parsed_content("loss")(logits, reference)
    assert loss.item() == pytest.approx(binary_cross_entropy(logits.sigmoid(), reference).item(), rel=1e-5)


def augmented(name: str, image: np.ndarray, times: int) -> list[dict[str, Any]]:
    parser = merged(name)
    parser["train"]["preprocessing"]["transforms"].pop(0)
    chain = parser.get_parsed_content("train#preprocessing")
    chain.set_random_state(seed=0)
    return [chain({"image": image.copy(), "label": image.copy()}) for _ in range(times)]


def test_unet_128_draws_the_image_and_its_four_turns_equally_often():
    square = np.arange(4, dtype=np.uint8).reshape(1, 2, 2)
    turns = [square, square[:, :, ::-1], *(np.rot90(square, k, (1, 2)) for k in (1, 2, 3))]
    items = augmented("unet-128", square, 500)
    drawn = [[np.asarray(item[key]).tolist() for key in ("image", "label")] for item in items]
    counts = [drawn.count([turn.tolist()] * 2) for turn in turns]
    assert sum(counts) == 500
    assert min(counts) > 70


@pytest.mark.parametrize("name", ["two-stage-unet", "unet-224", "unet-256"])
def test_recipes_without_augmentation_show_the_image_itself(name):
    image = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    assert all((np.asarray(item["image"]) == image).all() for item in augmented(name, image, 5))


@pytest.mark.parametrize("name", NAMED)
def test_validation_is_never_augmented(name):
    assert [step["_target_"] for step in merged(name)["validate"]["preprocessing"]["transforms"]] == [
        "monai_tumor.pipeline.PrepareCase"
    ]


@pytest.mark.parametrize("name", NAMED)
def test_a_run_says_which_recipe_it_followed(runs, name):
    record = json.loads((runs[name] / "run.json").read_text())
    assert (record["status"], record["settings"]["recipe"], record["seed"]) == ("finished", name, METHOD[name][6])
    assert json.loads(config_file(runs[name], "train").read_text())["recipe"] == name


@pytest.mark.parametrize("name", NAMED)
def test_a_run_is_evaluated_and_predicts(runs, name, tmp_path):
    run = runs[name]
    assert call("evaluate", run).exit_code == 0
    assert json.loads((run / "evaluation" / "001-test" / "metrics.json").read_text())["threshold"] == 0.5
    (tmp_path / "images").mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (50, 70), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "images" / "a.png")
    assert call("predict", tmp_path / "images", "--bundle", run, "--output", tmp_path / "masks").exit_code == 0
    assert Image.open(tmp_path / "masks" / "a_mask.png").size == (70, 50)


def test_half_a_training_and_the_other_half_equal_a_whole_one(tmp_path):
    """With the schedule that has a state."""
    settings = {**small("two-stage-unet"), "epochs": 4, "lr_scheduler#patience": 0}
    files = [config_file(bundle_folder("breast"), "train"), recipe_file("two-stage-unet")]
    run_bundle("training", files, {**settings, "run_dir": str(tmp_path / "whole")})
    half = tmp_path / "half"
    run_bundle("training", files, {**settings, "run_dir": str(half), "train#trainer#max_epochs": 2})
    run_bundle("training", [config_file(half, "train")], {"resume": str(half), "train#trainer#max_epochs": 4})
    states = [torch.load(run / "models/checkpoint.pt", weights_only=True) for run in (tmp_path / "whole", half)]
    assert all(torch.equal(value, states[1]["network"][key]) for key, value in states[0]["network"].items())
    assert states[0]["lr_scheduler"] == states[1]["lr_scheduler"]


def test_the_shown_command_makes_the_same_run(runs, tmp_path):
    shown = train("unet-256", ORGANS["unet-256"], "--run-dir", "run", "--show-command").stdout
    words = shlex.split(shown)
    assert words[5:6] == ["--config_file"] and words[6].count(".json") == 2
    done = subprocess.run([sys.executable, *words[1:]], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ours, theirs = (json.loads(config_file(run, "train").read_text()) for run in (runs["unet-256"], tmp_path / "run"))
    assert ours == theirs
    assert json.loads((tmp_path / "run" / "run.json").read_text())["settings"]["recipe"] == "unet-256"
    weights = [torch.load(run / "models/model.pt", weights_only=True) for run in (runs["unet-256"], tmp_path / "run")]
    assert all(torch.equal(value, weights[1][key]) for key, value in weights[0].items())


def test_an_unknown_recipe_is_one_line_with_the_nearest_name():
    result = call("train", "breast", "--recipe", "unet-12")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert result.stderr.startswith("error: unknown recipe 'unet-12'; did you mean 'unet-128'?")


@pytest.mark.parametrize(
    ("overlay", "told"),
    [
        ({"epohcs": 3}, "error: {file}: unknown setting 'epohcs'; did you mean 'epochs'?"),
        ({"validate#treshold": 0.4}, "error: {file}: unknown setting 'validate#treshold'"),
        ({"network_def#name": "unett"}, "error: unknown network 'unett'; did you mean 'unet'?"),
    ],
)
def test_a_mistake_in_a_recipe_of_one_s_own_is_refused(overlay, told, tmp_path):
    (tmp_path / "mine.json").write_text(json.dumps(overlay))
    result = call("train", "breast", "--recipe", tmp_path / "mine.json", "--run-dir", tmp_path / "run")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith(told.replace("{file}", str(tmp_path / "mine.json")))
    assert not (tmp_path / "run").exists()
