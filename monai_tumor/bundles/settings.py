"""Settings from a command line, checked against the configuration files before anything heavy is imported."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from monai_tumor.bundles.running import known_settings
from monai_tumor.errors import WrongCallError, nearest

_REFERENCE = re.compile(r"[@%]([A-Za-z_]\w*(?:(?:#|::)\w+)*)")
_SHOW = "see 'monai-tumor bundle show' for all settings"


def parse_settings(words: Sequence[str]) -> dict[str, Any]:
    """Return the settings in ``key=value`` words; a value is JSON where it can be read so, else text.

    Raises:
        WrongCallError: A word without ``=``, or a value that MONAI would evaluate as code.
    """
    settings: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise WrongCallError(f"setting {word!r} is not of the form key=value, for example epochs=5")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        if _has_expression(value):
            raise WrongCallError(f"setting {key!r}: {text!r} is an expression; give a plain value here")
        settings[key.replace("::", "#")] = value
    return settings


def _has_expression(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(_has_expression(part) for part in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, str) and value.startswith("$")


def check_settings(files: Sequence[Path], settings: Mapping[str, Any]) -> None:
    """Refuse keys of overlays, and settings, that the configuration files do not have.

    ``network_def#name`` reaches into a dictionary. A new key is let through in a dictionary that names a ``_target_``,
    which itself knows its arguments, and where another value refers to it.

    Args:
        files: A configuration file of a bundle, and overlays in the order in which MONAI merges them.
        settings: What is merged last.

    Raises:
        WrongCallError: Names the overlay, the unknown part and the nearest known one.
    """
    merged, overlays = _read(files[0]), {path: _read(path) for path in files[1:]}
    known = known_settings(files[0].parent) | _referred([*overlays.values(), settings])
    for path, overlay in overlays.items():
        try:
            for key, value in overlay.items():
                _enter(merged, key, value, known, joins=key.startswith("+"))
        except WrongCallError as error:
            raise WrongCallError(f"{path}: {error}") from error
    for key, value in deepcopy(dict(settings)).items():
        _enter(merged, key, value, known)


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _referred(content: Any) -> set[str]:
    """Return all ids that texts refer to, and those that they lie in: ``@a#b`` refers to ``a`` and ``a#b``."""
    found = [name.replace("::", "#").split("#") for name in _REFERENCE.findall(json.dumps(content, default=str))]
    return {"#".join(parts[:depth]) for parts in found for depth in range(1, len(parts) + 1)}


def _enter(merged: dict[str, Any], key: str, value: Any, known: set[str], joins: bool = False) -> None:
    """Put a value where MONAI puts it; it makes no missing parents, and knows ``+`` in files only (``joins``)."""
    *parents, last = key[joins:].replace("::", "#").split("#")
    place: Any = merged
    for depth, part in enumerate(parents):
        _check_part(key, [*parents[:depth], part], place, known)
        if isinstance(place, dict) and part not in place:
            raise WrongCallError(f"setting {key!r}: there is no {'#'.join(parents[: depth + 1])!r}; give all of it")
        place = place[part] if isinstance(place, dict) else place[int(part)]
    _check_part(key, [*parents, last], place, known)
    index = last if isinstance(place, dict) else int(last)
    former = place.get(last) if isinstance(place, dict) else place[int(last)]
    place[index] = _joined(key, former, value) if joins and former is not None else value


def _joined(key: str, former: Any, value: Any) -> Any:
    if isinstance(former, dict) and isinstance(value, dict):
        return {**former, **value}
    if isinstance(former, list) and isinstance(value, list):
        return [*former, *value]
    raise WrongCallError(
        f"setting {key!r}: '+' joins two lists or two dictionaries; leave '+' out to replace the value"
    )


def _check_part(key: str, path: Sequence[str], place: Any, known: set[str]) -> None:
    """Refuse a step to the last part of ``path`` that does not exist in ``place``."""
    *parents, part = path
    if isinstance(place, list):
        if not part.isdigit() or int(part) >= len(place):
            raise WrongCallError(f"setting {key!r}: {part!r} is not an index of a list of {len(place)} entries")
    elif not isinstance(place, dict):
        raise WrongCallError(
            f"setting {key!r}: {'#'.join(parents)!r} is {json.dumps(place, default=str)}, which has no parts"
        )
    elif part not in place and "_target_" not in place and "#".join(path) not in known and (place or not parents):
        names = place if parents else {*place, *(name for name in known if "#" not in name)}
        raise _unknown(key, path, names)


def _unknown(key: str, path: Sequence[str], names: Iterable[str]) -> WrongCallError:
    *parents, part = path
    guess = nearest(part, names)
    rest = key.replace("::", "#").split("#")[len(path) :]
    hint = f"did you mean {'#'.join([*parents, guess, *rest])!r}?" if guess else _SHOW
    return WrongCallError(f"unknown setting {key!r}; {hint}")
