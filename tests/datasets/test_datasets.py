"""Opening data sets by name, content digests, the base class, and the contract kit itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from monai_tumor.cases import Case
from monai_tumor.datasets import RegisteredDataset, content_digest, open_dataset
from monai_tumor.datasets.base import FileDataset
from monai_tumor.datasets.files import list_files
from monai_tumor.datasets.folder import FolderDataset
from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.testing import check_dataset


class NumberedDataset(FileDataset):
    """What a plug-in author writes."""

    name = "numbered"
    modality = "US"
    organ = "liver"
    layout = "DIR/7.png"

    def recognises(self, folder: Path) -> bool:
        return bool(list_files(folder, (".png",)))

    def find_cases(self, folder: Path) -> Iterator[Case]:
        for path in list_files(folder, (".png",)):
            yield Case(path.stem, path.stem, str(path), None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    PhantomDataset(count=3, size=(64, 80)).write(tmp_path / "set")
    return tmp_path / "set"


def test_data_sets_open_by_name() -> None:
    sources: list[RegisteredDataset] = [
        open_dataset("phantom"),
        open_dataset("folder"),
        open_dataset("phantom_us"),
        PhantomDataset(),
        FolderDataset(),
        PhantomDataset(style="us"),
    ]
    assert [source.name for source in sources] == ["phantom", "folder", "phantom_us"] * 2
    with pytest.raises(WrongCallError, match="did you mean 'phantom'"):
        open_dataset("fantom")


def test_a_short_plug_in_keeps_the_contract(root: Path) -> None:
    check_dataset(NumberedDataset, root / "images")


def test_the_digest_follows_content_not_place(root: Path, tmp_path: Path) -> None:
    dataset = FolderDataset()
    here = [content_digest(dataset, case) for case in dataset.cases(root)]
    shutil.copytree(root, tmp_path / "copy")
    assert [content_digest(dataset, case) for case in dataset.cases(tmp_path / "copy")] == here
    assert len(set(here)) == 3 and all(len(digest) == 32 for digest in here)


def test_the_digest_changes_with_the_file_and_differs_between_slices(root: Path) -> None:
    dataset, case = FolderDataset(), FolderDataset().cases(root)[0]
    before = content_digest(dataset, case)
    Path(case.image).write_bytes(Path(case.image).read_bytes() + b"x")
    slices = [Case(case.id, case.group, case.image, case.masks, index=index) for index in (0, 1)]
    assert len({before, content_digest(dataset, case), *(content_digest(dataset, one) for one in slices)}) == 4


def test_the_digest_of_a_phantom_knows_its_settings() -> None:
    variants = [PhantomDataset(), PhantomDataset(seed=1), PhantomDataset(style="us"), PhantomDataset(size=(64, 80))]
    digests = [content_digest(phantom, phantom.cases()[0]) for phantom in variants]
    assert len(set(digests)) == 4 and digests[0] == content_digest(PhantomDataset(), PhantomDataset().cases()[0])


def test_the_digest_of_a_vanished_file_is_refused() -> None:
    with pytest.raises(WrongDataError, match=r"gone\.png cannot be read: No such file"):
        content_digest(FolderDataset(), Case("a", "a", "gone.png", None))


def test_nothing_here_imports_torch() -> None:
    code = (
        "import sys, monai_tumor.datasets.folder, monai_tumor.datasets.phantom, monai_tumor.testing,"
        "monai_tumor.imaging.pictures, monai_tumor.imaging.write; print({'torch', 'monai', 'scipy'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"


def faulty(**changes: object) -> PhantomDataset:
    kind: type[PhantomDataset] = type("FaultyDataset", (PhantomDataset,), changes)
    return kind(count=4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": ""}, "task is ''; give it a text"),
        ({"api": 2}, "api is 2, the contract version is 1"),
        ({"cases": lambda self, root: PhantomDataset.cases(self, root)[::-1]}, "not sorted by id"),
        ({"cases": lambda self, root: []}, "raise WrongDataError where nothing is found"),
        ({"cases": lambda self, root: PhantomDataset.cases(self)[:1] * 2}, "two cases have one id"),
        ({"load": lambda self, case: (np.zeros((4, 5)), None)}, "image is float64, expected uint8 or uint16"),
        ({"load": lambda self, case: (np.zeros((4, 5), np.uint8), None)}, "must be None exactly if case.masks is None"),
        (
            {"load": lambda self, case: (np.zeros((4, 5), np.uint8), np.zeros((5, 4), bool))},
            r"shape \(5, 4\) on an image of \(4, 5\)",
        ),
        ({"layout": "DIR/x.png"}, "cases.* of a 'other' folder gave 4 cases; raise WrongDataError"),
    ],
)
def test_the_kit_finds_broken_contracts(changes: dict[str, object], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_dataset(faulty(**changes), None)
