"""The generated pages are those that the program would give now."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

GENERATOR = Path(__file__).resolve().parents[2] / "docs" / "generate.py"


def generate(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(GENERATOR), *words]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})


@pytest.mark.parametrize("columns", ["40", "200"])
def test_the_reference_is_up_to_date_whatever_the_terminal(columns: str) -> None:
    done = generate("--check", COLUMNS=columns)
    assert done.returncode == 0, done.stderr


def test_every_option_is_in_the_reference() -> None:
    text = (GENERATOR.parent / "reference" / "cli.md").read_text()
    assert "## monai-tumor data split" in text and "--show-command" in text
    assert all(f"Example: {line}" in text for line in ("monai-tumor train brain", "monai-tumor info --json"))
