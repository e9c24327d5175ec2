"""The methods that are compared: a network by name, or a recipe."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai_tumor import registry
from monai_tumor.bundles.find import recipe_file
from monai_tumor.errors import WrongCallError
from monai_tumor.folds.frozen import overlay_digest

SETTINGS_FOLDER = "comparison-settings"
"""Where a comparison keeps what it was begun with, beside one folder a method."""

_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")


@dataclass(frozen=True, slots=True)
class ComparedMethod:
    """One row of the table, one column of the picture.

    Attributes:
        name: In tables, and of its folder.
        network: What ``train --network`` takes, or None.
        overlay: The JSON file of a recipe, or None.
    """

    name: str
    network: str | None = None
    overlay: Path | None = None

    @property
    def words(self) -> list[str]:
        """The options of ``train`` that make this method."""
        if self.overlay is not None:
            return ["--recipe", str(self.overlay)]
        return ["--network", str(self.network)]

    def described(self) -> dict[str, Any]:
        """Return JSON-able values that are equal for equal methods."""
        if self.overlay is None:
            return {"network": self.network}
        content = json.loads(self.overlay.read_text(encoding="utf-8"))
        return {"recipe": content, "sha256": overlay_digest(content)}


def named_methods(networks: Sequence[str], recipes: Sequence[str]) -> list[ComparedMethod]:
    """Return the methods of network names and of names or JSON files of recipes, in this order.

    Raises:
        WrongCallError: None at all, an unknown name, a file that holds no settings, or a name that is taken twice.
    """
    methods = []
    for name in networks:
        registry.find("networks", name)  # an unknown name is answered before anything heavy is imported
        methods.append(ComparedMethod(name.replace(":", "-"), network=name))
    methods += [ComparedMethod(path.stem, overlay=path) for path in map(recipe_file, recipes)]
    if not methods:
        raise WrongCallError(
            "there is nothing to compare; give --networks NAME,NAME, --recipes NAME,FILE.json, or both"
        )
    for method in methods:
        _refuse_name(method.name, [other.name for other in methods])
    return methods


def _refuse_name(name: str, names: Sequence[str]) -> None:
    if names.count(name) > 1:
        raise WrongCallError(f"two methods are called {name!r}; rename one JSON file, or leave one out")
    if not _NAME.fullmatch(name) or name == SETTINGS_FOLDER:
        raise WrongCallError(
            f"a method cannot be called {name!r}: it names a folder; rename its file to letters and digits"
        )
