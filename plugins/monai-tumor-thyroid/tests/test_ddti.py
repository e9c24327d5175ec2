"""XML files beside images: cases, what has no reference, and what is refused."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tumor_thyroid import ThyroidDataset
from tumor_thyroid.annotation import MAX_BYTES

from monai_tumor.cases import Case
from monai_tumor.datasets import content_digest
from monai_tumor.errors import WrongDataError
from monai_tumor.testing import check_dataset

REAL = Path(os.environ.get("MONAI_TUMOR_DATA", Path(__file__).parents[4] / "shared" / "data"))
real_data = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real data in {REAL}; set MONAI_TUMOR_DATA")
SHAPE = (36, 56)
LESION = [(20, 5), (29, 5), (29, 9), (20, 9)]  # x, y: columns 20 to 29, rows 5 to 9
LESION_PX = 10 * 5


def svg(*contours: list[tuple[int, int]]) -> str:
    return json.dumps([{"points": [{"x": x, "y": y} for x, y in one], "regionType": "freehand"} for one in contours])


def annotate(root: Path, number: int, marks: dict[int, str], tirads: str = "4a", name: str = "") -> Path:
    marked = "".join(f"<mark><image>{image}</image><svg>{text}</svg></mark>" for image, text in marks.items())
    path = root / (name or f"{number}.xml")
    path.write_text(f"<case><number>{number}</number><sex>F</sex><tirads>{tirads}</tirads>{marked}</case>")
    return path


def picture(root: Path, name: str) -> None:
    pixels = np.random.default_rng(len(name)).integers(0, 255, (*SHAPE, 3), np.uint8)
    Image.fromarray(pixels).save(root / name, "JPEG")


def write(root: Path, number: int, marks: dict[int, str], tirads: str = "4a") -> None:
    annotate(root, number, marks, tirads)
    for image in marks:
        picture(root, f"{number}_{image}.jpg")


@pytest.fixture
def two_cases(tmp_path: Path) -> Path:
    write(tmp_path, 7, {1: svg(LESION), 2: svg(LESION, [(1, 20), (4, 20), (4, 30)])})
    write(tmp_path, 114, {2: svg(LESION)}, tirads="")  # image numbers need not begin at 1
    return tmp_path


def cases_of(root: Path) -> dict[str, Case]:
    return {case.id: case for case in ThyroidDataset().cases(root)}


def area(root: Path, name: str) -> int | None:
    reference = ThyroidDataset().load(cases_of(root)[name])[1]
    return None if reference is None else int(reference.sum())


def remarks(root: Path, case: str | None) -> str:
    return "\n".join(remark.text for remark in ThyroidDataset().remarks(root) if remark.case == case)


def refusal(root: Path) -> str:
    with pytest.raises(WrongDataError) as caught:
        ThyroidDataset().cases(root)
    return str(caught.value)


def test_contract(two_cases: Path) -> None:
    check_dataset(ThyroidDataset, two_cases)
    assert ThyroidDataset().recognises(two_cases) == 1 and ThyroidDataset().recognises(two_cases.parent) == 0


def test_the_case_is_the_group_and_the_tirads_the_label(two_cases: Path) -> None:
    told = [(case.id, case.group, case.label) for case in ThyroidDataset().cases(two_cases)]
    assert told == [
        ("7_1", "case-7", "TI-RADS 4a"),
        ("7_2", "case-7", "TI-RADS 4a"),
        ("114_2", "case-114", None),
    ]
    assert "1 of 2 XML files have no TI-RADS" in remarks(two_cases, None)


def test_contours_are_filled_where_they_were_drawn(two_cases: Path) -> None:
    image, reference = ThyroidDataset().load(cases_of(two_cases)["114_2"])
    assert image.shape == (*SHAPE, 3) and reference is not None
    assert reference[5:10, 20:30].all() and reference.sum() == LESION_PX
    assert not remarks(two_cases, "114_2")


def test_repeated_contours_count_once(tmp_path: Path) -> None:
    write(tmp_path, 294, {1: svg(LESION, LESION, LESION), 2: svg(LESION, LESION)})
    assert area(tmp_path, "294_1") == area(tmp_path, "294_2") == LESION_PX


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (svg(LESION)[:-9], "is cut off or damaged"),
        ("", "is empty"),
        (svg([(3, 3), (9, 20)]), "has no contour that encloses anything"),
        (svg([(3, 3), (9, 9), (12, 12)]), "has no contour that encloses anything"),
    ],
)
def test_without_a_whole_contour_there_is_no_reference_and_a_remark(tmp_path: Path, text: str, reason: str) -> None:
    write(tmp_path, 54, {1: text, 2: svg(LESION)})
    assert cases_of(tmp_path)["54_1"].masks is None and area(tmp_path, "54_1") is None
    assert f"the mark of image 1 in 54.xml {reason}" in remarks(tmp_path, "54_1")
    assert area(tmp_path, "54_2") == LESION_PX


def test_an_image_that_nothing_names_has_no_reference(two_cases: Path) -> None:
    picture(two_cases, "7_5.jpg")
    picture(two_cases, "8_1.jpg")
    found = cases_of(two_cases)
    assert found["7_5"].masks is None and found["7_5"].label == "TI-RADS 4a"
    assert found["8_1"].masks is None and found["8_1"].label is None and found["8_1"].group == "case-8"
    assert "the mark of image 5 in 7.xml is absent: no reference" in remarks(two_cases, "7_5")
    assert "there is no 8.xml" in remarks(two_cases, "8_1")


def test_a_drawing_of_two_points_is_left_out_and_remarked(tmp_path: Path) -> None:
    write(tmp_path, 358, {1: svg(LESION, [(3, 3), (9, 30)])})
    assert area(tmp_path, "358_1") == LESION_PX
    assert "1 drawing encloses nothing (an arrow or a line)" in remarks(tmp_path, "358_1")


def test_a_contour_that_leaves_the_image_is_cut_and_remarked(tmp_path: Path) -> None:
    write(tmp_path, 338, {1: svg(LESION, [(2, 34), (5, 34), (5, 50), (2, 50)]), 2: svg([(54, 3), (57, 3), (57, 5)])})
    assert area(tmp_path, "338_1") == LESION_PX + 2 * 4
    assert "leaves the image (rows 34 to 50, columns 2 to 5)" in remarks(tmp_path, "338_1")
    assert not remarks(tmp_path, "338_2")  # a slip of the hand


def test_contours_that_miss_the_image_are_refused_and_no_empty_reference(tmp_path: Path) -> None:
    write(tmp_path, 9, {1: svg([(2, 60), (5, 60), (5, 70)])})
    with pytest.raises(WrongDataError, match=r"9\.xml: no contour meets .*9_1\.jpg of 36 rows and 56 columns"):
        area(tmp_path, "9_1")


def test_capital_suffixes_are_read(tmp_path: Path) -> None:
    annotate(tmp_path, 3, {1: svg(LESION)}, "4C", name="3.XML")
    picture(tmp_path, "3_1.JPG")
    assert area(tmp_path, "3_1") == LESION_PX and cases_of(tmp_path)["3_1"].label == "TI-RADS 4c"


def test_missing_images_are_counted_and_named(two_cases: Path) -> None:
    annotate(two_cases, 9, {number: svg(LESION) for number in range(1, 6)})
    assert "5 images with contours in the XML are missing: 9_1.jpg, 9_2.jpg, 9_3.jpg and 2 more" in refusal(two_cases)


def test_an_empty_mark_without_an_image_costs_nothing(two_cases: Path) -> None:
    annotate(two_cases, 9, {1: ""})
    assert len(cases_of(two_cases)) == 3
    assert "there is no image 9_1, and its mark is empty: no case" in remarks(two_cases, None)


def test_odd_names_and_categories_are_remarked(two_cases: Path) -> None:
    annotate(two_cases, 7, {1: svg(LESION), 2: svg(LESION)}, "6")
    annotate(two_cases, 115, {2: svg(LESION)}, name="114.xml")
    picture(two_cases, "logo.jpg")
    text = remarks(two_cases, None)
    assert "114.xml says that it is case '115'" in text and "1 of 2 XML files have the unknown TI-RADS '6'" in text
    assert "1 image is not named CASE_IMAGE and is left out: logo.jpg" in text
    assert cases_of(two_cases)["7_1"].label is None


def test_remarks_survive_a_damaged_image(two_cases: Path) -> None:
    (two_cases / "7_1.jpg").write_bytes(b"no picture")
    assert not remarks(two_cases, "7_1")
    with pytest.raises(WrongDataError, match=r"7_1\.jpg"):
        area(two_cases, "7_1")


def test_listing_decodes_no_image(two_cases: Path) -> None:
    for path in two_cases.glob("*.jpg"):
        path.write_bytes(b"")
    assert len(cases_of(two_cases)) == 3


def test_a_changed_file_is_read_anew(two_cases: Path) -> None:
    assert area(two_cases, "114_2") == LESION_PX
    annotate(two_cases, 114, {2: svg([(1, 1), (2, 1), (2, 2), (1, 2)])})
    assert area(two_cases, "114_2") == 4


def test_a_mark_that_is_lost_after_listing_is_no_empty_reference(two_cases: Path) -> None:
    case = cases_of(two_cases)["114_2"]
    annotate(two_cases, 114, {2: ""})
    with pytest.raises(WrongDataError, match=r"the mark of image 2 is empty; list the data set anew"):
        ThyroidDataset().load(case)


def test_equal_images_of_one_case_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path, 1, {1: svg(LESION), 2: svg([(1, 1), (8, 1), (8, 9)])})
    (tmp_path / "1_2.jpg").write_bytes((tmp_path / "1_1.jpg").read_bytes())
    first, second = ThyroidDataset().cases(tmp_path)
    assert content_digest(ThyroidDataset(), first) != content_digest(ThyroidDataset(), second)


def test_entities_are_refused(two_cases: Path) -> None:
    lines = ['<!DOCTYPE case [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>', "<case><tirads>&b;</tirads></case>"]
    (two_cases / "7.xml").write_text("\n".join(lines))
    assert "7.xml declares a document type or an entity" in refusal(two_cases)
    (two_cases / "7.xml").write_text("\n".join(lines), encoding="utf-16")
    assert "7.xml is not XML that can be read" in refusal(two_cases)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<case><number>7", "7.xml is not XML that can be read"),
        ("", "7.xml is not XML that can be read"),
        ("<annotation/>", "7.xml is a <annotation>, expected a DDTI <case>"),
        ("<case><mark><image>one</image></mark></case>", "7.xml has a mark for image 'one', expected a number"),
        ("<case/>" + " " * MAX_BYTES, "7.xml has 1,000,007 bytes, expected 1,000,000 at most"),
    ],
)
def test_other_xml_is_named(two_cases: Path, content: str, message: str) -> None:
    (two_cases / "7.xml").write_text(content)
    assert message in refusal(two_cases)


def test_letters_of_another_encoding_do_not_matter(two_cases: Path) -> None:
    path = two_cases / "114.xml"
    path.write_bytes(path.read_bytes().replace(b"<sex>F", "<sex>nódulo".encode("latin-1")))
    assert area(two_cases, "114_2") == LESION_PX


@real_data
def test_real_cases() -> None:
    cases = ThyroidDataset().cases(REAL / "thyroid_ddti")
    assert len(cases) == 140 and len({case.group for case in cases}) == 100
    assert len({case.group for case in cases if case.label is None}) == 35
    labels = Counter(case.label for case in {case.group: case for case in cases}.values() if case.label)
    assert [labels[f"TI-RADS {category}"] for category in ("2", "3", "4a", "4b", "4c", "5")] == [8, 3, 18, 15, 14, 7]


@real_data
def test_real_references() -> None:
    dataset = ThyroidDataset()
    cases = dataset.cases(REAL / "thyroid_ddti")
    without = {case.id for case in cases if case.masks is None}
    cut_off = {f"{number}_1" for number in (54, 127, 165, 166, 176, 197, 203, 205)}
    assert without == cut_off | {"62_3", "120_1", "142_2", "213_2", "230_2", "389_1"}
    areas = {case.id: int(reference.sum()) for case in cases if (reference := dataset.load(case)[1]) is not None}
    assert len(areas) == 126 and min(areas.values()) > 800
    assert areas["44_1"] == 50928 and areas["294_1"] == 3595  # whole, and once, though drawn three times


@real_data
def test_real_remarks() -> None:
    told = ThyroidDataset().remarks(REAL / "thyroid_ddti")
    assert {remark.case for remark in told if "arrow" in remark.text} == {
        *("337_3", "358_1", "362_1", "378_1", "384_1", "399_1")
    }
    (stray,) = [remark for remark in told if "leaves the image" in remark.text]
    assert stray.case == "338_2" and "rows 323 to 394" in stray.text
    assert sum("no reference" in remark.text for remark in told) == 14
