"""The files of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monai_tumor.errors import WrongDataError


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file of the toolkit's own; empty where there is none.

    Raises:
        WrongDataError: It is damaged.
    """
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise WrongDataError(f"{path} is damaged ({error}); restore it, or move it away") from error
    if not isinstance(content, dict):
        raise WrongDataError(f"{path} holds no object; restore it, or move it away")
    return content
