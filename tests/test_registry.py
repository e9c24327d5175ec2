"""Fake plug-ins, installed as metadata folders on the path, good and broken."""

import importlib
import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monai_tumor import registry
from monai_tumor.errors import PluginError, WrongCallError, WrongDataError
from monai_tumor.registry import CORE, LIMIT_VARIABLE, Component, components, find, load_named

Install = Callable[..., None]


def write_plugin(folder: Path, distribution: str, points: str, modules: dict[str, str]) -> None:
    """Write what pip leaves of an installed distribution: its metadata and its modules."""
    metadata = folder / f"{distribution.replace('-', '_')}-1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text(points)
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)


def forget() -> None:
    registry._guests.cache_clear()
    importlib.invalidate_caches()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install fake plug-ins, without any real one in sight, and forget them afterwards."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)

    def add(distribution: str, points: str, **modules: str) -> None:
        write_plugin(tmp_path, distribution, points, modules)
        listed = [*filter(None, os.environ.get(LIMIT_VARIABLE, "").split(",")), distribution]
        monkeypatch.setenv(LIMIT_VARIABLE, ",".join(listed))
        forget()

    monkeypatch.setenv(LIMIT_VARIABLE, "")
    forget()
    yield add
    forget()
    for name in set(sys.modules) - before:
        if name.startswith("fake_"):
            del sys.modules[name]


def guests() -> list[Component]:
    return [component for component in components() if component.distribution != CORE]


def dataset(target: str, name: str = "scans") -> str:
    return f"[monai_tumor.datasets]\n{name} = {target}\n"


def test_built_ins_are_listed_from_a_checkout(install: Install) -> None:
    assert {"phantom", "folder"} <= {found.name for found in components("datasets")}
    assert {found.distribution for found in components()} == {CORE}
    assert {found.kind for found in components()} <= set(registry.KINDS)


@pytest.mark.parametrize("kind", ["datasets", "networks"])
def test_every_built_in_can_be_loaded(install: Install, kind: str) -> None:
    assert all(load_named(kind, component.name).name == component.name for component in components(kind))


def test_a_guest_is_listed_and_loaded(install: Install) -> None:
    install(
        "fake-scans", dataset("fake_scans:Scans.inner"), fake_scans="class Scans:\n    class inner:\n        api = 1\n"
    )
    assert find("datasets", "scans") == Component("datasets", "scans", "fake-scans", "1.2", "fake_scans:Scans.inner")
    assert load_named("datasets", "scans").__name__ == "inner"
    assert load_named("datasets", "fake-scans:scans") is load_named("datasets", "scans")


def test_a_bundle_or_command_is_a_module_and_needs_no_contract_version(install: Install) -> None:
    points = "[monai_tumor.bundles]\nlung = fake_lung\n[monai_tumor.commands]\nlung = fake_lung:show\n"
    install("fake-lung", points, fake_lung="show = print\n")
    assert load_named("bundles", "lung").__name__ == "fake_lung"
    assert load_named("commands", "lung") is print


def test_listing_imports_neither_the_component_nor_anything_heavy(tmp_path: Path) -> None:
    write_plugin(tmp_path, "fake-loud", dataset("fake_loud:X"), {"fake_loud": "raise SystemExit('imported')"})
    code = (
        "import sys; from monai_tumor.registry import find; print(find('datasets', 'scans').distribution);"
        "print(sorted({'torch', 'monai', 'numpy', 'fake_loud', 'monai_tumor.datasets'} & set(sys.modules)))"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(registry.__file__).parents[1]), str(tmp_path)]),
    }
    environment.pop(LIMIT_VARIABLE, None)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["fake-loud", "[]"]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("import fake_nothing", "ModuleNotFoundError: No module named 'fake_nothing'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def broken(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("", "AttributeError: module 'fake_broken' has no attribute 'Scans'"),
    ],
)
def test_a_broken_guest_is_named_with_its_cause(install: Install, text: str, cause: str) -> None:
    install("fake-broken", dataset("fake_broken:Scans"), fake_broken=text)
    with pytest.raises(PluginError) as caught:
        load_named("datasets", "scans")
    assert str(caught.value).startswith(
        "data set 'scans' of fake-broken (fake_broken:Scans) cannot be loaded: " + cause
    )


def test_a_broken_guest_stays_listed_and_costs_nobody_anything(install: Install) -> None:
    install("fake-broken", dataset("fake_broken:Scans"), fake_broken="1 / 0")
    install("fake-good", dataset("fake_good:Good", "good"), fake_good="class Good:\n    api = 1\n")
    assert [guest.name for guest in guests()] == ["good", "scans"]
    assert load_named("datasets", "good").api == 1


def test_an_error_of_ours_in_a_guest_is_passed_on(install: Install) -> None:
    text = "from monai_tumor.errors import WrongDataError\nraise WrongDataError('atlas.csv is missing')\n"
    install("fake-atlas", dataset("fake_atlas:Scans"), fake_atlas=text)
    with pytest.raises(WrongDataError, match=r"^atlas\.csv is missing$"):
        load_named("datasets", "scans")


@pytest.mark.parametrize(("text", "found"), [("api = 2", "2"), ("pass", "None")])
def test_another_contract_version_is_refused_with_both_numbers(install: Install, text: str, found: str) -> None:
    install("fake-old", dataset("fake_old:Scans"), fake_old=f"class Scans:\n    {text}\n")
    with pytest.raises(
        PluginError, match=f"written for contract version {found}, this is version 1; update the plug-in"
    ):
        load_named("datasets", "scans")


def test_a_name_claimed_twice_is_picked_by_distribution_only(install: Install) -> None:
    for letter in "ba":
        install(f"fake-{letter}", dataset(f"fake_{letter}:Scans"), **{f"fake_{letter}": "class Scans:\n    api = 1\n"})
    with pytest.raises(PluginError, match="more than one plug-in: fake-a:scans, fake-b:scans; write one of these"):
        load_named("datasets", "scans")
    assert load_named("datasets", "fake-b:scans").__module__ == "fake_b"


def test_a_guest_cannot_replace_a_built_in_unnoticed(install: Install) -> None:
    install("fake-phantom", dataset("fake_phantom:X", "phantom"), fake_phantom="")
    with pytest.raises(PluginError, match="monai-tumor:phantom, fake-phantom:phantom"):
        find("datasets", "phantom")
    assert find("datasets", "monai-tumor:phantom").distribution == CORE


def test_one_name_may_be_two_kinds(install: Install) -> None:
    install("fake-two", dataset("fake_two:X", "lung") + "[monai_tumor.bundles]\nlung = fake_two\n", fake_two="")
    assert [find(kind, "lung").target for kind in ("datasets", "bundles")] == ["fake_two:X", "fake_two"]


def test_the_variable_limits_the_guests(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    for letter in "abc":
        install(f"fake-{letter}", dataset(f"fake_{letter}:X", letter))
    assert [guest.name for guest in guests()] == ["a", "b", "c"]
    for limit, names in ((" fake-c, Fake_A", ["a", "c"]), ("", []), ("fake", [])):
        monkeypatch.setenv(LIMIT_VARIABLE, limit)
        assert [guest.name for guest in guests()] == names
    monkeypatch.delenv(LIMIT_VARIABLE)
    assert {"a", "b", "c"} <= {guest.name for guest in guests()}


def test_the_spelling_of_a_distribution_does_not_matter(install: Install) -> None:
    install("Fake_Scans.Lung", dataset("fake_scans:X"))
    assert find("datasets", "scans").distribution == "fake-scans-lung"


@pytest.mark.parametrize("backport", [False, True])
def test_an_installation_that_broke_off_does_not_stop_the_listing(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backport: bool
) -> None:
    if backport:  # it puts a finder of its own in place, which raises where the standard one returns None
        pytest.importorskip("importlib_metadata")
    install("fake-good", dataset("fake_good:X"))
    (tmp_path / "half-1.dist-info").mkdir()
    (tmp_path / "half-1.dist-info" / "entry_points.txt").write_text(dataset("fake_half:X"))
    monkeypatch.delenv(LIMIT_VARIABLE)
    forget()
    assert {guest.distribution for guest in guests() if guest.name == "scans"} == {"fake-good", "unknown"}


def test_an_unknown_name_says_the_nearest(install: Install) -> None:
    with pytest.raises(WrongCallError, match="unknown data set 'phantm'; did you mean 'phantom'"):
        find("datasets", "phantm")
    with pytest.raises(WrongCallError, match="unknown network 'zzz'; known: classic_unet, deeplabv3, "):
        find("networks", "zzz")


def test_a_known_name_of_another_distribution_says_the_right_one(install: Install) -> None:
    install("fake-mri", dataset("fake_mri:X", "brain_mri"))
    with pytest.raises(WrongCallError, match="unknown data set 'fake-mr:brain_mri'; did you mean 'fake-mri:brain_mri'"):
        find("datasets", "fake-mr:brain_mri")


def test_a_missing_guest_is_answered_with_the_line_that_installs_it(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WrongCallError, match="not named in MONAI_TUMOR_PLUGINS; add monai-tumor-brain-mri there"):
        find("datasets", "brain_mri")
    monkeypatch.delenv(LIMIT_VARIABLE)
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda: importlib.metadata.EntryPoints(()))
    with pytest.raises(WrongCallError, match=r"not installed; run: pip install (-e plugins/)?monai-tumor-brain-mri$"):
        find("datasets", "brain_mri")
