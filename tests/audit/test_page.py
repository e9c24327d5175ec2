"""The page says everything, needs nothing else, and cannot be made to run what stands in a file."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_tumor.audit import page as page_module
from monai_tumor.audit.check import Audit, check
from monai_tumor.audit.drawing import Pictures
from monai_tumor.audit.page import build_page
from monai_tumor.datasets import open_dataset

_VOID = {"meta", "img", "br", "image", "use", "path", "rect"}


class Outline(HTMLParser):
    """Collects tags, texts and addresses, and refuses tags that do not close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def audit(doubled: Path) -> Audit:
    return check(open_dataset("folder"), doubled, read_texts=False)


def test_every_finding_and_example_is_on_the_page(audit: Audit) -> None:
    text = " ".join(Outline(build_page(audit)).texts)
    for finding in audit.findings:
        assert finding.title in text and finding.why in text and finding.step in text
        for example in finding.examples:
            assert example.text in text and all(case in text for case in example.cases)
    assert text.index(audit.verdict) < text.index("Images held out") < text.index("What was found")


def test_it_asks_for_nothing_from_outside(audit: Audit) -> None:
    page = build_page(audit)
    outline = Outline(page)
    assert not re.search(r"https?:|//\w", re.sub(r"base64,[\w+/=]+", "", page))
    assert "script" not in outline.tags and "link" not in outline.tags
    addresses = [value or "" for _, name, value in outline.attributes if name in ("href", "src")]
    assert addresses and all(value.startswith(("#", "data:image/jpeg;base64,")) for value in addresses)


def test_every_link_inside_leads_somewhere(audit: Audit) -> None:
    outline = Outline(build_page(audit))
    names = [value for _, name, value in outline.attributes if name == "id"]
    targets = {(value or "")[1:] for _, name, value in outline.attributes if name == "href" and (value or "")[0] == "#"}
    assert targets <= set(names) and len(names) == len(set(names))


def test_each_picture_is_stored_once_and_has_words(audit: Audit) -> None:
    outline = Outline(build_page(audit))
    stored = [value for tag, name, value in outline.attributes if tag == "image" and name == "href"]
    assert len(stored) == len(set(stored)) + 1  # two cases have the same pixels
    assert outline.tags.count("use") > len(stored)
    labels = [value for tag, name, value in outline.attributes if tag == "svg" and name == "aria-label"]
    assert len(labels) == outline.tags.count("use") and all(labels)


def test_contradicting_masks_are_drawn_on_one_picture(audit: Audit) -> None:
    section = build_page(audit).split('id="masks_contradict"')[1].split("</section>")[0]
    assert section.count('class="reference"') == 3 and section.count('class="carried"') == 1
    assert "other-mask-of-3 with both outlines, that of c3 dashed" in section


def test_what_files_say_is_never_markup(clean) -> None:
    image = clean.pictures[0][0]
    evil = "<script>alert(1)</script>"
    clean.add("stranger", image[::-1], label=evil, group=f"{evil}&")
    clean.folder = clean.folder.rename(clean.folder.with_name("a <b>&c"))
    page = build_page(clean.check())
    assert evil not in page and "<b>&c" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "a &lt;b&gt;&amp;c" in page
    assert "script" not in Outline(page).tags


def test_more_examples_than_fit_are_counted(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "_SHOWN", {"error": (1, 1), "warning": (1, 1), "note": (2, 1)})
    page = build_page(audit)
    assert "1 more in check.json" in page and "<summary>1 more</summary>" in page


def test_a_picture_that_cannot_be_read_is_said_to_be_missing(clean) -> None:
    (clean.folder / "images" / "a0.png").write_bytes(b"")
    (clean.folder / "masks" / "a1_0.png").write_bytes(b"")
    section = build_page(clean.check()).split('id="unreadable"')[1].split("</section>")[0]
    assert section.count("no picture") == 1 and section.count("<use") == 1


def test_only_so_many_pictures_are_stored(doubled: Path) -> None:
    dataset = open_dataset("folder")
    pictures = Pictures(dataset, dataset.cases(doubled), most=2)
    drawn = [pictures.draw(name, {}) for name in ("c0", "c1", "c2", "c0")]
    assert [bool(one) for one in drawn] == [True, True, False, True]
    assert pictures.definitions().count("<image") == 2


def test_a_detail_has_the_pixels_of_the_file(scans) -> None:
    scans.add("a", scans.pictures[0][0])
    dataset = open_dataset("folder")
    detail = Pictures(dataset, dataset.cases(scans.folder)).detail("a", (2, 50, 20, 60))
    cut = Image.open(io.BytesIO(base64.b64decode(re.findall(r"base64,([^\"]+)", detail)[0])))
    assert (cut.height, cut.width) == (25, 66)
    assert np.abs(np.asarray(cut, int) - scans.pictures[0][0][:25, 47:113]).mean() < 8


def test_outlines_and_boxes_are_in_pixels_of_the_file(scans) -> None:
    image, mask = np.full((400, 800), 90, np.uint8), np.zeros((400, 800), bool)
    image[:, ::9] = 20
    mask[100:201, 300:401] = True
    scans.add("a", image, mask)
    dataset = open_dataset("folder")
    drawn = Pictures(dataset, dataset.cases(scans.folder)).draw("a", {"a": [(10, 20, 30, 40)]})
    assert 'viewBox="0 0 800 400"' in drawn
    assert '<rect class="suspect" x="20" y="10" width="40" height="30"/>' in drawn
    assert sorted(re.findall(r"[\d.]+ [\d.]+(?=[LZ])", drawn)) == [
        "300.5 100.5",
        "300.5 200.5",
        "400.5 100.5",
        "400.5 200.5",
    ]


def test_a_page_of_300_pairs_stays_below_15_mb(scans) -> None:
    """The size of one picture of noise, the worst that JPEG meets, times the most that is stored."""
    noise = np.random.default_rng(0).integers(0, 256, (360, 560), np.uint8)
    smooth = np.asarray(noise // 2 + scans.pictures[0][0].max() // 4, np.uint8)
    scans.add("a", smooth)
    dataset = open_dataset("folder")
    pictures = Pictures(dataset, dataset.cases(scans.folder))
    pictures.draw("a", {})
    assert 600 * len(pictures.definitions()) < 15e6
