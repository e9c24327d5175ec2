"""Results as values that JSON knows: an undefined figure is null, never NaN."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def plain_values(value: Any) -> Any:
    """Return ``value`` without dataclasses, arrays, tuples and NaN, however deep they lie.

    A dataclass becomes a dictionary of its fields, or what its own ``plain`` returns where it lies inside another value.
    """
    if is_dataclass(value):
        return {field.name: _inside(getattr(value, field.name)) for field in fields(value)}
    return _inside(value)


def _inside(value: Any) -> Any:
    if is_dataclass(value):
        return value.plain() if hasattr(value, "plain") else plain_values(value)
    if isinstance(value, np.ndarray | np.generic):
        return _inside(value.tolist())
    if isinstance(value, tuple | list):
        return [_inside(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
