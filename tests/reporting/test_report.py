"""The report says everything, hides no miss, needs nothing else, and cannot be made to run what stands in a file."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from monai_tumor.errors import WrongDataError
from monai_tumor.reporting.gallery import Gallery
from monai_tumor.reporting.page import build_report


def cards(page: str) -> list[str]:
    return re.findall(r'<figure class="card">.*?</figure>', page, re.DOTALL)


def test_the_head_has_dice_with_its_interval_misses_and_false_positives(mixed, outline) -> None:
    content = mixed.content()
    head = outline(build_report(content).split("<nav")[0] + "</header></main></body></html>").text
    dice = content.metrics["lesion_cases"]["dice"]
    assert "breast on scans, test part" in head
    assert f"{dice['mean']:.3f}" in head and f"{dice['low']:.3f} to {dice['high']:.3f}; 14 cases, 14 groups" in head
    assert "2 of 14 (14\u00a0%)" in head and "1 of 2 (50\u00a0%)" in head
    assert content.metrics["policy"] in head


def test_every_miss_is_shown_the_largest_lesion_first(evaluation, square) -> None:
    for number in range(40):
        evaluation.add(square(3, 5, 4 + number % 9), square(0, 0, 0), f"case-{number:02}")
    page = build_report(evaluation.content())
    shown = cards(page.split("Missed: no pixel")[1].split("<h3>")[0])
    assert len(shown) == 40 and all("<use" in card for card in shown)
    assert "<summary>16 more</summary>" in page
    assert "case-08" in shown[0] and "case-36" in shown[-1]


def test_a_lesion_that_was_not_found_beside_another_one_is_shown(evaluation, square) -> None:
    evaluation.add(square(5, 5) | square(30, 60), square(5, 5))
    page = build_report(evaluation.content())
    assert "Missed: no pixel" not in page
    assert "lesions: 1 found, 1 missed, 0 false" in page.split("A lesion not found (IoU below 0.1)")[1]


def test_best_median_and_worst_are_different_cases(mixed) -> None:
    page = build_report(mixed.content())
    parts = [page.split(name)[1].split("</h3>")[1].split("<h3>")[0] for name in ("Worst that", "Around the", "Best <")]
    names = [re.findall(r'class="name">(found-\d+)<', part) for part in parts]
    assert [name[0] for name in names] == ["found-0", "found-4", "found-11"]
    assert len({name for some in names for name in some}) == 12


def test_both_outlines_lie_on_the_picture_and_are_told_in_words(mixed) -> None:
    card = next(card for card in cards(build_report(mixed.content())) if ">found-11<" in card)
    assert 'viewBox="0 0 80 48"' in card
    assert 'aria-label="found-11: reference outlined solid, prediction outlined dashed"' in card
    assert '<path class="reference" d="M20.5 10.5L' in card and '<path class="prediction" d="M20.5 10.5L' in card
    assert "Dice 1.000 · HD95 0.000 px" in card and "uncertainty 0.550" in card


def test_a_picture_is_stored_once_although_its_case_is_shown_twice(evaluation, square, outline) -> None:
    evaluation.add(square(5, 5) | square(30, 60), square(5, 5))
    page = outline(build_report(evaluation.content()))
    assert page.tags.count("image") == 1 and page.tags.count("use") == 2


def test_what_files_say_is_never_markup(mixed, square, outline) -> None:
    evil = '<script>alert("1")</script>.png'
    mixed.add(square(5, 5), square(0, 0, 0), evil, label="<img src=x>", group="'><b>")
    record = {"bundle": "<i>x", "settings": {"network": "</style><script>"}, "hardware": {"<u>": "<u>"}}
    content = mixed.content(record, {"<h1>": mixed.content().metrics}, dataset="<svg onload=x>")
    page = outline(build_report(content))
    assert evil in page.text and "<img src=x>" in page.text and "<svg onload=x>" in page.text
    assert not {"script", "img", "i", "u", "link"} & set(page.tags) and page.tags.count("h1") == 1
    assert not page.values("onload")


def test_it_asks_for_nothing_from_outside(mixed, outline) -> None:
    text = build_report(mixed.content())
    page = outline(text)
    addresses = page.values("href") + page.values("src")
    assert addresses and all(value.startswith(("#", "data:image/jpeg;base64,")) for value in addresses)
    assert (
        "http" not in re.sub(r"base64,[\w+/=]+|http-equiv", "", text) and "url(" not in text and "@import" not in text
    )


def test_links_lead_somewhere_tables_have_headers_and_pictures_have_words(mixed, outline) -> None:
    page = outline(build_report(mixed.content()))
    names = page.values("id")
    assert len(names) == len(set(names)) and {value[1:] for value in page.values("href") if value[0] == "#"} <= set(
        names
    )
    assert page.tags.count("th") == len(page.values("scope", "th"))
    assert page.tags.count("table") == page.tags.count("caption")
    hidden = len(page.values("aria-hidden", "svg"))
    assert page.tags.count("svg") == hidden + len([words for words in page.values("aria-label", "svg") if words])
    assert page.values("lang", "html") == ["en"]


def test_undefined_figures_are_undefined_and_nothing_else(evaluation, square, outline) -> None:
    evaluation.add(square(5, 5), square(0, 0, 0))
    text = outline(build_report(evaluation.content())).text
    assert "HD95 undefined" in text and not re.search(r"\b(nan|NaN|None|null|inf)\b", text)


def test_one_case_has_no_interval_and_says_so(evaluation, square, outline) -> None:
    evaluation.add(square(5, 5), square(6, 6))
    text = outline(build_report(evaluation.content())).text
    assert "none below 10 groups" in text and "All 1 case from" in text


def test_without_a_lesion_there_is_no_curve_of_lesions(evaluation, square, outline) -> None:
    evaluation.add(square(0, 0, 0), square(5, 5))
    page = build_report(evaluation.content())
    assert "Lesion-free, but marked" in page and "Dice and threshold" not in page and "Spread over" not in page
    assert "undefined" in outline(page).text


def test_without_a_record_the_report_is_still_written(mixed, outline) -> None:
    text = outline(build_report(mixed.content(record={}))).text
    assert "not recorded" in text and "Training loss" not in text


def test_learning_curves_mark_the_best_epoch(mixed) -> None:
    page = build_report(mixed.content())
    assert "Validation Dice: 0.500 at the best epoch, 2, 0.250 at first, 0.500 at last; 2 epochs." in page
    assert "best epoch (2)" in page


def test_others_stand_beside_with_an_unpaired_difference(mixed, square, outline) -> None:
    internal = mixed.content().metrics
    mixed.add(square(10, 20), square(0, 0, 0))
    content = mixed.content(beside={"test part": internal}, sealed={"date": "2026-02-01", "threshold": 0.5})
    text = outline(build_report(content)).text
    drop = content.metrics["lesion_cases"]["dice"]["mean"] - internal["lesion_cases"]["dice"]["mean"]
    assert "breast on scans, external test" in text and "Sealed external test" in text
    assert f"{drop:+.3f}".replace("-", "\u2212") in text and "they are unpaired, so no interval is given" in text


@pytest.mark.parametrize(("part", "words"), [("validation", "too good"), ("training", "how well it remembers")])
def test_a_part_that_was_used_before_is_marked(mixed, part: str, words: str) -> None:
    assert words in build_report(mixed.content(part=part)).split("<nav")[0]


def test_the_checklist_answers_what_the_run_knows_and_leaves_the_rest_to_the_authors(mixed, outline) -> None:
    text = outline(build_report(mixed.content()).split('<section id="claim">')[1].split("</section>")[0]).text
    assert "20. Level at which partitions are disjoint" in text and "seed 7" in text
    assert "11 de-identification" in text and "The authors have to say this." in text


def test_a_picture_that_cannot_be_read_is_said_to_be_missing(mixed) -> None:
    def broken(name: str):
        raise WrongDataError(f"{name} is no image")

    content = mixed.content()
    page = build_report(type(content)(content.metrics, content.cases, {}, broken, content.prediction))
    assert page.count("no picture") == len(cards(page)) and "<use" not in page


def test_what_does_not_fit_is_counted_and_said_to_be_elsewhere(mixed) -> None:
    gallery = Gallery(mixed.content(), most=2)
    page = gallery.sections()
    assert gallery.definitions().count("<image") == 2
    assert "13 cases are listed without a picture" in page and "predictions/" in page


def test_misses_leave_the_best_and_the_worst_their_pictures(evaluation, square) -> None:
    for _ in range(30):
        evaluation.add(square(10, 20), square(0, 0, 0))
    evaluation.add(square(10, 20), square(12, 22), "found")
    page = Gallery(evaluation.content(), most=5).sections()
    assert "<use" in page.split("Worst that were not missed")[1]


def test_the_same_evaluation_gives_the_same_bytes(mixed) -> None:
    assert build_report(mixed.content()) == build_report(mixed.content())


def test_the_room_needs_no_deep_learning() -> None:
    program = "import sys, monai_tumor.reporting.page; sys.exit(bool({'torch', 'monai'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_two_thousand_cases_with_300_misses_stay_below_15_mb(evaluation, square) -> None:
    """Pictures of noise, the worst that JPEG meets, larger than what is stored of them."""
    for number in range(2000):
        evaluation.add(square(10, 20, 9), square(0, 0, 0) if number < 300 else square(10, 20 + number % 9, 9))
    page = build_report(evaluation.content())
    assert len(cards(page.split("Missed: no pixel")[1].split("<h3>")[0])) == 300
    assert len(page) < 15e6
