"""A packed classifier takes along what its answers rest on, and gives the same ones where it is installed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_tumor.bundles.find import config_file
from monai_tumor.bundles.install import install_bundle
from monai_tumor.bundles.launch import run_bundle
from monai_tumor.bundles.pack import pack_bundle
from monai_tumor.bundles.schema import SCHEMA

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file")


@pytest.fixture(scope="module")
def pair(trained, tmp_path_factory) -> tuple[Path, Path]:
    """A run with an operating point, and its packed and installed twin."""
    folder = tmp_path_factory.mktemp("packed")
    run = shutil.copytree(trained, folder / "run")
    run_bundle("evaluating", [config_file(run, "train"), config_file(run, "evaluate")], {"part": "validation"})
    packed = pack_bundle(run, folder / "diagnosis.zip")
    return run, install_bundle(packed.path, packed.sha256, folder / "installed")


def test_an_installed_classifier_answers_as_the_run_does(pair, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (50, 90), dtype=np.uint8)
    Image.fromarray(pixels).save(images / "wide.png")
    for root, output in zip(pair, ("run", "installed"), strict=True):
        settings = {"dataset_dir": str(images), "output_dir": str(tmp_path / output)}
        run_bundle("predicting", [config_file(root, "inference")], settings)
    (answer,) = json.loads((tmp_path / "installed" / "predictions.json").read_text())
    assert {"answer", "out_of_place"} <= answer.keys()  # from operating_point.json, and from features.npz
    for path in (tmp_path / "run").iterdir():
        assert path.read_bytes() == (tmp_path / "installed" / path.name).read_bytes()


def test_figures_and_operating_point_of_a_classifier_are_all_there(pair):
    run, installed = pair
    for name in ("operating_point.json", "evaluation/001-validation/metrics.json", "models/features.npz"):
        assert (run / name).read_bytes() == (installed / name).read_bytes()


def test_monais_own_checks_take_an_installed_classifier_offline(pair):
    from monai.bundle import create_workflow, load, verify_metadata, verify_net_in_out

    configs = pair[1] / "configs"
    verify_metadata(meta_file=str(configs / "metadata.json"), filepath=str(SCHEMA))
    files = {"meta_file": str(configs / "metadata.json"), "config_file": str(configs / "inference.json")}
    verify_net_in_out(net_id="network_def", **files, device="cpu", n=2, p=2, any=64)
    assert create_workflow(config_file=files["config_file"], workflow_type="infer").check_properties() == []
    assert load("diagnosis", bundle_dir=str(pair[1].parent), source="github", workflow_type="train") is not None
