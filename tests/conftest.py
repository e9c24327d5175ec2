"""What tests share: a cache of their own, real data where there is some, and one small trained run."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

import pytest

from monai_tumor.bundles.find import bundle_folder, config_file

SMALL = {
    "network_def#name": "monai_unet",
    "network_def#channels": [8, 16, 32],
    "prepare#rows": 64,
    "prepare#columns": 96,
    "lr": 0.01,
    "precision": "fp32",
}


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Keep the tests away from the user's cache."""
    os.environ["MONAI_TUMOR_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images; tests that need it are skipped where it is absent."""
    given = os.environ.get("MONAI_TUMOR_DATA")
    folder = Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real data: set MONAI_TUMOR_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def brain() -> Path:
    """The folder of the brain bundle."""
    return bundle_folder("brain")


@pytest.fixture(scope="session", params=["brain", "breast", "thyroid"])
def bundle(request) -> Path:
    """The folder of each bundle of ours in turn."""
    return bundle_folder(request.param)


@pytest.fixture(scope="session")
def train_bundle():
    """Train in this process: ``train_bundle(bundle, run_dir, epochs, **settings)`` returns the run folder."""

    def train(bundle: Path, run_dir: Path, epochs: int = 1, **settings) -> Path:
        from monai_tumor.bundles.launch import run_bundle

        run_bundle(
            "training", [config_file(bundle, "train")], {**SMALL, "run_dir": str(run_dir), "epochs": epochs, **settings}
        )
        return run_dir

    return train


@pytest.fixture(scope="session")
def train_brain(train_bundle, brain):
    """Train the brain bundle in this process: ``train_brain(run_dir, epochs, **settings)`` returns the run folder."""
    return partial(train_bundle, brain)


@pytest.fixture(scope="session")
def trained_run(train_brain, tmp_path_factory) -> Path:
    """A run of three epochs on phantoms; look, do not write."""
    return train_brain(tmp_path_factory.mktemp("runs") / "001", epochs=3)


@pytest.fixture(scope="session")
def made_evaluation():
    """Write a finished evaluation: ``made_evaluation(folder, {id: (group, prediction, reference)}, **metrics)``."""
    import numpy as np

    from monai_tumor.evaluation.evaluated_case import EvaluatedCase, write_case
    from monai_tumor.imaging.write import write_mask, write_text
    from monai_tumor.metrics.levels import case_levels
    from monai_tumor.metrics.logits import no_pixels
    from monai_tumor.metrics.measures import score_case

    def write(folder: Path, cases, **metrics) -> Path:
        for name, (group, prediction, reference) in cases.items():
            scored = score_case(name, group, prediction, reference)
            levels = case_levels(prediction.astype(np.float32), reference, group)
            write_case(folder / "cases" / f"{name}.npz", EvaluatedCase(scored, levels, no_pixels(), None))
            write_mask(folder / "predictions" / f"{name}.png", prediction)
        content = {"dataset": "phantom", "split": "ab" * 32, "part": "test", "threshold": 0.5, **metrics}
        write_text(folder / "metrics.json", json.dumps(content))
        return folder

    return write
