"""Results as values that JSON knows: an undefined figure is null, never NaN."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any, cast


class PlainResult:
    """Base of frozen dataclasses that are written as JSON; their fields are numbers, texts, tuples and other results."""

    __slots__ = ()

    def plain(self) -> dict[str, Any]:
        """Return the fields as JSON-able values: NaN is None, a tuple is a list, a result is a dictionary."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(cast(Any, self))}


def _plain(value: Any) -> Any:
    if hasattr(value, "plain"):
        return value.plain()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
