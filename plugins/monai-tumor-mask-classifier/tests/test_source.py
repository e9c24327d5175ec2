"""Where image, mask and class of an item come from, and that no two sources are ever mixed."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tumor_mask_classifier.source import DiagnosisSource

from monai_tumor.errors import ToolkitError, WrongCallError, WrongDataError, user_error
from monai_tumor.imaging.prepare import PrepareSettings
from monai_tumor.pipeline import CaseSource, PrepareCase, PreparedDataset, RandomFlip, RandomPose, TransformChain

REAL = Path(os.environ.get("MONAI_TUMOR_DATA", Path(__file__).parents[4] / "shared" / "data"))
real_data = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real data in {REAL}; set MONAI_TUMOR_DATA")
ROWS, COLUMNS = 20, 30
SQUARE = np.zeros((ROWS, COLUMNS), bool)
SQUARE[4:9, 6:16] = True
OTHER = np.roll(SQUARE, (3, -2), (0, 1))
LABELS = {"a": "benign", "b": "malignant", "c": "normal"}
WHOLE = {"test": 1.0}


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Three images: in the first exactly the lesion is white, the third has none."""
    root = tmp_path / "scans"
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    noise = np.random.default_rng(0).random((3, ROWS, COLUMNS)) < 0.5
    for name, dots in zip(LABELS, noise, strict=True):
        save(root / "images" / f"{name}.png", SQUARE if name == "a" else dots)
        save(root / "masks" / f"{name}.png", SQUARE if name != "c" else SQUARE & False)
    rows = [f"{name},images/{name}.png,masks/{name}.png,{label},{name}" for name, label in LABELS.items()]
    (root / "cases.csv").write_text("\n".join(["id,image,mask,label,group", *rows]) + "\n")
    return root


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """Predicted masks that differ from the experts'."""
    folder = tmp_path / "predicted"
    folder.mkdir()
    for name in LABELS:
        save(folder / f"{name}.png", OTHER)
    (folder / "masks.json").write_text("{}")
    return folder


def save(path: Path, mask: np.ndarray) -> None:
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)


def source(scans: Path, **settings) -> DiagnosisSource:
    return DiagnosisSource("folder", str(scans), fractions=WHOLE, **settings)


def predicted(scans: Path, masks: Path, **settings) -> DiagnosisSource:
    return source(scans, mask_source="out_of_fold", masks=str(masks), **settings)


def test_items_have_the_index_of_their_class(scans):
    items = source(scans, classes=("malignant", "normal", "benign")).items("test")
    assert [(item["case"], item["target"]) for item in items] == [("a", 2), ("b", 0), ("c", 1)]


def test_masks_are_known_again_by_their_digest(scans, masks):
    before = predicted(scans, masks).masks.digest(["b", "a"])
    save(masks / "c.png", SQUARE)
    assert predicted(scans, masks).masks.digest(["a", "b"]) == before
    save(masks / "a.png", SQUARE)
    assert predicted(scans, masks).masks.digest(["a", "b"]) != before


def test_the_mask_is_the_reference_the_prediction_or_nothing(scans, masks):
    assert np.array_equal(source(scans, mask_source="reference").load("a")[1], SQUARE)
    assert np.array_equal(predicted(scans, masks).load("a")[1], OTHER)
    assert not source(scans, mask_source="none").load("a")[1].any()


def test_a_crop_is_the_box_of_the_mask_with_context_and_keeps_the_pixels(scans, masks):
    image, mask = source(scans, crop=0.2).load("a")  # the box has 5 rows and 10 columns: 2 pixels of context
    assert image.shape == mask.shape == (9, 14)
    assert np.array_equal(mask, SQUARE[2:11, 4:18]) and np.array_equal(image > 0, mask)
    image, mask = predicted(scans, masks, crop=0.2).load("a")
    assert np.array_equal(mask, OTHER[5:14, 2:16]) and np.array_equal(image > 0, SQUARE[5:14, 2:16])


def test_a_crop_ends_at_the_border_and_an_empty_mask_cuts_nothing(scans):
    assert source(scans, crop=5.0).load("a")[0].shape == (ROWS, COLUMNS)
    assert source(scans, crop=0.0).load("a")[0].shape == (5, 10)
    assert source(scans, crop=0.2).load("c")[0].shape == (ROWS, COLUMNS)


def test_image_and_mask_move_together_through_the_augmentation(scans, tmp_path):
    """In this image the lesion is white and nothing else, so the moved image says where the moved mask must be."""
    settings = PrepareSettings(rows=64, columns=64, channels=1)
    cases = source(scans)
    moves = [RandomFlip(prob=0.5), RandomPose(rotate_degrees=25, zoom=(0.75, 1.3), shift=0.1, prob=1.0)]
    chain = TransformChain([PrepareCase(settings, cases), *moves])
    chain.set_random_state(seed=0)
    drawn = PreparedDataset(cases.items("test")[:1], chain, str(tmp_path / "cache"))
    still = PrepareCase(settings, cases)(cases.items("test")[0])["label"]
    for _ in range(20):
        item = drawn[0]
        differing = (item["image"] > 127) != (item["label"] > 0)
        assert item["target"] == 1 and item["label"].sum() > 100
        assert differing.sum() < 0.2 * item["label"].sum()  # an edge is linear in one and nearest in the other
        assert not np.array_equal(item["label"], still)


def test_no_source_or_crop_meets_the_cache_of_another(scans, masks, tmp_path):
    settings = PrepareSettings(rows=32, columns=48, channels=1)
    sources = [
        CaseSource("folder", str(scans), fractions=WHOLE),
        *(source(scans, mask_source=kind, crop=crop) for kind in ("reference", "none") for crop in (None, 0.2, 0.5)),
        *(predicted(scans, masks, crop=crop) for crop in (None, 0.2)),
    ]
    assert all(one.digest("a") != other.digest("a") for one, other in combinations(sources, 2))
    for one in sources:
        items, prepare = one.items("test")[:2], PrepareCase(settings, one)
        kept = PreparedDataset(items, TransformChain([prepare]), str(tmp_path / "cache"))
        for item, cached in zip(items, kept, strict=True):
            fresh = prepare(item)
            assert np.array_equal(cached["image"], fresh["image"]) and np.array_equal(cached["label"], fresh["label"])


def test_a_mask_that_is_predicted_anew_is_read_anew(scans, masks):
    before = predicted(scans, masks).digest("a")
    save(masks / "a.png", SQUARE)
    assert predicted(scans, masks).digest("a") != before


def test_a_split_of_the_files_fits_whatever_the_masks_are(scans, masks, tmp_path):
    from monai_tumor.splits.split import write_split

    write_split(tmp_path / "split.json", CaseSource("folder", str(scans), fractions=WHOLE).split)
    again = DiagnosisSource(
        "folder", str(scans), str(tmp_path / "split.json"), mask_source="out_of_fold", masks=str(masks), crop=0.1
    )
    assert len(again.items("test")) == 3


def one_line(call, error=WrongDataError) -> str:
    with pytest.raises(ToolkitError) as caught:
        call()
    found = user_error(caught.value)
    assert isinstance(found, error) and "\n" not in str(found)
    return str(found)


@pytest.mark.parametrize("folder", ["scans/masks", "nowhere"])
def test_a_wrong_masks_folder_is_one_line(scans, tmp_path, folder):
    wrong = predicted(scans, tmp_path / folder)
    for call in (lambda: wrong.check_masks("test"), lambda: wrong.load("a"), lambda: wrong.digest("a")):
        assert f"{tmp_path / folder} has no masks.json" in one_line(call, WrongCallError)


def test_no_masks_folder_is_one_line(scans):
    asked = source(scans, mask_source="out_of_fold")
    assert "give it as masks=DIR" in one_line(lambda: asked.check_masks("test"), WrongCallError)


def test_a_missing_mask_is_one_line(scans, masks):
    (masks / "b.png").unlink()
    found = one_line(lambda: predicted(scans, masks).check_masks("test"))
    assert found.startswith("1 of 3 cases have no mask in") and "'b' first" in found
    assert "case 'b' has no predicted mask" in one_line(lambda: predicted(scans, masks).load("b"))


def test_a_mask_of_another_size_is_one_line(scans, masks):
    save(masks / "a.png", OTHER.T)
    found = one_line(lambda: predicted(scans, masks).load("a"))
    assert "has 30 x 20 pixels but the image of case 'a' has 20 x 30" in found


def test_a_case_without_label_or_of_another_class_is_refused(scans):
    found = one_line(lambda: source(scans, classes=("benign", "malignant")).items("test"))
    assert found.startswith("1 of 3 cases of data set 'folder' have no label among the classes benign, malignant")
    assert "'c' first: 'normal'" in found
    table = scans / "cases.csv"
    table.write_text(table.read_text().replace("malignant", ""))
    assert "'b' first: None" in one_line(lambda: source(scans).items("test"))


def test_phantoms_of_other_classes_are_left_out():
    """They are no patients, and they stand in for data of any classes when a bundle is checked."""
    two = DiagnosisSource("phantom_us", classes=("malignant", "benign"))
    labels = [two.case(item["case"]).label for item in two.items("test")]
    assert set(labels) == {"malignant", "benign"}
    assert [("malignant", "benign")[item["target"]] for item in two.items("test")] == labels


def test_a_case_without_reference_is_used_unless_its_reference_is_asked_for(scans, masks):
    table = scans / "cases.csv"
    table.write_text(table.read_text().replace("masks/a.png", "-"))
    assert len(predicted(scans, masks).items("test")) == len(source(scans, mask_source="none").items("test")) == 3
    assert "1 of 3 cases without a reference ('a' first)" in one_line(lambda: source(scans).check_masks("test"))
    assert "without a reference ('a' first)" in one_line(lambda: source(scans).load("a"))


def test_masks_of_experts_on_real_images_are_called_too_good(scans, masks, capsys):
    source(scans).check_masks("test")
    assert "NOTE: mask_source reference" in capsys.readouterr().err
    predicted(scans, masks).check_masks("test")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"mask_source": "refrence"}, "unknown mask_source 'refrence'; did you mean 'reference'?"),
        ({"mask_source": "none", "masks": "m"}, "masks are not used with mask_source 'none'"),
        ({"classes": ["benign"]}, "classes are ['benign'], expected two or more different labels"),
        ({"classes": ["a", "a"]}, "expected two or more different labels"),
        ({"crop": -0.1}, "crop is -0.1, expected null, or the context"),
        ({"crop": True}, "crop is True"),
    ],
)
def test_impossible_settings_are_refused(scans, settings, told):
    with pytest.raises(WrongCallError, match=re.escape(told)):
        source(scans, **settings)


def test_masks_json_is_not_looked_into_here(scans, masks):
    """What it says is for those who prove that no network saw a group; reading pixels does not depend on it."""
    (masks / "masks.json").write_text(json.dumps({"weights": "of stage one"}))
    assert np.array_equal(predicted(scans, masks).load("a")[1], OTHER)


@real_data
def test_real_images_have_the_classes_of_their_folders():
    busi = pytest.importorskip("tumor_busi") and DiagnosisSource("busi", str(REAL / "busi"), mask_source="none")
    targets = Counter(item["target"] for item in busi.items_of([case.id for case in busi.cases]))
    assert targets == {0: 48, 1: 144, 2: 70}
    image, mask = DiagnosisSource("busi", str(REAL / "busi"), crop=0.1).load("benign (195)")  # three masks
    assert image.shape[:2] == mask.shape and mask.any(axis=0).sum() < mask.shape[1]
