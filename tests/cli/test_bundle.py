import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from monai_tumor.bundles import check
from monai_tumor.bundles.find import bundle_folder

Program = Callable[..., Result]


def test_bundles_are_listed(program: Program) -> None:
    assert {"brain", "breast", "thyroid"} <= {
        entry["name"] for entry in json.loads(program("bundle", "list", "--json").stdout)
    }
    assert program("bundle", "list").stdout.startswith("name")


def test_the_folder_of_a_bundle_is_printed(program: Program) -> None:
    assert program("bundle", "path", "brain").stdout == f"{bundle_folder('brain')}\n"


def test_settings_are_shown_one_a_line(program: Program) -> None:
    lines = program("bundle", "show", "brain").stdout.splitlines()
    assert "epochs = 15" in lines and max(map(len, lines)) < 140
    assert any(line.startswith("network_def = monai_tumor.networks.build(name=") for line in lines)


def test_json_shows_a_whole_configuration_file(program: Program) -> None:
    told = json.loads(program("bundle", "show", "brain", "--part", "evaluate", "--json").stdout)
    assert told["settings"] == json.loads(Path(told["file"]).read_text())


def test_a_part_that_a_bundle_does_not_have_is_named(program: Program, tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text("{}")
    assert "has no inference.json" in program("bundle", "show", tmp_path, "--part", "inference").stderr


def test_findings_are_printed_and_counted_in_the_exit_code(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    found = check.Finding("train.json", "loss", "DiceeLoss", "is not known")
    monkeypatch.setattr(check, "check_bundle", lambda root: [found])
    result = program("bundle", "check", "brain")
    assert (result.exit_code, result.stdout) == (1, f"{found}\n")
    told = json.loads(program("bundle", "check", "brain", "--json").stdout)
    assert told == [{"file": "train.json", "id": "loss", "target": "DiceeLoss", "cause": "is not known"}]


def test_a_good_bundle_has_no_findings(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "check_bundle", lambda root: [])
    result = program("bundle", "check", "brain")
    assert (result.exit_code, result.stdout) == (0, "brain: no findings\n")
