"""The program in this process, and one small trained run for all tests of the commands that need one."""

import importlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monai_tumor import registry
from monai_tumor.cli.main import PROGRAM, main

Program = Callable[..., Result]
SMALL = ("--network", "monai_unet", "--epochs", "1", "--set", "prepare#rows=64", "--set", "prepare#columns=96")


def call(*words: object) -> Result:
    """Run the program in this process on the words of a command line."""
    return CliRunner().invoke(main, [str(word) for word in words], prog_name=PROGRAM)


@pytest.fixture
def program() -> Program:
    return call


@dataclass(frozen=True)
class Trained:
    """A run of one epoch, its images, and what the program said."""

    run: Path
    images: Path
    result: Result


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    """Train on twelve phantoms that lie in a folder, in a folder of its own."""
    home, before = tmp_path_factory.mktemp("cli"), Path.cwd()
    patch = pytest.MonkeyPatch()
    patch.setenv("MONAI_TUMOR_CACHE", str(home / "cache"))
    os.chdir(home)
    call("data", "phantom", "scans", "--count", 12)
    result = call("train", "brain", "--dataset", "folder", "--dataset-dir", "scans", *SMALL, "--json")
    os.chdir(before)
    yield Trained(home / "runs" / "brain" / "001", home / "scans", result)
    patch.undo()


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Install fake plug-ins as metadata folders on the path: distribution, kind, name, text of their module."""
    folder = tmp_path / "site"
    folder.mkdir()
    before = set(sys.modules)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(Path(registry.__file__).parents[1])]))

    def install(distribution: str, kind: str, name: str, text: str) -> None:
        module = f"fake_{distribution.replace('-', '_')}"
        metadata = folder / f"{module}-1.2.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        (metadata / "entry_points.txt").write_text(f"[monai_tumor.{kind}]\n{name} = {module}:thing\n")
        (folder / f"{module}.py").write_text(text)
        monkeypatch.setenv(registry.LIMIT_VARIABLE, distribution)
        registry._guests.cache_clear()
        importlib.invalidate_caches()

    yield install
    registry._guests.cache_clear()
    for name in set(sys.modules) - before:
        if name.startswith("fake_"):
            del sys.modules[name]


@pytest.fixture
def own_run(trained: Trained, tmp_path: Path) -> Path:
    """A copy of the run as its training has left it."""
    forget = shutil.ignore_patterns("evaluation", "operating_point*.json")
    return Path(shutil.copytree(trained.run, tmp_path / "run", ignore=forget))
