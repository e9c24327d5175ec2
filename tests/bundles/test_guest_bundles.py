"""What a bundle of a plug-in may bring along: recipes, and ids that belong to one machine."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monai_tumor import registry
from monai_tumor.bundles.find import bundle_folder, recipe_file, recipe_folder, recipes
from monai_tumor.bundles.running import ConfigurationWriter, local_settings


@pytest.fixture
def guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, dict[str, str]], Path]]:
    """Install a bundle as a package on the path: ``guest(name, {file: text})`` returns its folder."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv(registry.LIMIT_VARIABLE, "fake-one,fake-two")

    def install(name: str, files: dict[str, str]) -> Path:
        folder, metadata = site / f"fake_{name}" / "bundle", site / f"fake_{name}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fake-{name}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[monai_tumor.bundles]\n{name} = fake_{name}.bundle\n")
        for file, text in {"__init__.py": "", "train.json": "{}", **files}.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text)
        (folder.parent / "__init__.py").write_text(files.get("package", ""))
        registry._guests.cache_clear()
        importlib.invalidate_caches()
        return folder

    yield install
    registry._guests.cache_clear()


def test_a_bundle_of_a_plug_in_brings_its_recipes(guest):
    folder = guest("one", {"recipes/quick.json": '{"epochs": 1}'})
    assert {"quick", "fast"} <= set(recipes())
    assert recipe_file("quick") == folder / "recipes" / "quick.json"


def test_a_recipe_of_ours_cannot_be_replaced(guest):
    guest("one", {"recipes/fast.json": "{}"})
    assert recipe_file("fast") == recipe_folder() / "fast.json"
    assert recipes().count("fast") == 1


def test_a_broken_plug_in_brings_no_recipes_and_stops_nothing(guest):
    guest("one", {"package": "raise ImportError('no sonar')", "recipes/lost.json": "{}"})
    guest("two", {"recipes/quick.json": "{}"})
    assert "lost" not in recipes() and {"quick", "fast"} <= set(recipes())


def test_a_bundle_names_further_ids_that_belong_to_one_machine(guest):
    folder = guest("one", {"train.json": json.dumps({"local_ids": ["masks"], "masks": None})})
    assert "masks" in local_settings(folder) and "dataset_dir" in local_settings(folder)
    assert "masks" not in local_settings(bundle_folder("breast"))


def test_the_metadata_of_a_run_say_what_its_own_settings_decided():
    """Such as classes that are a setting; the rest stays as the bundle says it."""
    writer = ConfigurationWriter("phantom", metadata={"pred_classes": "0 a", "outputs#pred#num_channels": 2})
    bundle = {"name": "Two classes", "pred_classes": "0 b", "outputs": {"pred": {"type": "image", "num_channels": 3}}}
    assert writer._described(bundle) == {
        "name": "Two classes",
        "pred_classes": "0 a",
        "outputs": {"pred": {"type": "image", "num_channels": 2}},
    }
