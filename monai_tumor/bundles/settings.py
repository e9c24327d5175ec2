"""Settings from a command line, checked against the configuration files before anything heavy is imported."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai_tumor.bundles.running import known_settings
from monai_tumor.errors import WrongCallError, nearest


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
    """Refuse settings that the configuration files do not have; ``network_def#name`` reaches into a dictionary.

    A new key in a dictionary that names a ``_target_`` is let through: the target itself knows its arguments.

    Raises:
        WrongCallError: Names the unknown part and the nearest known one.
    """
    merged: dict[str, Any] = {}
    for path in files:
        merged.update(json.loads(path.read_text(encoding="utf-8")))
    known = known_settings(files[0].parent)
    for key in settings:
        head, *rest = key.split("#")
        if head not in known:
            raise _unknown(key, head, known)
        place = merged.get(head)
        for part in rest:
            place = _step(key, part, place)


def _step(key: str, part: str, place: Any) -> Any:
    if isinstance(place, list):
        if not part.isdigit() or int(part) >= len(place):
            raise WrongCallError(f"setting {key!r}: {part!r} is not an index of a list of {len(place)} entries")
        return place[int(part)]
    if isinstance(place, dict) and part not in place and "_target_" not in place:
        raise _unknown(key, part, place)
    return place.get(part) if isinstance(place, dict) else None


def _unknown(key: str, part: str, known: Any) -> WrongCallError:
    guess = nearest(part, known)
    hint = f"did you mean {key.replace(part, guess)!r}?" if guess else "see 'monai-tumor bundle show' for all settings"
    return WrongCallError(f"unknown setting {key!r}; {hint}")
