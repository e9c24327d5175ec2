"""The report of a classifier says everything, hides no miss, needs nothing else, and runs nothing that stands in a file."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tumor_mask_classifier.cases_table import DiagnosedCases
from tumor_mask_classifier.diagnosis_point import DiagnosisWish, choose_diagnosis_point
from tumor_mask_classifier.figures import Decisions, decide, diagnosis_figures
from tumor_mask_classifier.report.content import DiagnosisContent, called_cases
from tumor_mask_classifier.report.curves import roc_points
from tumor_mask_classifier.report.gallery import heat_picture
from tumor_mask_classifier.report.page import build_diagnosis_report
from tumor_mask_classifier.report.write import write_diagnosis_report

from monai_tumor.errors import WrongDataError

CLASSES = ("normal", "benign", "malignant")
WISH = DiagnosisWish(CLASSES, sensitivity=0.9, alpha=0.1)
SHAPE = (48, 80)
ABOUT = {
    "part": "test",
    "dataset": "scans",
    "split": "5" * 64,
    "data_fingerprint": "f" * 64,
    "weights_sha256": "a" * 64,
    "mask_source": "out_of_fold",
    "crop": 0.2,
    "seed": 0,
    "versions": {"python": "3.11", "monai-tumor": "0.1.0"},
}
RECORD = {
    "bundle": "breast_diagnosis",
    "data": {"dataset": "scans", "synthetic": False, "fingerprint": "f" * 64, "split": "5" * 64, "rule": "by group"},
    "metric": "balanced_accuracy",
    "best": 0.7,
    "best_epoch": 2,
    "history": [
        {"epoch": 1, "loss": 1.5, "balanced_accuracy": 0.4},
        {"epoch": 2, "loss": 0.75, "balanced_accuracy": 0.7},
    ],
}


def drawn(seed: int, count: int, far: bool = True) -> DiagnosedCases:
    """Cases whose logits hold the truth: normal ones stand apart, benign and malignant ones overlap."""
    random = np.random.default_rng(seed)
    targets = random.choice(3, count, p=[0.2, 0.5, 0.3])
    means = np.array([[4.0, -1.0, -1.5], [-1.0, 1.5, 0.0], [-1.5, 0.0, 1.5]])
    logits = means[targets] + random.normal(0, 1.2, (count, 3))
    names = tuple(f"case-{number:03}" for number in range(count))
    groups = tuple(f"patient-{number // 2:03}" for number in range(count))
    return DiagnosedCases(names, groups, targets, 1.5 * logits, random.gamma(4.0, 0.25, count) if far else None)


def named(cases: DiagnosedCases, place: int, name: str) -> DiagnosedCases:
    """The same cases, one under another name."""
    names = (*cases.names[:place], name, *cases.names[place + 1 :])
    return DiagnosedCases(names, cases.groups, cases.targets, cases.logits, cases.distances)


def figures_of(cases: DiagnosedCases, decisions: Decisions | None, **more: Any) -> dict[str, Any]:
    """The figures as they come back from their file."""
    found = diagnosis_figures(cases, decisions, "the validation part of scans", WISH, 0)
    return json.loads(json.dumps({**ABOUT, **found, **more}, allow_nan=False))


def pictures(case: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Speckle with a square mask, and heat that fades to the right; drawn by the id."""
    random = np.random.default_rng(sum(map(ord, case)))
    mask = np.zeros(SHAPE, bool)
    mask[10:30, 20:55] = True
    heat = np.linspace(1, -0.5, SHAPE[1], dtype=np.float32) * mask
    return random.integers(20, 120, SHAPE).astype(np.uint8), mask, heat


class Page(HTMLParser):
    """Collects tags, texts and attributes, and refuses tags that do not close in order."""

    _VOID = frozenset({"meta", "input", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in self._VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.text += f" {data}"

    def values(self, name: str) -> list[str]:
        """What an attribute says, everywhere."""
        return [value for _, its, value in self.attributes if its == name]


@pytest.fixture(scope="module")
def cases() -> DiagnosedCases:
    """120 cases of 60 groups."""
    return drawn(0, 120)


@pytest.fixture(scope="module")
def decisions(cases) -> Decisions:
    """What a point that was chosen on 200 other cases decides."""
    return decide(choose_diagnosis_point(drawn(1, 200), WISH, "the validation part of scans"), cases)


@pytest.fixture(scope="module")
def content(cases, decisions) -> DiagnosisContent:
    metrics = figures_of(cases, decisions)
    return DiagnosisContent(metrics, called_cases(metrics, cases, decisions), RECORD, pictures)


@pytest.fixture(scope="module")
def page(content) -> str:
    return build_diagnosis_report(content)


@pytest.fixture(scope="module")
def bare(cases) -> DiagnosisContent:
    """Without an operating point, pictures or a record."""
    metrics = figures_of(cases, None)
    return DiagnosisContent(metrics, called_cases(metrics, cases), {})


def test_the_head_has_auroc_and_frozen_point_with_their_intervals(page, content) -> None:
    head, metrics = Page(page.split("<nav")[0] + "</header></main></body></html>").text, content.metrics
    assert "breast_diagnosis on scans, test part" in head and "AUROC, malignant against benign" in head
    for one in (metrics["against"]["benign"]["auroc"], metrics["point"]["sensitivity"], metrics["balanced_accuracy"]):
        assert f"{one['mean']:.3f}" in head and f"{one['low']:.3f} to {one['high']:.3f}; {one['n']} cases" in head
    assert "chosen for a sensitivity of 90\u00a0% on the validation part of scans" in head
    assert metrics["policy"] in head


def test_every_figure_and_the_text_of_every_optional_part_is_there(page, content) -> None:
    told = Page(page).text
    for line in (*content.metrics["text"], content.metrics["out_of_place"]["text"][0]):
        assert line in told
    for heading in ("ROC curve", "Reliability of the probability", "Decision curve", "Training loss"):
        assert f"<h3>{heading}</h3>" in page
    assert "Expected calibration error" in told and "Validation balanced accuracy: 0.700" in told


def test_the_confusion_matrix_has_counts_and_shares_of_the_row(page, content) -> None:
    matrix = content.metrics["confusion"]
    table = page.split("Confusion matrix")[2].split("</table>")[0]
    found = re.findall(r'class="taken (right|wrong)" style="--share: ([\d.]+)">(\d+) ', table)
    assert [int(count) for _, _, count in found] == [count for row in matrix for count in row]
    assert [kind[0] for kind, _, _ in found] == list("rwwwrwwwr")
    assert found[0] == ("right", f"{matrix[0][0] / sum(matrix[0]):.2f}", str(matrix[0][0]))


def test_missed_malignant_cases_come_before_all_the_surest_first(page, content) -> None:
    parts = page.split('<section id="cases">')[1].split("<details>")[0].split("<h3>")[1:]
    assert [part.split(" <")[0] for part in parts] == [
        "Malignant, but called otherwise",
        "Called malignant, but it is not",
        "Otherwise called wrong",
    ]
    names = re.findall(r'class="name">([\w-]+)<', parts[0])
    odds = {case.id: case.odds for case in content.cases}
    assert names == [case.id for case in content.missed] and [odds[name] for name in names] == sorted(
        map(odds.get, names)
    )


def test_the_table_of_all_cases_begins_with_the_worst_call_and_has_what_was_decided(page, content) -> None:
    table = page.split("from the worst call to the best</summary>")[1].split("</table>")[0]
    rows = re.findall(r'<tr><th scope="row">([\w-]+)</th>', table)
    assert len(rows) == 120 and rows[0] == content.missed[0].id and rows[-1] == content.right[-1].id
    assert {"positive", "negative", "refer", "in place"} <= set(re.findall(r"<td>([a-z ]+)</td>", table))


def test_a_page_without_point_pictures_and_record_is_whole(bare) -> None:
    page = build_diagnosis_report(bare)
    told = Page(page).text
    assert "Malignant cases called otherwise" in told and "none was frozen" in told and "not recorded" in told
    assert "An answer, or none" not in told and "Out of place" not in told and "operating point (" not in told
    assert '<figure class="card">' not in page and "Training loss" not in page


def test_nothing_is_said_to_be_nan_or_none(page, bare) -> None:
    for text in (Page(page).text, Page(build_diagnosis_report(bare)).text):
        assert not re.search(r"\b(nan|NaN|None|null|inf)\b", text)


def test_few_cases_of_two_classes_have_no_interval_and_say_so() -> None:
    logits = np.array([[1.0, -1.0], [0.5, 0.2], [-1.0, 2.0], [0.0, -0.5]])
    few = DiagnosedCases(("a", "b", "c", "d"), ("1", "2", "3", "4"), np.array([0, 0, 1, 1]), logits)
    wish = DiagnosisWish(("benign", "malignant"))
    metrics = {**ABOUT, **diagnosis_figures(few, None, "", wish, 0)}
    told = Page(build_diagnosis_report(DiagnosisContent(metrics, called_cases(metrics, few), {}, pictures))).text
    assert "none below 10 groups" in told and "1 of 2 (50\u00a0%)" in told and "against the rest 0" not in told


def test_without_a_positive_case_figures_are_undefined(cases) -> None:
    benign = cases.chosen(cases.targets != 2)
    metrics = figures_of(benign, None)
    page = build_diagnosis_report(DiagnosisContent(metrics, called_cases(metrics, benign), {}))
    assert "undefined" in Page(page).text and "<h3>ROC curve</h3>" not in page


def test_what_files_say_is_never_markup(cases, decisions) -> None:
    evil = '<script>alert("1")</script>'
    place = int(np.flatnonzero(cases.targets == 2)[np.argmin(cases.logits[cases.targets == 2, 2])])
    renamed = named(cases, place, evil)
    metrics = figures_of(renamed, decisions, dataset="<svg onload=x>", mask_source="<img src=x>")
    content = DiagnosisContent(metrics, called_cases(metrics, renamed, decisions), {"bundle": "<i>x"}, pictures)
    page = Page(build_diagnosis_report(content))
    assert evil in page.text and "<svg onload=x>" in page.text and "<img src=x>" in page.text
    assert not {"script", "img", "i", "link"} & set(page.tags) and "onload" not in {
        name for _, name, _ in page.attributes
    }


def test_it_asks_for_nothing_from_outside(page) -> None:
    addresses = Page(page).values("href") + Page(page).values("src")
    assert addresses and all(value.startswith(("#", "data:image/jpeg;base64,")) for value in addresses)
    plain = re.sub(r"base64,[\w+/=]+|http-equiv", "", page)
    assert "http" not in plain and "url(" not in plain and "@import" not in plain


def test_groups_which_may_be_patients_are_not_on_the_page(page) -> None:
    assert "patient-0" not in page


def test_links_lead_somewhere_and_tables_have_headers(page) -> None:
    found = Page(page)
    names = found.values("id")
    assert len(names) == len(set(names))
    assert {value[1:] for value in found.values("href") if value[0] == "#"} <= set(names)
    assert found.tags.count("table") == found.tags.count("caption")


def test_a_picture_that_cannot_be_read_is_said_to_be_missing(content) -> None:
    def broken(case: str):
        raise WrongDataError(f"{case} is no image")

    page = build_diagnosis_report(DiagnosisContent(content.metrics, content.cases, {}, broken))
    assert page.count("no picture") == page.count('<figure class="card">') > 0 and "show heat" not in page


def test_heat_lies_over_the_picture_and_is_black_where_there_is_none(page) -> None:
    assert '<use class="heat" href="#h0"/>' in page and 'id="heat"' in page
    drawn_heat = heat_picture(np.array([[2.0, 1.0, 0.0], [-3.0, np.nan, 2.0]], np.float32))
    assert drawn_heat[..., 0].tolist() == [[255, 128, 0], [0, 0, 255]]


def test_masks_of_experts_are_warned_of(content) -> None:
    metrics = {**content.metrics, "mask_source": "reference"}
    head = build_diagnosis_report(DiagnosisContent(metrics, content.cases, RECORD)).split("<nav")[0]
    assert "no new image has such a mask" in head


def test_another_operating_point_stands_beside_the_runs_own(content) -> None:
    metrics = {**content.metrics, "before": {"point": content.metrics["point"]}}
    assert "What another operating point changes" in build_diagnosis_report(
        DiagnosisContent(metrics, content.cases, RECORD)
    )


def test_the_roc_curve_is_that_of_pairs_ties_aslant() -> None:
    assert roc_points([3, 2], [1, 0]) == [(0, 0), (0, 1), (1, 1)]
    assert roc_points([2, 1, 1], [1, 0]) == [(0, 0), (0, 1 / 3), (0.5, 1), (1, 1)]
    assert roc_points([5, 5], [5]) == [(0, 0), (1, 1)]


def test_the_area_under_the_drawn_curve_is_the_auroc_of_the_metrics(content) -> None:
    odds = {name: [case.odds for case in content.cases if case.label == name] for name in CLASSES}
    x, y = np.transpose(roc_points(odds["malignant"], odds["benign"]))
    assert np.trapezoid(y, x) == pytest.approx(content.metrics["against"]["benign"]["auroc"]["mean"], abs=1e-12)


def test_figures_of_other_cases_are_refused(cases) -> None:
    with pytest.raises(WrongDataError, match=r"figures \(60 cases\) are not those of these 120 cases"):
        called_cases(figures_of(drawn(3, 60), None), cases)


def test_it_is_written_beside_the_figures_and_replaces_an_earlier_one(tmp_path: Path, cases, decisions) -> None:
    (tmp_path / "run.json").write_text(json.dumps(RECORD))
    folder = tmp_path / "evaluation" / "001-test"
    folder.mkdir(parents=True)
    metrics = figures_of(cases, decisions)
    path = write_diagnosis_report(folder, metrics, cases, decisions)
    assert path == folder / "report.html" and "breast_diagnosis on scans" in path.read_text(encoding="utf-8")
    before = path.read_bytes()
    assert write_diagnosis_report(folder, metrics, cases, decisions).read_bytes() == before


def test_the_console_of_a_browser_stays_empty(tmp_path: Path, page) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium: install chromium to see the page as a reader does")
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    fixed = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--enable-logging=stderr",
    ]
    further = [
        f"--user-data-dir={tmp_path / 'profile'}",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--v=0",
        "--dump-dom",
    ]
    done = subprocess.run(
        [browser, *fixed, *further, path.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    assert "CONSOLE" not in done.stderr and "</html>" in done.stdout
