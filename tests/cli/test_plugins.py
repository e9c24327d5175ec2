import json
from collections.abc import Callable

from click.testing import Result

from monai_tumor import registry

Program = Callable[..., Result]
Plugins = Callable[..., None]


def test_everything_registered_is_listed(program: Program) -> None:
    told = json.loads(program("plugins", "list", "--json").stdout)
    assert {entry["name"] for entry in told} == {item.name for item in registry.components()}
    assert set(told[0]) == {"kind", "name", "distribution", "version", "target"}


def test_a_broken_plug_in_is_listed_like_any_other(program: Program, plugins: Plugins) -> None:
    plugins("wreck", "datasets", "wrecks", "raise ImportError('no sonar')\n")
    assert ["datasets", "wrecks", "wreck", "1.2"] in [
        line.split() for line in program("plugins", "list").stdout.splitlines()
    ]


def test_a_broken_plug_in_is_named_with_its_cause(program: Program, plugins: Plugins) -> None:
    plugins("wreck", "datasets", "wrecks", "raise ImportError('no sonar')\n")
    result = program("plugins", "check")
    assert result.exit_code == 1 and ", 1 broken" in result.stdout
    assert "broken: data set 'wrecks' of wreck (fake_wreck:thing)" in result.stderr and "no sonar" in result.stderr


def test_json_says_what_works(program: Program, plugins: Plugins) -> None:
    plugins("wreck", "datasets", "wrecks", "print('I talk at import')\nthing = None\n")
    told = {entry["name"]: entry for entry in json.loads(program("plugins", "check", "--json").stdout)}
    assert told["phantom"]["works"] and told["brain"]["cause"] is None
    assert not told["wrecks"]["works"] and "contract version None" in told["wrecks"]["cause"]


def test_a_name_claimed_twice_is_a_fault(program: Program, plugins: Plugins) -> None:
    plugins("other", "datasets", "phantom", "class thing: api = 1\n")
    result = program("plugins", "check")
    assert result.exit_code == 1
    assert "'phantom' is claimed by more than one plug-in: monai-tumor:phantom, other:phantom" in result.stderr


def test_all_built_ins_work(program: Program, plugins: Plugins) -> None:
    result = program("plugins", "check")
    assert result.exit_code == 0, result.stderr
