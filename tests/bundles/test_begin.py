"""Mistakes under the plain MONAI command end in one clear last line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from monai_tumor.bundles.running import known_settings, refuse_unknown, settings_digest
from monai_tumor.errors import WrongCallError

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("words", "last"),
    [
        (["--dataset_dir", "nowhere"], "error: nowhere does not exist"),
        (["--network_def#name", "unett"], "error: unknown network 'unett'; did you mean 'unet'?"),
        (["--epohcs", "3"], "error: unknown setting 'epohcs'; did you mean 'epochs'?"),
        (["--validate#treshold", "3"], "error: unknown setting 'validate#treshold'"),
        (["--optimizer#lrr", "3"], "error: torch.optim.AdamW cannot be made: TypeError"),
    ],
)
def test_one_clear_last_line(words, last):
    config = str(ROOT / "bundles" / "brain" / "train.json")
    command = [sys.executable, "-m", "monai.bundle", "run", "training", "--config_file", config, *words]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert result.returncode != 0
    assert result.stderr.strip().splitlines()[-1].startswith(last)
    assert "Traceback" not in result.stderr


def test_an_id_that_something_refers_to_is_no_mistake():
    refuse_unknown({"lr": "@my_lr", "my_lr": 0.1}, {"lr"})
    with pytest.raises(WrongCallError, match="unknown setting 'my_lr'"):
        refuse_unknown({"lr": 0.1, "my_lr": 0.1}, {"lr"})


def test_settings_reached_into_count_by_their_first_part(brain):
    known = known_settings(brain)
    assert {"epochs", "source", "validate", "part", "output_dir"} <= known
    assert not any("#" in name for name in known)


class Parser:
    """Holds settings as MONAI's does."""

    def __init__(self, settings):
        self.get = lambda: settings


class ConfigWorkflow:
    """Is looked up by its name, as MONAI's: it evaluates what asks for its settings."""

    config_root_path = "bundle"

    def __init__(self, **settings):
        self.parser = Parser(settings)

    def digest(self, *names):
        return settings_digest(*names)


def test_settings_have_a_digest_in_a_workflow_only():
    one, other = ConfigWorkflow(prepare={"rows": 64}, lr=1), ConfigWorkflow(prepare={"rows": 32}, lr=1)
    assert one.digest("prepare") != other.digest("prepare") and one.digest("lr") == other.digest("lr")
    assert settings_digest("prepare") is None
