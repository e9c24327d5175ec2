import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from monai_tumor import __version__
from monai_tumor.cli.options import PARTS
from monai_tumor.splits import split as split_module
from monai_tumor.splits.split import read_split

Program = Callable[..., Result]


def test_data_sets_are_listed_with_their_distribution(program: Program) -> None:
    told = json.loads(program("data", "list", "--json").stdout)
    assert {"name": "phantom", "distribution": "monai-tumor", "version": __version__} in told
    assert ["phantom", "monai-tumor", __version__] in [
        line.split() for line in program("data", "list").stdout.splitlines()
    ]


def test_a_split_is_written_and_counted(program: Program, tmp_path: Path) -> None:
    result = program("data", "split", "--dataset", "phantom", "--seed", 3, "-o", tmp_path / "s.json", "--json")
    told, split = json.loads(result.stdout), read_split(tmp_path / "s.json")
    assert (told["hash"], told["cases"], told["seed"]) == (split.hash, 120, 3)
    assert [(row["part"], row["cases"]) for row in told["parts"]] == list(zip(PARTS, (84, 24, 12), strict=True))


def test_folds_are_numbered_from_0(program: Program, tmp_path: Path) -> None:
    result = program("data", "split", "--dataset", "phantom", "--folds", 4, "-o", tmp_path / "f.json")
    assert result.exit_code == 0 and read_split(tmp_path / "f.json").folds == 4
    assert [line.split()[:2] for line in result.stdout.splitlines()[1:5]] == [[str(fold), "30"] for fold in range(4)]


def test_fractions_are_shares_of_the_parts(program: Program, tmp_path: Path) -> None:
    program("data", "split", "--dataset", "phantom", "--fractions", ".5,.25,.25", "-o", tmp_path / "s.json")
    split = read_split(tmp_path / "s.json")
    assert [len(split.ids(part)) for part in PARTS] == [60, 30, 30]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--folds", "4", "--fractions", ".5,.3,.2"], "exclude each other"),
        (["--fractions", ".5,.5"], "expected three numbers such as .7,.2,.1"),
        (["--fractions", "many"], "expected three numbers"),
        (["--folds", "2"], "ask for 3 or more"),
    ],
)
def test_impossible_divisions_are_refused(program: Program, tmp_path: Path, words: list[str], told: str) -> None:
    result = program("data", "split", "--dataset", "phantom", *words, "-o", tmp_path / "s.json")
    assert result.exit_code == 2 and told in result.stderr and not (tmp_path / "s.json").exists()


def test_a_split_file_is_never_replaced(program: Program, tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text("mine")
    result = program("data", "split", "--dataset", "phantom", "-o", tmp_path / "s.json")
    assert result.exit_code == 2 and "exists already" in result.stderr
    assert (tmp_path / "s.json").read_text() == "mine"


def test_a_wrong_folder_is_answered_with_the_expected_tree(program: Program, tmp_path: Path) -> None:
    result = program("data", "split", tmp_path, "--dataset", "folder", "-o", tmp_path / "s.json")
    assert result.exit_code == 2 and "masks/" in result.stderr


def test_a_folder_for_a_data_set_without_files_is_refused(program: Program, tmp_path: Path) -> None:
    result = program("data", "split", tmp_path, "--dataset", "phantom", "-o", tmp_path / "s.json")
    assert result.exit_code == 2 and "'phantom' reads no folder" in result.stderr


@pytest.fixture
def twice(program: Program, tmp_path: Path) -> Path:
    """Write phantoms, one of them a second time with another diagnosis."""
    program("data", "phantom", tmp_path / "set", "--count", 12, "--style", "us")
    table = tmp_path / "set" / "cases.csv"
    row = table.read_text().splitlines()[1].split(",")
    row[0], row[3:] = "again", ["another", "somebody else"]
    table.write_text(table.read_text() + ",".join(row) + "\n")
    return tmp_path / "set"


def test_the_layout_is_guessed_and_contradictions_are_counted(program: Program, twice: Path, tmp_path: Path) -> None:
    result = program("data", "split", twice, "-o", tmp_path / "s.json", "--json")
    told = json.loads(result.stdout)
    assert (told["dataset"], told["parts"][-1]["part"], told["parts"][-1]["cases"]) == ("folder", "quarantine", 2)


@pytest.mark.parametrize(("what", "parts", "dropped"), [("drop", 3, 2), ("keep", 3, 0)])
def test_contradictions_can_be_dropped_or_kept(
    program: Program, twice: Path, tmp_path: Path, what: str, parts: int, dropped: int
) -> None:
    result = program("data", "split", twice, "--contradictory", what, "-o", tmp_path / "s.json", "--json")
    told = json.loads(result.stdout)
    assert (len(told["parts"]), len(told["dropped"])) == (parts, dropped)


def test_phantoms_are_written_in_a_layout(program: Program, tmp_path: Path) -> None:
    result = program("data", "phantom", tmp_path, "--count", 3, "--style", "us", "--layout", "folder_suffix")
    assert result.exit_code == 0 and "3 phantoms" in result.stdout
    assert len(list(tmp_path.rglob("*_mask.png"))) == 3


def test_an_unknown_layout_is_answered_with_the_nearest(program: Program, tmp_path: Path) -> None:
    assert "did you mean 'brain_mri'?" in program("data", "phantom", tmp_path, "--layout", "brain-mri").stderr


def test_the_cache_is_measured_and_cleared(program: Program, tmp_path: Path) -> None:
    segment = tmp_path / "key" / "segment-1"
    segment.mkdir(parents=True)
    (segment / "image.npy").write_bytes(bytes(5 * 2**20))
    assert "(5.0 MiB)" in program("data", "cache", "--cache-dir", tmp_path).stdout
    told = json.loads(program("data", "cache", "--cache-dir", tmp_path, "--clear", "--json").stdout)
    assert told == {"folder": os.fspath(tmp_path), "bytes": 0, "freed_bytes": 5 * 2**20}


def test_parts_are_those_of_a_split() -> None:
    assert PARTS == split_module.PARTS
