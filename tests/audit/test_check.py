"""The whole check: its values, and that broken parts do not stop the others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from monai_tumor.audit.check import check
from monai_tumor.datasets import open_dataset
from monai_tumor.datasets.base import PublishedFolds, Remark
from monai_tumor.datasets.folder import FolderDataset
from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.errors import WrongDataError

TOP = ["version", "program", "dataset", "folder", "verdict", "counts", "fingerprint", "leak", "findings", "thresholds"]


def test_the_content_is_json_with_stable_keys(doubled: Path) -> None:
    told = json.loads(json.dumps(check(open_dataset("folder"), doubled, read_texts=False).content()))
    assert list(told) == [*TOP, "text_read"] and told["version"] == 1
    finding, example = told["findings"][0], told["findings"][0]["examples"][0]
    assert list(finding) == ["kind", "severity", "title", "why", "step", "count", "unit", "examples"]
    assert list(example) == ["cases", "text", "score", "boxes", "measures"]
    assert set(told["leak"]) == {"random", "own"}
    assert set(told["leak"]["random"]) == {"rule", "total", "seeds", "first_seed", "images", "held_out"}


def test_every_example_is_in_the_content(doubled: Path) -> None:
    audit = check(open_dataset("folder"), doubled, read_texts=False)
    for finding, told in zip(audit.findings, audit.content()["findings"], strict=True):
        assert len(told["examples"]) == len(finding.examples)
    assert audit.verdict == "3 things would make results wrong." and audit.exit_code == 1


def test_counts_and_leak_of_the_doubled_folder(doubled: Path) -> None:
    audit = check(open_dataset("folder"), doubled, read_texts=False)
    assert (audit.counts["images"], audit.counts["groups"], audit.counts["clusters"]) == (15, 15, 12)
    assert audit.leak is not None and audit.leak.total == 15
    assert audit.leak.content()["images"]["most"] > 0
    assert (audit.own_leak["held_out"], audit.own_leak["quarantine"]) == (0, 4)


def test_the_same_folder_gives_the_same_content(doubled: Path) -> None:
    first, second = (check(open_dataset("folder"), doubled, read_texts=False).content() for _ in range(2))
    assert first == second


def test_three_damaged_pictures_among_many_do_not_stop_the_rest(doubled: Path) -> None:
    for name in ("c5", "c6", "c7"):
        (doubled / "images" / f"{name}.png").write_bytes(b"no picture")
    audit = check(open_dataset("folder"), doubled, read_texts=False)
    kinds = {finding.kind: finding for finding in audit.findings}
    assert [example.cases for example in kinds["unreadable"].examples] == [("c5",), ("c6",), ("c7",)]
    assert kinds["labels_contradict"].count == 1 and kinds["near_duplicates"].count == 2
    assert audit.counts["unreadable"] == 3


def test_nothing_readable_is_a_finding_too(clean) -> None:
    for image in (clean.folder / "images").iterdir():
        image.write_bytes(b"")
    audit = clean.check()
    assert [finding.kind for finding in audit.errors] == ["unreadable"]
    assert audit.leak is None and not audit.own_leak["possible"]


def test_too_few_clusters_for_a_split_are_said(clean) -> None:
    audit = clean.check()
    assert not audit.own_leak["possible"] and "2 groups" in audit.own_leak["reason"]
    assert audit.exit_code == 0


def test_a_data_set_without_files_can_be_checked() -> None:
    audit = check(PhantomDataset(count=12, size=(96, 128)), None)
    assert audit.folder == "" and not audit.errors


class Talkative(FolderDataset):
    """Knows something of its files, and has damaged folds."""

    def remarks(self, root: object) -> Sequence[Remark]:
        return [Remark("the table is old"), Remark("annotated twice", "a1")]

    def published_folds(self, root: object) -> Sequence[PublishedFolds]:
        raise WrongDataError(f"{root}/folds.csv is damaged; copy it again")


def test_remarks_are_told_and_a_data_set_that_fails_to_tell_is_heard(clean) -> None:
    audit = check(Talkative(), clean.folder, read_texts=False)
    remarks = next(finding for finding in audit.findings if finding.kind == "remarks")
    assert [(one.cases, one.text) for one in remarks.examples] == [
        ((), "the table is old"),
        (("a1",), "annotated twice"),
        ((), "folds.csv is damaged; copy it again"),
    ]
