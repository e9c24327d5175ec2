"""Decoding in a child: the same result, and bounded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import nibabel
import numpy as np
import pytest

from monai_tumor.clinical.find import find_inputs
from monai_tumor.clinical.isolate import IsolatedReader, decode_isolated
from monai_tumor.clinical.items import InputItem
from monai_tumor.clinical.kinds import FileKind
from monai_tumor.clinical.limits import Limits
from monai_tumor.clinical.read import read_source
from monai_tumor.errors import WrongDataError

limited = pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of a process")


@pytest.fixture(scope="module")
def reader() -> Iterator[IsolatedReader]:
    with IsolatedReader(memory_mb=2048, cpu_seconds=30) as reader:
        yield reader


def test_the_same_image_comes_back(tmp_path: Path, write_series, write_dicom, block, ramp, regions, reader) -> None:
    write_series(tmp_path, block)
    write_dicom(tmp_path / "us.dcm", ramp, SequenceOfUltrasoundRegions=regions((1, 0, 6, 3, 0.0125, 0.01)))
    nibabel.save(nibabel.Nifti1Image(block, np.diag([1, 2, 3, 1])), tmp_path / "v.nii.gz")
    for item in find_inputs([tmp_path]):
        ours, theirs = read_source(item), reader.read(item)
        assert np.array_equal(ours.stack, theirs.stack) and theirs.stack.dtype == ours.stack.dtype
        assert repr(ours.geometry) == repr(theirs.geometry) and ours.crop == theirs.crop
        same = {field.name for field in fields(ours)} - {"stack", "geometry", "origin"}
        assert all(getattr(ours, name) == getattr(theirs, name) for name in same)
        assert all(getattr(ours.origin, part.name) == getattr(theirs.origin, part.name) for part in fields(ours.origin))


def test_refusals_come_back_as_they_are(tmp_path: Path, write_dicom, ramp, reader: IsolatedReader) -> None:
    item = find_inputs([write_dicom(tmp_path / "x.dcm", ramp, Rows=600)])[0]
    with pytest.raises(WrongDataError, match="x is cut off: 48 of 4,800 bytes of pixels"):
        reader.read(item)


def test_one_child_reads_many_and_a_new_one_follows_a_killed_one(tmp_path: Path, write_dicom, ramp, reader) -> None:
    item = find_inputs([write_dicom(tmp_path / "x.dcm", ramp)])[0]
    reader.read(item)
    first = reader._child.pid
    reader.read(item)
    assert reader._child.pid == first
    os.kill(first, signal.SIGKILL)
    reader._child.wait()
    assert np.array_equal(reader.read(item).frame(0), ramp) and reader._child.pid != first


def test_pixels_outlive_their_file_and_their_child(tmp_path: Path, write_dicom, ramp: np.ndarray) -> None:
    with IsolatedReader() as reader:
        image = reader.read(find_inputs([write_dicom(tmp_path / "x.dcm", ramp)])[0])
    assert np.array_equal(image.frame(0), ramp)


@limited
def test_too_much_memory_is_one_line(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(np.zeros((400, 400, 300), np.int16), np.eye(4)), tmp_path / "v.nii.gz")
    with IsolatedReader(memory_mb=64) as reader, pytest.raises(WrongDataError) as caught:
        reader.read(find_inputs([tmp_path])[0])
    assert str(caught.value).startswith("v needs more memory") and "\n" not in str(caught.value)


@limited
def test_the_system_ends_a_child_that_computes_too_long() -> None:
    code = "from monai_tumor.clinical.memory import limit_cpu; limit_cpu(0)\nwhile True: pass"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, timeout=60).returncode == -signal.SIGXCPU


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGXCPU, "x needs more than 60 s of processor time"),
        (signal.SIGKILL, "x was ended by the system"),
        (signal.SIGSEGV, "x made the decoder crash"),
    ],
)
def test_a_killed_child_is_one_line(tmp_path: Path, number: int, words: str) -> None:
    os.mkfifo(tmp_path / "pipe")  # who opens it waits for a writer that never comes
    with IsolatedReader() as reader, pytest.raises(WrongDataError, match=words) as caught:
        threading.Timer(2, lambda: reader._child.send_signal(number)).start()
        reader.read(InputItem("x", FileKind.PICTURE, (tmp_path / "pipe",)))
    assert "\n" not in str(caught.value)


def test_a_decoder_that_never_ends_is_stopped_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monai_tumor.clinical.isolate._CLOCK_SECONDS", 2)
    monkeypatch.setattr("monai_tumor.clinical.isolate._CLOCK_FACTOR", 0)
    os.mkfifo(tmp_path / "pipe")
    with IsolatedReader() as reader, pytest.raises(WrongDataError, match="x did not come to an end"):
        reader.read(InputItem("x", FileKind.PICTURE, (tmp_path / "pipe",)))


def test_limits_reach_the_child(tmp_path: Path, write_dicom, ramp: np.ndarray) -> None:
    with IsolatedReader(limits=Limits(decoded_bytes=10)) as reader, pytest.raises(WrongDataError, match="x claims"):
        reader.read(find_inputs([write_dicom(tmp_path / "x.dcm", ramp)])[0])


def test_the_short_way(tmp_path: Path, write_dicom, ramp: np.ndarray) -> None:
    item = find_inputs([write_dicom(tmp_path / "x.dcm", ramp)])[0]
    assert np.array_equal(decode_isolated(item, 2048, 30).frame(0), ramp)
    with pytest.raises(WrongDataError, match="broken"):
        decode_isolated(InputItem("x", FileKind.UNKNOWN, (), "x is broken"))


def test_reading_imports_no_deep_learning(tmp_path: Path, write_dicom, ramp: np.ndarray) -> None:
    write_dicom(tmp_path / "x.dcm", ramp)
    code = (
        "import sys; from monai_tumor.clinical.find import find_inputs; from monai_tumor.clinical.read import read_source;"
        "from monai_tumor.clinical.itk_files import load_itk;"
        "read_source(find_inputs([sys.argv[1]])[0]); load_itk().GDCMImageIO.New(); print({'torch', 'monai'} & {*sys.modules})"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.check_output([sys.executable, "-c", code, tmp_path], text=True, env=environment) == "set()\n"
