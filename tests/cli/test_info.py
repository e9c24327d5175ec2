import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from monai_tumor import __version__
from monai_tumor.cli import info

Program = Callable[..., Result]


def test_versions_and_device_are_told(program: Program) -> None:
    told = json.loads(program("info", "--json").stdout)
    assert set(told) == {"versions", "device", "problems", "missing"} and told["problems"] == []
    assert told["versions"]["monai-tumor"] == __version__ and told["versions"]["torch"]
    assert {"cores", "cpu_capability", "cuda", "bf16_on_cpu"} <= set(told["device"])


def test_a_missing_package_is_told_with_its_purpose(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(info, "_EXTRAS", (("no-such-package", "dreams", "pip install sleep"),))
    assert "not installed: no-such-package, for dreams; pip install sleep\n" in program("info").stdout


def test_torch_and_torchvision_that_do_not_fit_are_a_plain_word(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str) -> Any:
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(importlib, "import_module", refuse)
    problems: list[str] = []
    info._check_pair(problems)
    assert len(problems) == 1 and "operator torchvision::nms does not exist" in problems[0]
    assert problems[0].endswith("install a pair: pip install --force-reinstall torch torchvision")


def test_a_broken_torch_is_a_problem_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    found = info.gather()
    assert any(line.startswith("torch or MONAI cannot be used: ModuleNotFoundError") for line in found["problems"])
