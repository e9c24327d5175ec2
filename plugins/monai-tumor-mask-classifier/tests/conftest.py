"""What the tests share: a cache of their own, and one small trained run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SMALL = {
    "backbone": "two_stage_cnn",
    "prepare#rows": 64,
    "prepare#columns": 64,
    "precision": "fp32",
    "epochs": 1,
}


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Keep the tests away from the user's cache."""
    os.environ["MONAI_TUMOR_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The folder of the bundle."""
    from monai_tumor.bundles.find import bundle_folder

    return bundle_folder("breast_diagnosis")


@pytest.fixture(scope="session")
def small() -> dict[str, Any]:
    """Settings that keep a training short."""
    return dict(SMALL)


@pytest.fixture(scope="session")
def train(bundle) -> Callable[..., Path]:
    """Train in this process: ``train(run_dir, overlay=None, **settings)`` returns the run folder."""

    def run(run_dir: Path, overlay: Path | None = None, **settings: Any) -> Path:
        from monai_tumor.bundles.launch import run_bundle

        files = [bundle / "train.json", *([] if overlay is None else [overlay])]
        run_bundle("training", files, {**SMALL, "run_dir": str(run_dir), **settings})
        return run_dir

    return run


@pytest.fixture(scope="session")
def trained(train, tmp_path_factory) -> Path:
    """A run of one epoch on phantoms; look, do not write."""
    return train(tmp_path_factory.mktemp("runs") / "001")
