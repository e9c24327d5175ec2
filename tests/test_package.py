"""What users install: a wheel that works outside the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy, so that nothing is left behind in the checkout and nothing of an earlier build gets in."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("monai_tumor", "bundles"):
        shutil.copytree(ROOT / name, folder / "source" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "source" / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*command, str(folder / "source")], check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Run a command with the wheel unpacked somewhere, in an empty folder, without this checkout on the path."""
    site, work = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("work")
    zipfile.ZipFile(wheel).extractall(site)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(site), "MONAI_TUMOR_PLUGINS": ""}
        return subprocess.run(
            [sys.executable, *words], capture_output=True, text=True, cwd=work, env=environment, check=False
        )

    run.site, run.work = site, work
    return run


def test_the_wheel_holds_every_package_and_the_bundles(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    packages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "monai_tumor").rglob("*.py")}
    assert packages <= names
    files = [path for path in (ROOT / "bundles").glob("*/*") if path.suffix != ".pyc"]
    assert len(files) > 20 and {f"monai_tumor/bundled/{path.parent.name}/{path.name}" for path in files} <= names
    assert {"monai_tumor/py.typed", "monai_tumor/entry_points.ini"} <= names
    assert not any(name.startswith(("tests", "plugins", "benchmarks", "bundles")) for name in names)


def test_the_installed_bundle_is_found_and_trains_by_both_commands(installed):
    path = Path(installed("-m", "monai_tumor", "bundle", "path", "brain").stdout.strip())
    assert path == installed.site / "monai_tumor" / "bundled" / "brain"
    small = {"network_def#name": "monai_unet", "prepare#rows": 64, "prepare#columns": 64}
    ours = [word for key, value in small.items() for word in ("--set", f"{key}={value}")]
    result = installed("-m", "monai_tumor", "train", "brain", "--epochs", "1", "--json", *ours)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["status"] == "finished"
    plain = [word for key, value in small.items() for word in (f"--{key}", str(value))]
    config = ["--config_file", str(path / "train.json"), "--epochs", "1"]
    result = installed("-m", "monai.bundle", "run", "training", *config, *plain)
    assert result.returncode == 0, result.stderr
    assert sorted(run.name for run in (installed.work / "runs" / "brain").iterdir()) == ["001", "002"]


def test_a_plug_in_that_is_left_out_is_named(installed):
    result = installed("-m", "monai_tumor", "train", "brain", "--dataset-dir", str(installed.work))
    assert result.returncode == 2
    assert "add monai-tumor-brain-mri there" in result.stderr.strip().splitlines()[-1]
