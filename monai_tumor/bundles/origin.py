"""What a run's configuration has that the installed bundle of its name has not: the user's settings, or foreign code.

A configuration is a program: ``$`` expressions run, ``_target_`` names what is called, and ``@`` and ``%`` lead elsewhere.
Numbers and words are none. So a run is the bundle that is installed here, unchanged, when it differs in those only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai_tumor.bundles.content import merged_configuration
from monai_tumor.bundles.find import PARTS, bundle_folder, bundle_name, configs_folder, recipe_file, recipes
from monai_tumor.bundles.running import local_settings
from monai_tumor.errors import WrongDataError

_BUILD = "monai_tumor.networks.build"
_ENSEMBLE = ("network_def#_target_", f"{_BUILD}_ensemble")  # what a fold set makes of its bundle's network
_CODE = ("$", "@", "%")
_HARMLESS = "$None"  # what MONAI takes for a null on its command line
_NOBODYS = re.compile(r"\$None|[0-9a-f]{64}")
_FOLLOWS_TRAINING = "inference"
Leaf = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One value that the installed bundle has not.

    Attributes:
        file: Configuration file.
        id: Id in it.
        value: The value; None where it is missing.
        is_code: Whether it says what is run, not only with which numbers and words.
    """

    file: str
    id: str
    value: Any
    is_code: bool

    @property
    def is_own_text(self) -> bool:
        """Whether it is a text that somebody may have written: neither code nor a digest."""
        return isinstance(self.value, str) and not self.is_code and not _NOBODYS.fullmatch(self.value)

    def __str__(self) -> str:
        return f"{self.file}: {self.id} = {json.dumps(self.value, ensure_ascii=False)}"


def changes(root: Path) -> list[Change]:
    """Return in what a run differs from the installed bundle that it names.

    Args:
        root: Folder of the run.

    Raises:
        WrongDataError: A configuration file is missing or damaged, or the metadata name no bundle.
        WrongCallError: The bundle is not installed.
    """
    name = bundle_name(root)
    if name is None:
        raise WrongDataError(f'{root}/configs/metadata.json names no bundle; expected "bundle": NAME')
    ours, theirs = bundle_folder(name), configs_folder(root)
    train = _read(theirs / "train.json")
    found = [*_in_train(train, ours), *_in_metadata(theirs / "metadata.json", ours)]
    for part in PARTS[1:]:
        if (theirs / f"{part}.json").is_file():
            follows = dict(leaves(train)) if part == _FOLLOWS_TRAINING else {}
            found += _in_part(_read(theirs / f"{part}.json"), ours, part, follows)
    if _text(theirs / "logging.conf") != _text(ours / "logging.conf"):
        found.append(Change("logging.conf", "", None, True))
    return found


def leaves(value: Any, name: str = "") -> Iterator[Leaf]:
    """Yield id and value of everything in a configuration that has no parts, ``a#0#b`` style, references too."""
    if isinstance(value, dict | list) and value:
        for part, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, f"{name}#{part}".lstrip("#").replace("::", "#"))
    else:
        yield name, value.replace("::", "#") if isinstance(value, str) else value


def is_code(name: str, value: Any) -> bool:
    """Return whether a value says what is run: an expression, a reference, or a key that MONAI itself reads."""
    if any(part.startswith(("_", "+")) for part in name.split("#")):
        return True
    if not isinstance(value, str) or value == _HARMLESS:
        return False
    return value.lstrip().startswith(_CODE) or "/" in value or "\\" in value


def _in_train(train: dict[str, Any], ours: Path) -> list[Change]:
    recipe = train.get("recipe")
    overlays = [recipe_file(recipe)] if recipe in recipes() else []
    bundles_own = _resolved([ours / "train.json", *overlays])
    found = list(_differences("train.json", train, bundles_own, {}))
    local = {f"{name}#" for name in local_settings(ours)}
    here = dict(leaves(_read(ours / "train.json")))
    moved = [one for one in found if f"{one.id}#".startswith(tuple(local)) and here.get(one.id) != one.value]
    return [Change(one.file, one.id, one.value, one.is_code or one in moved) for one in found]


def _in_part(content: dict[str, Any], ours: Path, part: str, follows: dict[str, Any]) -> list[Change]:
    file = f"{part}.json"
    own = dict(leaves(_read(ours / file))) if (ours / file).is_file() else {}
    found = _differences(file, content, own, follows)
    if follows:
        return list(found)
    return [Change(one.file, one.id, one.value, True) for one in found]  # training changes nothing in these


def _in_metadata(path: Path, ours: Path) -> list[Change]:
    own = dict(leaves(_read(ours / "metadata.json")))
    theirs = [(name, value) for name, value in leaves(_read(path)) if own.get(name) != value]
    # Slashes stand in texts for people, and nothing opens what they name.
    return [
        Change(path.name, name, value, is_code(name, value.replace("/", "") if isinstance(value, str) else value))
        for name, value in theirs
    ]


def _differences(file: str, content: Any, own: dict[str, Any], follows: dict[str, Any]) -> Iterator[Change]:
    theirs = list(leaves(content))
    for name, value in theirs:
        missing = name not in own
        if not missing and own[name] == value:
            continue
        allowed = (name, value) == _ENSEMBLE and own.get(name) == _BUILD
        allowed = allowed or (name in follows and follows[name] == value)
        yield Change(file, name, value, is_code(name, value) and not allowed)
    names = {name for name, _ in theirs}
    for name, value in own.items():
        if "#" in name and is_code(name, value) and name not in names:
            yield Change(file, name, None, True)


def _resolved(files: list[Path]) -> dict[str, Any]:
    """Return the leaves of our own files as MONAI merges them, macros expanded as in a run."""
    parser = merged_configuration(files, {})
    parser.resolve_macro_and_relative_ids()
    return {name: value for name, value in leaves(parser.get()) if not name.startswith("_meta_")}


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WrongDataError(f"{path} cannot be read as JSON ({error}); pack the run again") from error
    if not isinstance(content, dict):
        raise WrongDataError(f"{path} holds a {type(content).__name__}, expected an object; pack the run again")
    return content


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
