"""A validator of DICOM finds no error in what is written, of every kind of source."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from monai_tumor.clinical.find import find_inputs
from monai_tumor.clinical.out_findings import FINDINGS, Algorithm
from monai_tumor.clinical.out_report import MeasuredFinding, write_report_sr
from monai_tumor.clinical.out_segmentation import write_segmentation
from monai_tumor.clinical.read import read_source
from monai_tumor.clinical.source import SourceImage
from monai_tumor.errors import WrongDataError

pytest.importorskip("highdicom")
pytestmark = pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")

MODEL = Algorithm("brain", "0.3.1", "5e" * 32)
PARTS = [FINDINGS["enhancing tumour"], FINDINGS["oedema"]]
KINDS = {
    "phantom/mr_series": "slices",
    "phantom/us_cine.dcm": "cine with regions",
    "us/examples_ybr_color.dcm": "lossy cine",
    "us/OBXXXX1A_rle_2frame.dcm": "palette cine",
    "us/examples_rgb_color.dcm": "colour still",
    "us/JPGLosslessP14SV1_1s_1f_8b.dcm": "grey still with regions",
    "us/JPEGLosslessP14SV1_3s_2f_u_08_08.dcm": "time with nine decimals",
    "seg/23x38x3/mf.dcm": "enhanced",
    "mr/MR_small.dcm": "single slice",
    "mr/examples_overlay.dcm": "slice without a place",
    "other/dx_image.dcm": "projection",
}


@pytest.fixture(params=KINDS)
def source(real_data: Path, request) -> SourceImage:
    path = real_data / "dicom" / request.param
    if not path.exists():
        pytest.skip("no DICOM samples in the folder of real data")
    (item,) = find_inputs([path])
    try:
        return read_source(item)
    except WrongDataError as error:
        pytest.skip(f"not readable here: {error}")


def errors_of(path: Path) -> list[str]:
    told = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, timeout=60, check=False)
    assert "Segmentation" in told.stderr or "SR" in told.stderr, told.stderr  # it knew what it was given
    return [line for line in (told.stdout + told.stderr).splitlines() if line.startswith("Error")]


@pytest.mark.parametrize("highest", [0, 1, 2], ids=["nothing", "first of two", "both"])
def test_no_error_is_found(tmp_path: Path, source: SourceImage, highest: int) -> None:
    mask = np.zeros((source.frames, source.rows, source.columns), np.uint8)
    mask[0, 3:9, 5:7] = min(highest, 1)
    mask[source.frames // 2, 12:14, -4:-1] = highest
    write_segmentation(tmp_path / "seg.dcm", mask, source, PARTS, MODEL)
    write_segmentation(tmp_path / "one.dcm", mask > 0, source, PARTS[:1], MODEL)
    frame = MeasuredFinding(PARTS[0], area=12, longest_diameter=5, short_axis=4.8, probability=0.5, frame=0)
    whole = MeasuredFinding(PARTS[0], volume=12, probability_of_cancer=0.5)
    write_report_sr(tmp_path / "sr.dcm", [frame, whole], source, MODEL, tmp_path / "seg.dcm")
    write_report_sr(tmp_path / "alone.dcm", [frame, whole], source, MODEL)
    assert {name: errors_of(tmp_path / name) for name in ("seg.dcm", "one.dcm", "sr.dcm", "alone.dcm")} == {
        "seg.dcm": [],
        "one.dcm": [],
        "sr.dcm": [],
        "alone.dcm": [],
    }
