"""The benchmark of burned-in marks counts what is listed, what else is flagged, and gives Wilson's interval."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(ROOT / "benchmarks" / "burned_in_marks.py"), str(folder), *options]
    return subprocess.run(words, check=False, capture_output=True, text=True)


@pytest.fixture
def pictures(tmp_path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, words in enumerate(["LEFT BREAST", "", "RIGHT BREAST", "LEFT BREAST"]):
        image = np.random.default_rng(number).integers(40, 60, (101, 203)).astype(np.uint8)
        cv2.putText(image, words, (20, 71), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 235, 1)
        cv2.imwrite(str(folder / f"breast ({number}).png"), image)
    return folder


def test_listed_and_other_pictures_are_counted_apart(pictures, tmp_path):
    listed = tmp_path / "listed.json"
    listed.write_text(json.dumps({"text": ["breast (0)", "breast (1)", "breast (3)"]}), encoding="utf-8")
    done = run(pictures, "--listed", str(listed), "--out", str(tmp_path / "out.json"))
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    text = content["folders"]["pictures"]["kinds"]["text"]
    # Wilson's interval of 2 in 3 from a table: 20.8 % to 93.9 %.
    assert text["recall"] == {"hits": 2, "of": 3, "share": 0.6667, "interval": [0.2077, 0.9385]}
    assert [text["recall_odd"]["hits"], text["recall_odd"]["of"]] == [1, 2]
    assert [text["missed"], text["others"]] == [["breast (1)"], ["breast (2)"]]


def test_an_unknown_kind_is_answered_in_one_line(pictures, tmp_path):
    listed = tmp_path / "listed.json"
    listed.write_text(json.dumps({"letters": []}), encoding="utf-8")
    done = run(pictures, "--listed", str(listed), "--quick")
    assert done.returncode == 1
    assert "letters" in done.stderr and "Traceback" not in done.stderr


def test_the_result_on_file_names_no_path_of_a_machine():
    text = (ROOT / "benchmarks" / "results" / "burned_in_marks.json").read_text(encoding="utf-8")
    assert json.loads(text)["quick"] is False
    assert not any(folder in text for folder in ("/home", "/work", "/tmp", "/root"))
