"""Any layout to the layout of ``folder``, and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_tumor import registry
from monai_tumor.cases import Case
from monai_tumor.datasets import RegisteredDataset
from monai_tumor.datasets.case_table import TABLE_NAME
from monai_tumor.datasets.convert import convert_to_folder, open_source
from monai_tumor.datasets.folder import FolderDataset
from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.datasets.writing import distinct_names, refuse_destination
from monai_tumor.errors import WrongCallError, WrongDataError
from monai_tumor.imaging.write import write_mask, write_picture, write_text

PHANTOM = PhantomDataset(count=6, size=(64, 80))
GREY = np.arange(35, dtype=np.uint8).reshape(5, 7)
REAL = ["busi", "brain_lgg/kaggle_3m", "brain_flat", "thyroid_ddti", "thyroid_flat", "bus_bra", "brain_nifti"]
OWNERS = ["busi", "brain_mri", "brain_mri", "thyroid", "thyroid", "bus_bra", "brain_mri"]


def opened(name: str) -> RegisteredDataset:
    if name not in {item.name for item in registry.components("datasets")}:
        pytest.skip(f"the plug-in of {name} is not installed")
    return open_source(name)


def assert_reads_back(dataset: RegisteredDataset, cases: Sequence[Case], root: Path) -> None:
    again = FolderDataset().cases(root)
    assert [(case.id, case.group, case.label) for case in again] == [(c.id, c.group, c.label) for c in cases]
    for ours, theirs in zip(cases, again, strict=True):
        (image, reference), (image_read, reference_read) = dataset.load(ours), FolderDataset().load(theirs)
        assert image_read.dtype == image.dtype and np.array_equal(image_read, image)
        assert (reference is None) == (reference_read is None) == (theirs.masks is None)
        assert reference is None or np.array_equal(reference, reference_read)  # type: ignore[arg-type]


def converted(dataset: RegisteredDataset, cases: Sequence[Case], root: Path) -> dict[str, str]:
    failed = convert_to_folder(dataset, cases, root)
    assert_reads_back(dataset, [case for case in cases if case.id not in failed], root)
    return failed


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Grey, colour and 16 bits; two masks, an empty reference, no reference."""
    root = tmp_path / "mixed"
    write_picture(root / "g.png", GREY)
    write_picture(root / "c.png", np.stack([GREY, GREY.copy()[::-1], GREY], axis=-1))
    write_picture(root / "d.png", GREY.astype(np.uint16) * 1800)
    write_mask(root / "m1.png", GREY > 30)
    write_mask(root / "m2.png", GREY < 4)
    rows = [
        'colour (1),c.png,m1.png;m2.png,"benign, not sure",patient 1',
        "left/x.1,d.png,,,patient 2",
        "left/y,g.png,-,malignant,patient 1",
    ]
    write_text(root / TABLE_NAME, "\n".join(["id,image,mask,label,group", *rows]))
    return root


@pytest.mark.parametrize(
    ("layout", "name"),
    [("folder", "folder"), ("folder_suffix", "folder"), ("brain_mri", "brain_mri"), ("brain_mri_flat", "brain_mri")],
)
def test_phantoms_of_every_layout_read_back_equal(tmp_path: Path, layout: str, name: str) -> None:
    dataset = opened(name)
    PHANTOM.write(tmp_path / "before", layout)
    assert converted(dataset, dataset.cases(tmp_path / "before"), tmp_path / "after") == {}


@pytest.mark.parametrize(("folder", "name"), zip(REAL, OWNERS, strict=True))
def test_real_data_read_back_equal(tmp_path: Path, real_data: Path, folder: str, name: str) -> None:
    dataset = opened(name)
    cases = dataset.cases(real_data / folder)
    assert converted(dataset, cases[:: len(cases) // 12], tmp_path / "after") == {}


def test_depth_colours_and_kinds_of_reference_are_kept(mixed: Path, tmp_path: Path) -> None:
    assert converted(FolderDataset(), FolderDataset().cases(mixed), tmp_path / "after") == {}
    lines = (tmp_path / "after" / TABLE_NAME).read_text().splitlines()
    assert lines == [
        "id,image,mask,label,group",
        'colour (1),images/colour (1).png,masks/colour (1).png,"benign, not sure",patient 1',
        "left/x.1,images/left/x.1.png,,,patient 2",
        "left/y,images/left/y.png,-,malignant,patient 1",
    ]


def test_ids_that_some_disks_do_not_tell_apart_get_files_of_their_own(tmp_path: Path) -> None:
    phantoms = PHANTOM.cases()
    ids = ["A", "a", "b/c", "B/c", "d.png/e", "d"]
    cases = [Case(name, name, case.image, case.masks) for name, case in zip(ids, phantoms, strict=True)]
    convert_to_folder(PHANTOM, cases, tmp_path / "after")
    assert {case.id for case in FolderDataset().cases(tmp_path / "after")} == set(ids)
    images = {path.relative_to(tmp_path / "after" / "images").as_posix() for path in tmp_path.rglob("images/**/*.png")}
    assert images == {"A.png", "a-2.png", "B/c.png", "b/c-2.png", "d.png", "d_png/e.png"}


def test_ids_that_a_table_cannot_keep_apart_are_refused(tmp_path: Path) -> None:
    cases = [Case(name, name, PHANTOM.cases()[0].image, ()) for name in ("a", "a ")]
    with pytest.raises(WrongDataError, match="two cases have the id 'a'"):
        convert_to_folder(PHANTOM, cases, tmp_path / "after")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_named_and_the_others_go_on(mixed: Path, tmp_path: Path) -> None:
    (mixed / "d.png").write_bytes((mixed / "d.png").read_bytes()[:60])
    failed = converted(FolderDataset(), FolderDataset().cases(mixed), tmp_path / "after")
    assert list(failed) == ["left/x.1"] and "d.png is cut off or damaged" in failed["left/x.1"]


def test_nothing_is_left_where_no_case_can_be_read(mixed: Path, tmp_path: Path) -> None:
    cases = FolderDataset().cases(mixed)
    for name in "gcd":
        (mixed / f"{name}.png").write_bytes(b"")
    with pytest.raises(WrongDataError, match=r"none of 3 cases can be read, nothing was written: .*c\.png is empty"):
        convert_to_folder(FolderDataset(), cases, tmp_path / "after")
    assert not (tmp_path / "after").exists()


def test_colours_of_16_bits_are_not_cut_to_8(tmp_path: Path) -> None:
    class DeepDataset(PhantomDataset):
        def load(self, case: Case) -> Any:
            image, reference = super().load(case)
            return (np.stack([image] * 3, axis=-1).astype(np.uint16) if case.id.endswith("1") else image), reference

    failed = convert_to_folder(DeepDataset(count=2), PHANTOM.cases()[:2], tmp_path / "after")
    assert failed == {
        "phantom-0001": "case 'phantom-0001' has 16-bit colours, which PNG files here do not keep; use 8 bits"
    }


def test_masks_of_many_levels_need_a_threshold(tmp_path: Path) -> None:
    write_picture(tmp_path / "set" / "a.png", GREY)
    write_picture(tmp_path / "set" / "a_mask.png", GREY)
    cases = open_source("folder").cases(tmp_path / "set")
    with pytest.raises(WrongDataError, match=r"has 35 levels .* data convert --mask-threshold 127"):
        convert_to_folder(open_source("folder"), cases, tmp_path / "after")
    convert_to_folder(open_source("folder", mask_threshold=30), cases, tmp_path / "after")
    reference = FolderDataset().load(FolderDataset().cases(tmp_path / "after")[0])[1]
    assert reference is not None and np.array_equal(reference, GREY > 30)


def test_a_threshold_stays_with_the_data_set_that_was_opened() -> None:
    assert getattr(open_source("folder", 30), "mask_threshold", 0) == 30
    assert getattr(open_source("folder"), "mask_threshold", 0) is None


@pytest.mark.parametrize("name", ["phantom", "phantom_us"])
def test_a_data_set_without_files_is_answered(name: str) -> None:
    with pytest.raises(WrongCallError, match="reads no files; write its cases with: monai-tumor data phantom"):
        open_source(name)


def interrupted(cases: Sequence[Case]) -> RegisteredDataset:
    """A phantom whose last case is never loaded, because somebody pressed Ctrl-C."""

    class SlowDataset(PhantomDataset):
        def load(self, case: Case) -> Any:
            if case == cases[-1]:
                raise KeyboardInterrupt
            return super().load(case)

    return SlowDataset(count=len(cases), size=(64, 80))


@pytest.mark.parametrize("exists", [True, False])
def test_an_interrupted_conversion_leaves_what_was_there(tmp_path: Path, exists: bool) -> None:
    if exists:
        (tmp_path / "after").mkdir()
    with pytest.raises(KeyboardInterrupt):
        convert_to_folder(interrupted(PHANTOM.cases()), PHANTOM.cases(), tmp_path / "after")
    assert list(tmp_path.rglob("*")) == ([tmp_path / "after"] if exists else [])


def test_a_killed_conversion_does_not_look_like_a_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)  # nobody cleans up
    with pytest.raises(KeyboardInterrupt):
        convert_to_folder(interrupted(PHANTOM.cases()), PHANTOM.cases(), tmp_path / "after")
    assert len(list(tmp_path.rglob("*.png"))) > 0 and FolderDataset().recognises(tmp_path / "after") == 0


def test_a_full_disk_ends_the_conversion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WrongCallError, match="cannot be written: No space left on device"):
        convert_to_folder(PHANTOM, PHANTOM.cases(), tmp_path / "after")
    assert not (tmp_path / "after").exists()


def test_nothing_is_written_to_where_something_is(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()

    def refusal(destination: Path) -> str:
        with pytest.raises(WrongCallError) as caught:
            refuse_destination(tmp_path / "set", destination)
        return str(caught.value)

    assert "full is not empty and nothing is overwritten or mixed; give a new folder" in refusal(tmp_path / "full")
    assert "mine.txt is a file, expected a folder" in refusal(tmp_path / "full" / "mine.txt")
    assert "which would then contain its own copy" in refusal(tmp_path / "set" / "deep" / "after")
    assert "which would then contain its own copy" in refusal(tmp_path / "set")
    refuse_destination(tmp_path / "set", tmp_path / "set2")


@given(st.dictionaries(st.text("abAB-2", min_size=1, max_size=3), st.sampled_from(["a", "A", "a-2", "b"]), max_size=9))
def test_names_differ_whatever_the_order(wanted: dict[str, str]) -> None:
    names = distinct_names(wanted)
    assert len({name.casefold() for name in names.values()}) == len(wanted) == len(names)
    assert all(name.startswith(wanted[case_id]) for case_id, name in names.items())
    assert distinct_names(dict(reversed(wanted.items()))) == names
