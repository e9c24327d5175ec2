"""Which data set a folder is."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from monai_tumor import registry
from monai_tumor.datasets.guess import guess_dataset
from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.imaging.write import write_mask, write_picture
from monai_tumor.registry import Component

Register = Callable[..., None]
PHANTOM = PhantomDataset(count=5, size=(64, 80))
MODULE = '''
from monai_tumor.datasets.base import FileDataset

class Fake(FileDataset):
    name, modality, organ = "{name}", "US", "liver"
    layout = """
    DIR/{name}.txt      what {name} reads
    or DIR/x
    """
    def find_cases(self, folder):
        return ()
    def recognises(self, folder):
        {body}
'''
BUILTINS = [item for item in registry.components("datasets") if item.distribution == registry.CORE]


def refusal(root: Path | None) -> str:
    with pytest.raises((WrongDataError, WrongCallError)) as caught:
        guess_dataset(root)
    return str(caught.value)


def pictures(root: Path) -> Path:
    write_picture(root / "images" / "a.png", np.arange(35, dtype=np.uint8).reshape(5, 7))
    write_mask(root / "masks" / "a.png", np.eye(5, 7))
    return root


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Register]:
    """Register fake data sets beside our own, and no others: name, and body (or value) of ``recognises``."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    listed = list(BUILTINS)
    monkeypatch.setattr(registry, "components", lambda kind=None: listed)

    def add(name: str, body: float | str, distribution: str = "guest") -> None:
        module = f"fake_{distribution}_{name}"
        text = MODULE.format(name=name, body=body if isinstance(body, str) else f"return {body}")
        (site / f"{module}.py").write_text(text)
        importlib.invalidate_caches()
        listed.append(Component("datasets", name, distribution, "1", f"{module}:Fake"))

    yield add
    for name in [name for name in sys.modules if name.startswith("fake_")]:
        del sys.modules[name]


def test_the_surest_wins_and_nothing_is_said(register: Register, tmp_path: Path, capsys) -> None:
    register("sure", 1)
    register("unsure", 0.5)
    assert guess_dataset(pictures(tmp_path / "set")) == "sure" and capsys.readouterr() == ("", "")


def test_where_nobody_is_sure_it_is_a_folder_and_the_others_are_named(
    register: Register, tmp_path: Path, capsys
) -> None:
    register("liver", 0.5)
    assert guess_dataset(pictures(tmp_path / "set")) == "folder"
    told = capsys.readouterr()
    assert told.out == "" and told.err == (
        f"NOTE: {tmp_path / 'set'} fits liver as well; it is read as 'folder', where each image is a group of its own: "
        "give --dataset liver if its rules for patients are right\n"
    )
    register("kidney", 0.5)
    guess_dataset(tmp_path / "set")
    assert "fits liver and kidney as well" in (note := capsys.readouterr().err) and "--dataset NAME" in note


def test_a_table_makes_a_folder_certain(register: Register, tmp_path: Path, capsys) -> None:
    register("liver", 0.5)
    PHANTOM.write(tmp_path / "set", "folder")
    assert guess_dataset(tmp_path / "set") == "folder" and capsys.readouterr().err == ""


@pytest.mark.parametrize("sureness", [1, 0.5])
def test_other_ties_are_the_user_s_to_decide(register: Register, tmp_path: Path, sureness: float) -> None:
    register("liver", sureness)
    register("kidney", sureness)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "notes.txt").touch()
    message = f"{tmp_path / 'set'} fits liver and kidney equally well; say which: --dataset liver"
    assert refusal(tmp_path / "set") == message


def test_certainty_ties_even_with_a_folder(register: Register, tmp_path: Path) -> None:
    register("liver", 1)
    PHANTOM.write(tmp_path / "set", "folder")
    assert "fits folder and liver equally well" in refusal(tmp_path / "set")


def test_one_name_of_two_distributions_is_told_apart(register: Register, tmp_path: Path) -> None:
    register("liver", 1, "one")
    register("liver", 0, "two")
    (tmp_path / "set" / "x").mkdir(parents=True)
    assert guess_dataset(tmp_path / "set") == "one:liver"


@pytest.mark.parametrize("body", ["raise RuntimeError('broken')", "return 'no number'", "return 1 +"])
def test_a_broken_plug_in_is_passed_over_but_not_silently(
    register: Register, tmp_path: Path, capsys, body: str
) -> None:
    register("liver", body)
    told = "; not asked, because broken: liver (monai-tumor plugins check)"
    assert guess_dataset(pictures(tmp_path / "set")) == "folder" and told in capsys.readouterr().err
    assert told in refusal(tmp_path)


def test_an_unknown_folder_is_answered_with_what_each_expects(register: Register, tmp_path: Path) -> None:
    register("liver", 0)
    (tmp_path / "deep" / "set" / "notes").mkdir(parents=True)
    lines = refusal(tmp_path / "deep" / "set").splitlines()
    told = f"{tmp_path / 'deep' / 'set'} is not the folder of a data set: it holds 1 folder and 0 files, and none fits"
    assert lines[0] == f"{told}; give a folder like one of those below, or install or write a data-set plug-in"
    assert "  liver   DIR/liver.txt  what liver reads ..." in lines and "  notes/" in lines
    assert not any("phantom" in line for line in lines[1:])  # it reads no folder


def test_parent_and_child_point_to_the_right_folder(register: Register, tmp_path: Path) -> None:
    root = pictures(tmp_path / "deep" / "set")
    for other in (root.parent, root / "images"):
        assert refusal(other).endswith(f"; the right folder is probably {root} (data set folder)")


def test_the_data_sets_in_a_folder_are_listed_and_the_certain_one_first(register: Register, tmp_path: Path) -> None:
    register("liver", "return float((folder / 'liver.txt').is_file())")
    pictures(tmp_path / "sets" / "a")
    (tmp_path / "sets" / "b").mkdir()
    (tmp_path / "sets" / "b" / "liver.txt").touch()
    sets = tmp_path / "sets"
    assert refusal(sets).endswith(
        f"; give one of 2 folders in it: {sets / 'b'} (data set liver), {sets / 'a'} (data set folder)"
    )


def test_of_many_data_sets_in_a_folder_five_are_listed_without_their_parts(register: Register, tmp_path: Path) -> None:
    for number in range(7):
        pictures(pictures(tmp_path / "sets" / f"s{number}") / "part")
    told = refusal(tmp_path / "sets")
    assert "give one of 7 folders in it: " in told and told.endswith("s4 (data set folder) and 2 more")
    assert "part" not in told.replace(str(tmp_path), "")


def test_a_part_of_a_data_set_is_told(register: Register, tmp_path: Path, capsys) -> None:
    register("liver", "return float((folder / 'liver.txt').is_file())")
    part = pictures(tmp_path / "whole" / "part")
    (tmp_path / "whole" / "liver.txt").touch()
    assert guess_dataset(part) == "folder"
    assert f"is a part of the data set {part.parent}" in (note := capsys.readouterr().err)
    assert f"give {part.parent} to keep what liver knows of patients and labels" in note


def test_what_is_no_folder_is_answered(tmp_path: Path) -> None:
    (tmp_path / "breast").mkdir()
    (tmp_path / "set.zip").touch()
    assert refusal(tmp_path / "brest") == f"{tmp_path / 'brest'} does not exist; did you mean {tmp_path / 'breast'}?"
    assert refusal(tmp_path / "breast").startswith(f"{tmp_path / 'breast'} is empty; was the download")
    assert "set.zip is a file, expected a folder" in refusal(tmp_path / "set.zip")
    assert "no folder was given" in refusal(None)


@pytest.mark.parametrize("locked", ["set", "set/images"])
def test_a_locked_folder_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locked: str) -> None:
    pictures(tmp_path / "set")
    listed = Path.iterdir

    def iterdir(path: Path) -> Iterator[Path]:
        if path == tmp_path / locked:
            raise PermissionError(13, "Permission denied", str(path))
        return iter(list(listed(path)))

    monkeypatch.setattr(Path, "iterdir", iterdir)  # tests may run as root, whom no permission stops
    if locked == "set":
        assert f"{tmp_path / locked} may not be read by this user" in refusal(tmp_path / "set")
    else:  # whoever lists images finds out later, with the same words
        assert guess_dataset(tmp_path / "set") == "folder"


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("busi", "busi"),
        ("brain_lgg/kaggle_3m", "brain_mri"),
        ("brain_flat", "folder"),
        ("thyroid_ddti", "thyroid"),
        ("thyroid_flat", "thyroid"),
        ("bus_bra", "bus_bra"),
        ("brain_nifti", "brain_mri"),
    ],
)
def test_real_folders(real_data: Path, folder: str, name: str) -> None:
    if name not in {item.name for item in registry.components("datasets")}:
        pytest.skip(f"the plug-in of {name} is not installed")
    assert guess_dataset(real_data / folder) == name
