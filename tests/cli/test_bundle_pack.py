"""``bundle pack`` and ``bundle install`` as others call them."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Program = Callable[..., Result]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def packed(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from monai_tumor.bundles.pack import pack_bundle

    return pack_bundle(trained.run, tmp_path_factory.mktemp("packed") / "tumour.zip").path


def test_packing_prints_the_digest_and_the_users_own_words(program: Program, trained: Any, tmp_path: Path) -> None:
    result = program("bundle", "pack", trained.run, "-o", tmp_path / "tumour.zip")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.endswith(f"sha256 {digest(tmp_path / 'tumour.zip')}\n")
    assert "texts of your own that go along" in result.stderr
    assert 'train.json: network_def#name = "monai_unet"' in result.stderr


def test_json_says_the_same(program: Program, trained: Any, tmp_path: Path) -> None:
    told = json.loads(program("bundle", "pack", trained.run, "-o", tmp_path / "tumour.zip", "--json").stdout)
    assert told["sha256"] == digest(tmp_path / "tumour.zip")
    assert told["bytes"] == (tmp_path / "tumour.zip").stat().st_size


def test_a_bundle_is_installed_where_runs_lie_and_used_like_one(
    program: Program, packed: Path, trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert program("bundle", "install", packed, "--sha256", digest(packed)).stdout == "runs/installed/tumour\n"
    images = trained.images / "images"
    result = program("predict", images, "--bundle", "runs/installed/tumour", "--output", "masks")
    assert result.exit_code == 0, result.stderr


def test_the_folder_may_be_another_one(program: Program, packed: Path, tmp_path: Path) -> None:
    result = program("bundle", "install", packed, "--sha256", digest(packed), "--to", tmp_path / "models", "--json")
    assert json.loads(result.stdout) == {"folder": str(tmp_path / "models" / "tumour")}


def test_no_digest_and_another_digest_are_refused(program: Program, packed: Path, tmp_path: Path) -> None:
    missing = program("bundle", "install", packed, "--to", tmp_path)
    assert missing.exit_code == 2 and "--sha256" in missing.stderr
    wrong = program("bundle", "install", packed, "--sha256", "0" * 64, "--to", tmp_path)
    assert wrong.exit_code != 0 and not list(tmp_path.iterdir())


def test_cases_that_the_run_has_learnt_from_are_refused_after_installing_too(
    program: Program, packed: Path, trained: Any, tmp_path: Path
) -> None:
    program("bundle", "install", packed, "--sha256", digest(packed), "--to", tmp_path)
    result = program("evaluate", tmp_path / "tumour", "--external", trained.images)
    assert result.exit_code != 0
    assert "the same pixels" in result.stderr
