"""Each trap, set in a small folder, is found; and a clean folder has none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from monai_tumor.audit.check import check
from monai_tumor.audit.findings import Finding
from monai_tumor.datasets import open_dataset
from monai_tumor.imaging.write import write_mask, write_picture, write_text

_SOUND = "Nothing was found that would make results wrong, if patients and copies stay on one side of a split."


def cases(finding: Finding | None) -> list[tuple[str, ...]]:
    assert finding is not None
    return [example.cases for example in finding.examples]


def test_a_clean_folder_has_notes_only(clean) -> None:
    audit = clean.check()
    told = {finding.kind for finding in audit.findings if finding.severity != "note"}
    assert told == {"cannot_be_divided"}  # it is a very small folder
    assert audit.exit_code == 0 and audit.verdict == _SOUND


def test_damaged_files_are_told_apart(clean) -> None:
    (clean.folder / "images" / "a0.png").write_bytes(b"\x89PNG cut off")
    write_mask(clean.folder / "masks" / "a1_0.png", clean.pictures[1][1][:-3], overwrite=True)
    write_picture(
        clean.folder / "masks" / "a2_0.png",
        clean.pictures[2][1].astype(np.uint8) * np.uint8(90) + np.uint8(1),
        overwrite=True,
    )
    blurred = cv2.GaussianBlur(clean.pictures[3][1].astype(np.uint8) * 255, (5, 5), 0)
    write_picture(clean.folder / "masks" / "a3_0.png", np.asarray(blurred, np.uint8), overwrite=True)
    errors = {finding.kind: cases(finding) for finding in clean.check().errors}
    assert errors == {"unreadable": [("a0",)], "mask_size": [("a1",)], "mask_levels": [("a3",)]}


def test_an_odd_name_is_told_and_stops_nothing(clean) -> None:
    (clean.folder / "images" / "a0.png").rename(clean.folder / "images" / "a;0.png")
    table = (clean.folder / "cases.csv").read_text().replace("a0,images/a0.png", "a;0,images/a;0.png")
    write_text(clean.folder / "cases.csv", table, overwrite=True)
    audit = clean.check()
    (found,) = audit.errors
    assert found.kind == "odd_name" and found.count == 1
    assert found.examples[0].text.startswith("case id 'a;0' (images/a;0.png) has a character")
    assert (audit.counts["images"], audit.counts["unreadable"], len(audit.evidence.facts)) == (4, 1, 3)


def test_what_is_said_of_a_file_has_no_path_of_the_machine(clean) -> None:
    (clean.folder / "images" / "a0.png").write_bytes(b"")
    found = clean.found("unreadable")
    assert found is not None
    assert found.examples[0].text.startswith("images/a0.png is empty (0 bytes)")


def test_contradictions_on_one_frame_are_errors_and_identical_pixels_come_first(doubled: Path) -> None:
    audit = check(open_dataset("folder"), doubled, read_texts=False)
    errors = {finding.kind: cases(finding) for finding in audit.errors}
    assert errors["labels_contradict"][0] == ("c2", "other-label-of-2")
    assert errors["masks_contradict"] == [("c3", "other-mask-of-3")]
    warnings = {finding.kind: finding for finding in audit.findings if finding.severity == "warning"}
    assert cases(warnings["identical_across_groups"]) == [("c2", "other-label-of-2")]
    assert set(cases(warnings["near_duplicates"])) == {("c1", "crop-of-1"), ("c3", "other-mask-of-3")}
    crop = next(example for example in warnings["near_duplicates"].examples if "crop-of-1" in example.cases)
    assert "crop" in crop.text or "marks" in crop.text
    assert set(crop.measures) == {"identical", "agreement", "scale", "overlap", "mask_dice", "labels", "groups"}


def test_a_picture_twice_in_a_group_is_another_finding(clean) -> None:
    clean.add("again", *clean.pictures[0], label="benign", group="patient-0")
    assert cases(clean.found("identical_in_group")) == [("a0", "again")]
    assert clean.found("identical_across_groups") is None


def test_a_lesion_label_with_an_empty_mask_is_an_error(clean) -> None:
    clean.add("empty", clean.pictures[0][0][::-1], label="malignant", group="patient-9")
    assert cases(clean.found("lesion_without_mask")) == [("empty",)]


def test_unless_the_label_is_that_of_a_patient_with_a_lesion_elsewhere(clean) -> None:
    clean.add("other-slice", clean.pictures[0][0][::-1], label="benign", group="patient-0")
    assert clean.found("lesion_without_mask") is None


@pytest.mark.parametrize("label", ["normal", "Healthy", "no tumor", "BI-RADS 1"])
def test_a_normal_label_with_a_lesion_is_an_error_and_without_one_it_is_right(clean, label: str) -> None:
    clean.add("sound", clean.pictures[0][0][::-1], label=label, group="patient-8")
    clean.add("outlined", clean.pictures[1][0][::-1], clean.pictures[1][1][::-1], label=label, group="patient-9")
    kinds = {finding.kind: cases(finding) for finding in clean.check().errors}
    assert kinds == {"normal_with_lesion": [("outlined",)]}


def test_no_reference_is_told_and_is_no_error(clean) -> None:
    clean.add("unlabelled", clean.pictures[0][0][::-1], reference=False, group="patient-9")
    assert cases(clean.found("no_reference")) == [("unlabelled",)]
    assert clean.check().exit_code == 0


def test_a_mask_with_a_full_alpha_channel_is_told_and_read_by_colour(clean) -> None:
    mask = np.full((*clean.pictures[0][1].shape, 4), 255, np.uint8)
    mask[..., :3] *= clean.pictures[0][1][..., None]
    clean.add("alpha", clean.pictures[0][0][::-1], mask[::-1], group="patient-9")
    audit = clean.check()
    assert cases(clean.found("mask_alpha")) == [("alpha",)]
    assert audit.evidence.facts_of["alpha"].lesion_px == clean.pictures[0][1].sum()


def test_an_inverted_mask_is_told(clean) -> None:
    clean.add("inverted", clean.pictures[0][0][::-1], ~clean.pictures[0][1][::-1], group="patient-9")
    share = 1 - clean.pictures[0][1].mean()
    found = clean.found("mask_covers_picture")
    assert (found is not None) == (share >= 0.9)


def test_several_mask_files_are_described(clean) -> None:
    image = clean.pictures[0][0][::-1]
    one, other = np.zeros(image.shape, bool), np.zeros(image.shape, bool)
    one[20:30, 40:60], other[25:35, 50:90], other[100:110, 5:9] = True, True, True
    clean.add("several", image, one, other, group="patient-9")
    several, lesions = clean.found("several_masks"), clean.found("several_lesions")
    assert (
        several is not None and several.examples[0].text == "2 files of 200, 440 pixels; 50 pixels are in more than one"
    )
    assert lesions is not None and ("several",) in cases(lesions)


def test_lesions_at_the_edge_and_the_smallest_are_named(clean) -> None:
    mask = np.zeros(clean.pictures[0][0].shape, bool)
    mask[0:3, 50:52] = True
    clean.add("edge", clean.pictures[0][0][::-1], mask, group="patient-9")
    assert ("edge",) in cases(clean.found("at_edge"))
    areas = clean.found("areas")
    assert areas is not None and areas.examples[1].cases == ("edge",) and areas.examples[1].text.startswith("6 pixels")


def test_burned_in_marks_are_suspects_with_boxes(clean) -> None:
    image, mask = np.repeat(clean.pictures[0][0][::-1, :, None] // 2, 3, axis=2), clean.pictures[0][1][::-1]
    rows, columns = np.nonzero(mask)
    for row, column in ((rows.min(), columns[rows.argmin()]), (rows.max(), columns[rows.argmax()])):
        centre = (int(np.clip(column, 9, 190)), int(np.clip(row, 9, 140)))
        cv2.drawMarker(image, centre, (250, 250, 250), cv2.MARKER_CROSS, 11, 1)
    cv2.putText(image, "LEFT BREAST", (10, 150), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (240, 240, 240), 1)
    cv2.rectangle(image, (150, 5), (185, 20), (250, 220, 0), 2)
    clean.add("marked", image, mask, group="patient-9")
    kinds = {finding.kind: finding for finding in clean.check().findings}
    for kind in ("callipers", "burned_in_text", "colour_marks"):
        example = kinds[kind].examples[0]
        assert example.cases == ("marked",) and example.score is not None and 0.5 <= example.score <= 1
        assert example.boxes["marked"]
    assert "at the lesion" in kinds["callipers"].examples[0].text
    assert kinds["text_not_read"].severity == "note"


def test_a_channel_that_stands_in_for_another_is_told(clean) -> None:
    colours = np.stack([clean.pictures[0][0], clean.pictures[0][0] // 2, clean.pictures[0][0] // 3], axis=2)
    clean.add("three-sequences", colours[::-1], clean.pictures[0][1][::-1], group="patient-8")
    copied = colours[:, ::-1].copy()
    copied[..., 2] = copied[..., 1]
    clean.add("two-sequences", copied, clean.pictures[0][1][:, ::-1], group="patient-9")
    found = clean.found("equal_channels")
    assert found is not None and [example.text for example in found.examples] == ["patient-9: G=B in 1 image"]


def test_a_tint_that_nobody_sees_is_named(clean) -> None:
    tinted = np.repeat(clean.pictures[0][0][::-1, :, None], 3, axis=2)
    tinted[..., 2] -= np.minimum(tinted[..., 2], 4)
    clean.add("tinted", tinted, clean.pictures[0][1][::-1], group="patient-9")
    modes = clean.found("modes")
    assert modes is not None and ("tinted",) in cases(modes)
    assert clean.found("colour_marks") is None


def test_blank_pictures_are_told(clean) -> None:
    clean.add("blank", np.full((40, 60), 7, np.uint8), group="patient-9")
    assert cases(clean.found("blank")) == [("blank",)]


def test_without_groups_nobody_knows_the_patients(clean) -> None:
    clean.add("stranger", *(array[::-1] for array in clean.pictures[0]))
    found = clean.found("no_patients")
    assert found is not None and found.count == 1 and found.severity == "warning"


def test_labels_groups_and_sizes_are_counted(clean) -> None:
    clean.add("m", *(array[::-1] for array in clean.pictures[0]), label="malignant", group="patient-0")
    texts = {finding.kind: [example.text for example in finding.examples] for finding in clean.check().findings}
    assert texts["labels"] == ["benign: 4 images", "malignant: 1 image"]
    assert texts["groups"][:2] == [
        "2 groups; 2 clusters after groups that share a frame are joined",
        "2 to 3 images a group, the middle one 2.5",
    ]
    assert texts["labels_in_group"] == ["patient-0: benign, malignant"]
    assert texts["modes"] == ["image files: 5 L", "mask files: 5 L", "channels differ in 0 images; the others are grey"]
