"""Where a bundle, a run, and a file of either lie. Standard library only."""

from __future__ import annotations

import contextlib
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

from monai_tumor import registry
from monai_tumor.bundles.running import running_root
from monai_tumor.errors import PluginError, WrongCallError, nearest, unknown_name

PARTS = ("train", "evaluate", "inference", "multi_gpu_train")
SPLIT = "split.json"


def find_root(name: str) -> str:
    """Return the folder of the bundle that a configuration belongs to; configurations call this as ``bundle_root``.

    A configuration cannot know its own path. Tried in turn: the workflow that is being run, the current folder when its
    metadata has that name, and the bundle ``name`` as registered.
    """
    running = running_root()
    if running is not None:
        return str(running)
    if bundle_name(Path.cwd()) == name:
        return str(Path.cwd())
    return str(bundle_folder(name))


def bundle_folder(name: str) -> Path:
    """Return the folder that holds the configuration files of a registered bundle.

    Raises:
        WrongCallError: Unknown name.
        PluginError: The distribution that registers it does not hold the files.
    """
    component = registry.find("bundles", name)
    package = Path(registry.__file__).parent
    short = component.target.rpartition(".")[2]
    if component.distribution == registry.CORE:  # bundles/ in a checkout, monai_tumor/bundled/ in a wheel
        choices = [package.parent / "bundles" / short, package / "bundled" / short]
    else:
        found = importlib.util.find_spec(component.target)
        choices = [Path(place) for place in (found.submodule_search_locations or [])] if found else []
    for folder in choices:
        if (folder / "train.json").is_file():
            return folder
    raise PluginError(f"bundle {name!r} of {component.distribution} has no train.json; install the distribution again")


def resolve(name_or_path: str) -> Path:
    """Return the root folder of a bundle name, a run, or a bundle folder.

    Raises:
        WrongCallError: It is none of these.
    """
    path = Path(name_or_path)
    if path.is_dir() and (configs_folder(path) / "train.json").is_file():
        return path
    if path.is_dir() and configs_folder(path).joinpath("inference.json").is_file():
        return path
    names = [component.name for component in registry.components("bundles")]
    if name_or_path.rpartition(":")[2] in names:
        return bundle_folder(name_or_path)
    if path.suffix == ".zip" and path.is_file():
        raise WrongCallError(f"{path} is a packed bundle; first: monai-tumor bundle install {path} --sha256 HEX")
    if path.exists():
        raise WrongCallError(f"{name_or_path} is neither a run nor a bundle: it has no configs/train.json")
    guess = nearest(name_or_path, names)
    hint = f"did you mean {guess!r}?" if guess else f"bundles: {', '.join(names)}; or give the folder of a run"
    raise WrongCallError(f"unknown bundle or run {name_or_path!r}; {hint}")


def configs_folder(root: Path) -> Path:
    """Return where the configuration files of a bundle lie: ``configs/`` of a packed one or a run, else the root."""
    return root / "configs" if (root / "configs").is_dir() else root


def config_file(root: Path, part: str) -> Path:
    """Return one configuration file of a bundle.

    Args:
        root: Folder of the bundle or run.
        part: One of ``PARTS``.

    Raises:
        WrongCallError: The bundle does not have it.
    """
    path = configs_folder(root) / f"{part}.json"
    if not path.is_file():
        raise WrongCallError(f"bundle {root} has no {part}.json, so this command cannot run it")
    return path


def recipe_folder() -> Path:
    """Return the folder of the recipes, ``NAME.json`` each: overlays that turn a bundle into a named method."""
    package = Path(registry.__file__).parent
    checkout = package.parent / "bundles" / "recipes"
    return checkout if checkout.is_dir() else package / "bundled" / "recipes"


def recipes() -> list[str]:
    """Return the names of the recipes, sorted: ours, and those in the folder ``recipes`` of a plug-in's bundle."""
    return sorted(_recipe_files())


def _recipe_files() -> dict[str, Path]:
    """Return name to overlay; a name of ours stays ours."""
    folders = [folder / "recipes" for folder in _guest_bundles()]
    return {path.stem: path for folder in [*folders, recipe_folder()] for path in folder.glob("*.json")}


def _guest_bundles() -> Iterator[Path]:
    """Yield the folders of bundles from plug-ins; one that is broken brings no recipes, and stops nothing."""
    for component in registry.components("bundles"):
        if component.distribution != registry.CORE:
            with contextlib.suppress(Exception):  # finding a package imports what it lies in, which may fail in any way
                yield bundle_folder(f"{component.distribution}:{component.name}")


def recipe_file(name_or_path: str) -> Path:
    """Return the overlay of a recipe, or the JSON file of a recipe of one's own.

    Raises:
        WrongCallError: It is neither, or the file holds no settings.
    """
    known = _recipe_files()
    if name_or_path in known:
        return known[name_or_path]
    path = Path(name_or_path)
    if name_or_path.endswith(".json") and path.is_dir():
        raise WrongCallError(f"recipe {path} is a folder, expected a JSON file of settings")
    if name_or_path.endswith(".json") and path.is_file():
        _check_overlay(path)
        return path
    raise unknown_name("recipe", name_or_path, known, "(or the path of a JSON file)")


def _check_overlay(path: Path) -> None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WrongCallError(f"recipe {path} cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise WrongCallError(f"recipe {path} holds a {type(content).__name__}, expected an object of settings")


def bundle_name(root: Path) -> str | None:
    """Return the name of the bundle in ``root`` as its metadata gives it, or None when there is no metadata."""
    try:
        metadata = json.loads((configs_folder(root) / "metadata.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    name = metadata.get("bundle") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else None


def has_weights(root: Path) -> bool:
    """Return whether a bundle or run has trained weights."""
    return (root / "models" / "model.pt").is_file()


def run_file(run: str | None, name: str, given: str | None = None) -> str | None:
    """Return ``given`` if there is one, else the file ``name`` of ``run`` if it exists, else None.

    The split of a packed bundle knows pictures again but names no case, so it divides nobody's data: None.
    """
    if given is not None or run is None:
        return given
    path = Path(run) / name
    return str(path) if path.is_file() and not (name == SPLIT and _names_nobody(path)) else None


def _names_nobody(split: Path) -> bool:
    with contextlib.suppress(
        OSError, ValueError, KeyError, TypeError, AttributeError
    ):  # who reads it says what is wrong
        cases = json.loads(split.read_text(encoding="utf-8"))["cases"]
        return not any(case["digest"] for case in cases.values())
    return False
