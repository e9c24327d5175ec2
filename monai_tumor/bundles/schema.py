"""``metadata.json`` of a bundle against the schema that the toolkit ships; MONAI's own one lies on a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).with_name("metadata_schema.json")
"""The schema; ``python -m monai.bundle verify_metadata --filepath`` takes it and needs no network then."""


def metadata_faults(metadata: Any) -> Iterator[tuple[str, str]]:
    """Yield the id of what is wrong in the content of a ``metadata.json``, and why, in one line each."""
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # the stubs are a package of their own

    checker = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    for fault in sorted(checker.iter_errors(metadata), key=lambda one: list(map(str, one.absolute_path))):
        yield "#".join(map(str, fault.absolute_path)), fault.message.splitlines()[0]
