"""A run that began with pretrained weights needs neither them nor their settings any more."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser

from monai_tumor.bundles.find import config_file
from monai_tumor.networks import build
from monai_tumor.networks.normalisation import IMAGENET_COLOURS, normalisation_of


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """A file of weights, as a user would give one."""
    path = tmp_path_factory.mktemp("weights") / "resnet18.pt"
    torch.save(build("unet", 3, 1, encoder_name="resnet18").get_submodule("network.encoder").state_dict(), path)
    return path


@pytest.fixture(scope="module")
def run(train_brain, weights, tmp_path_factory) -> Path:
    """One epoch of U-Net++ at a size that is no multiple of 32."""
    return train_brain(
        tmp_path_factory.mktemp("pretrained") / "run",
        **{
            "network_def#name": "unetplusplus",
            "network_def#channels": None,
            "network_def#encoder_name": "resnet18",
            "network_def#encoder_weights": str(weights),
            "prepare#rows": 30,
            "prepare#columns": 40,
        },
    )


def test_run_json_says_which_weights_without_their_folder(run, weights):
    settings = json.loads((run / "run.json").read_text())["settings"]
    assert settings["encoder_name"] == "resnet18"
    assert settings["encoder_weights"] == "resnet18.pt"
    assert settings["encoder_weights_sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()


@pytest.mark.parametrize("part", ["train", "inference"])
def test_the_network_of_the_run_is_normalised_as_in_training_and_loads_nothing(run, part):
    parser = ConfigParser(json.loads(config_file(run, part).read_text()))
    assert parser["network_def"]["encoder_weights"] is None
    network = parser.get_parsed_content("network_def")
    assert normalisation_of(network) == IMAGENET_COLOURS
    network.load_state_dict(torch.load(run / "models" / "model.pt", weights_only=True))


def test_the_metadata_states_the_range_of_values(run):
    metadata = json.loads((run / "configs" / "metadata.json").read_text())
    assert metadata["network_data_format"]["inputs"]["image"]["value_range"] == [-2.1179, 2.64]


@pytest.mark.slow
def test_monai_exports_what_cannot_be_scripted_by_tracing(run, tmp_path):
    """U-Net++ cannot be scripted; the traced network takes other sizes than the one it was traced with."""
    command = [
        sys.executable,
        "-m",
        "monai.bundle",
        "ckpt_export",
        "network_def",
        "--filepath",
        str(tmp_path / "model.ts"),
    ]
    files = {
        "ckpt_file": "models/model.pt",
        "meta_file": "configs/metadata.json",
        "config_file": "configs/inference.json",
    }
    words = [word for name, file in files.items() for word in (f"--{name}", str(run / file))]
    options = ["--use_trace", "True", "--input_shape", "[1,3,64,64]"]
    done = subprocess.run([*command, *words, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    network = ConfigParser(json.loads(config_file(run, "inference").read_text())).get_parsed_content("network_def")
    network.load_state_dict(torch.load(run / "models" / "model.pt", weights_only=True))
    exported = torch.jit.load(tmp_path / "model.ts")
    for size in ((64, 64), (65, 70)):
        image = torch.rand(1, 3, *size)
        with torch.inference_mode():
            torch.testing.assert_close(exported(image), network.eval()(image), atol=1e-5, rtol=1e-5)
