from collections.abc import Callable

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import Result

from monai_tumor.cli.main import PROGRAM, main
from monai_tumor.registry import LIMIT_VARIABLE

Program = Callable[..., Result]


def complete(*words: str, start: str = "") -> list[str]:
    shell = ShellComplete(main, {}, PROGRAM, "_MONAI_TUMOR_COMPLETE")
    return [item.value for item in shell.get_completions(list(words), start)]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_a_script(program: Program, shell: str) -> None:
    assert "_MONAI_TUMOR_COMPLETE" in program("completion", shell).stdout


def test_names_are_completed_from_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, "")  # whatever else is installed
    assert complete("train", start="br") == ["brain", "breast"]
    assert complete("train", "brain", "--network", start="unet") == ["unet", "unetplusplus"]
    assert complete("data", "split", "--dataset", start="ph") == ["phantom", "phantom_us"]
    assert complete("evaluate", "r", "--part", start="v") == ["validation"]


def test_what_is_no_bundle_may_be_a_folder() -> None:
    items = ShellComplete(main, {}, PROGRAM, "_").get_completions(["bundle", "show"], "runs/")
    assert [(item.type, item.value) for item in items] == [("dir", "runs/")]


def test_commands_are_completed() -> None:
    assert complete(start="pl") == ["plugins"]
    assert isinstance(main, click.Group)
