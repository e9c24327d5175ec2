"""Zip archives that mean harm."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from monai_tumor.clinical.archives import unpack_zip
from monai_tumor.clinical.limits import Limits
from monai_tumor.errors import WrongDataError


def unpacked(path: Path, limits: Limits | None = None) -> dict[str, str | None]:
    folder = path.parent / "scratch"
    folder.mkdir()
    found = {place.as_posix(): error for place, error in unpack_zip(path, folder, path.name, limits or Limits())}
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["scratch", path.name]
    return found


@pytest.fixture
def archive(tmp_path: Path):
    path = tmp_path / "given" / "x.zip"
    path.parent.mkdir()

    def write(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
        with zipfile.ZipFile(path, "w", method) as file:
            for name, content in members:
                file.writestr(name, content)
        return path

    return write


def test_members_keep_their_places(archive) -> None:
    path = archive(("a/b.png", b"one"), ("c.dcm", b"two"), (".hidden", b""), ("__MACOSX/c.dcm", b""))
    assert unpacked(path) == {"a/b.png": None, "c.dcm": None}
    assert (path.parent / "scratch" / "a" / "b.png").read_bytes() == b"one"


@pytest.mark.parametrize("name", ["../out.png", "a/../../out.png", "/out.png", "C:\\out.png", "a\\..\\out.png"])
def test_nothing_leads_out_of_the_folder(archive, name: str) -> None:
    path = archive((name, b"harm"))
    (error,) = unpacked(path).values()
    assert error is not None and "leads elsewhere" in error and not list((path.parent / "scratch").rglob("*.png"))


def test_links_are_left_out(archive) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    (error,) = unpacked(archive((link, b"/etc/passwd"))).values()
    assert error is not None and "is a link" in error


def test_a_doubled_name_does_not_replace_the_first(archive) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = archive(("a.png", b"first"), ("a.png", b"second"))
    assert "there twice" in (unpacked(path)["a.png"] or "")
    assert (path.parent / "scratch" / "a.png").read_bytes() == b"first"


def test_a_bomb_is_left_out_by_its_ratio(archive) -> None:
    (error,) = unpacked(archive(("a.nii", bytes(40 << 20)))).values()
    assert error is not None and "compressed more than 100 times" in error


def test_count_and_size_are_bounded(archive, tmp_path: Path) -> None:
    path = archive(("a", b"12345"), ("b", b"12345"))
    with pytest.raises(WrongDataError, match="holds 2 files, more than 1"):
        unpacked(path, Limits(members=1))
    (path.parent / "scratch").rmdir()
    with pytest.raises(WrongDataError, match="would unpack to"):
        unpacked(path, Limits(unpacked_bytes=9))


def test_a_size_that_lies_stops_at_what_was_claimed(archive) -> None:
    path = archive(("a.bin", bytes(3 << 20)))
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        at = content.index(signature) + offset
        content[at : at + 4] = (1000).to_bytes(4, "little")
    path.write_bytes(content)
    (error,) = unpacked(path).values()
    assert error is not None and "is damaged" in error and not (path.parent / "scratch" / "a.bin").exists()


def test_a_damaged_archive_is_one_line(archive) -> None:
    path = archive(("a", b"12345"))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(WrongDataError, match="damaged zip archive"):
        unpacked(path)


def test_an_encrypted_member_is_named(archive) -> None:
    path = archive(("a.png", b"12345"))
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    assert "is encrypted" in (unpacked(path)["a.png"] or "")
