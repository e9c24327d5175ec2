"""Text is read where it stands, without a network, and a missing library is answered by None or by one line."""

from __future__ import annotations

import socket

import cv2
import numpy as np
import pytest

from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.errors import WrongCallError
from monai_tumor.imaging import text as module
from monai_tumor.imaging.leaks import label_leaks, personal_data
from monai_tumor.imaging.read import read_image

# The images of DDTI with a TI-RADS burned in, by eye: case and image.
LEAKS = {
    *(
        "294_3",
        "304_1",
        "313_1",
        "313_2",
        "315_2",
        "318_1",
        "318_2",
        "337_1",
        "337_2",
        "338_1",
        "338_2",
        "346_1",
        "353_1",
    ),
    *(
        "353_2",
        "356_1",
        "358_1",
        "358_2",
        "359_1",
        "359_2",
        "366_1",
        "366_2",
        "366_3",
        "369_1",
        "378_1",
        "384_1",
        "389_1",
    ),
    "396_1",
}


@pytest.fixture(scope="module")
def reader():
    reason = "text is read by an optional library: pip install 'monai-tumor[ocr]'"
    pytest.importorskip("rapidocr", reason=reason)
    pytest.importorskip("onnxruntime", reason=reason)
    return module.TextReader()


def captioned(words: str, rows: int = 301, columns: int = 407) -> np.ndarray:
    phantom = PhantomDataset(count=4, style="us", size=(rows, columns))
    image = phantom.load(phantom.cases()[3])[0] // 2
    cv2.putText(image, words, (41, 232), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 235, 1, cv2.LINE_AA)
    return image


@pytest.mark.parametrize("words", ["TIRADS 4C", "LEFT BREAST"])
def test_a_caption_is_read_with_its_place(reader, words):
    (found,) = reader.read(captioned(words))
    assert found.text.replace(" ", "") == words.replace(" ", "")
    assert 0.8 < found.score <= 1
    row, column, rows, columns = found.box
    assert row <= 226 < row + rows
    assert column - 5 <= 41 < column + columns


def test_colour_and_depth_make_no_difference(reader):
    image = captioned("TIRADS 4C")
    yellow = np.stack([image, image, np.where(image == 235, 60, image)], axis=2).astype(np.uint8)
    texts = [found.text for picture in (image.astype(np.uint16) * 200, yellow) for found in reader.read(picture)]
    assert label_leaks(texts) == texts != []


def test_a_picture_without_suspects_is_read_only_on_demand(reader, monkeypatch):
    monkeypatch.setattr(module, "find_captions", lambda grey: [])
    assert reader.read(captioned("LEFT BREAST")) == []
    assert reader.read(captioned("LEFT BREAST"), everywhere=True) != []


def test_nothing_is_read_from_an_unmarked_picture(reader):
    assert reader.read(captioned(""), everywhere=True) == []


def test_the_reader_never_asks_the_network(reader, monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert module.TextReader().read(captioned("RIGHT BREAST"))


def test_without_the_library_there_is_no_reader(monkeypatch):
    monkeypatch.setattr(module, "_networks", lambda: None)
    assert module.text_reader() is None
    with pytest.raises(WrongCallError, match=r"pip install 'monai-tumor\[ocr\]'"):
        module.TextReader()


@pytest.mark.slow
def test_every_burned_in_tirads_is_read_and_no_other_text_taken_for_one(reader, real_data):
    files = sorted((real_data / "thyroid_ddti").glob("*.jpg"))
    leaking = {file.stem for file in files if label_leaks(found.text for found in reader.read(read_image(file)))}
    assert len(leaking & LEAKS) >= 26, LEAKS - leaking
    assert len(leaking - LEAKS) <= 1, leaking - LEAKS


@pytest.mark.parametrize(("name", "age"), [("0004-l", 66), ("0140-l", 28), ("0179-l", 42), ("0290-l", 31)])
def test_ages_are_read(reader, real_data, name, age):
    texts = [found.text for found in reader.read(read_image(real_data / f"bus_bra/Images/bus_{name}.png"))]
    assert any(str(age) in text for text in personal_data(texts)), texts
