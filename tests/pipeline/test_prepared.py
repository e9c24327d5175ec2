"""The cache: decoded once, exact, safe to share and to lose."""

from __future__ import annotations

import os
import shutil

import cv2
import numpy as np
import pytest
from monai.bundle import ConfigParser

from monai_tumor.errors import WrongDataError
from monai_tumor.imaging import prepare
from monai_tumor.imaging.prepare import PrepareSettings
from monai_tumor.pipeline import CaseLoader, PrepareCase, PreparedDataset, TransformChain
from monai_tumor.pipeline.cache import PreparedStore, cache_size, clear_cache, limit_size

SETTINGS = PrepareSettings(rows=32, columns=48, channels=3)


@pytest.fixture
def files(tmp_path):
    generator = np.random.default_rng(1)
    items = []
    for number in range(5):
        image, mask = tmp_path / f"{number}.png", tmp_path / f"{number}_mask.png"
        cv2.imwrite(str(image), generator.integers(0, 256, (37, 29), dtype=np.uint8))
        cv2.imwrite(str(mask), (generator.random((37, 29)) > 0.5).astype(np.uint8) * 255)
        items.append({"image": str(image), "label": [str(mask)]})
    return items


def dataset(items, folder):
    return PreparedDataset(items, TransformChain([PrepareCase(SETTINGS)]), cache_dir=str(folder))


def test_cached_arrays_equal_a_fresh_preparation(files, tmp_path):
    cached = dataset(files, tmp_path / "cache")[3]
    fresh = PrepareCase(SETTINGS)(files[3])
    for key in ("image", "label", "source_shape"):
        np.testing.assert_array_equal(cached[key], fresh[key])
    assert cached["image"].shape == (3, 32, 48)


def test_a_second_run_decodes_nothing(files, tmp_path, monkeypatch):
    first = dataset(files, tmp_path / "cache")[0]["image"].copy()
    monkeypatch.setattr("monai_tumor.pipeline.prepare_case.prepare_image", lambda *_: pytest.fail("decoded again"))
    np.testing.assert_array_equal(dataset(files, tmp_path / "cache")[0]["image"], first)


def test_part_of_the_data_reuses_what_is_there_and_adds_the_rest(files, tmp_path):
    dataset(files[:3], tmp_path / "cache").prepare()
    dataset(files, tmp_path / "cache").prepare()
    rows = [len(np.load(path)) for path in sorted((tmp_path / "cache").glob("*/segment-*/image.npy"))]
    assert sorted(rows) == [2, 3]


def test_a_changed_file_is_prepared_again(files, tmp_path):
    before = dataset(files, tmp_path / "cache")[0]["image"].copy()
    cv2.imwrite(files[0]["image"], np.full((37, 29), 7, dtype=np.uint8))
    assert not np.array_equal(dataset(files, tmp_path / "cache")[0]["image"], before)


def test_other_settings_are_another_store(files, tmp_path):
    dataset(files, tmp_path / "cache").prepare()
    other = PreparedDataset(
        files, TransformChain([PrepareCase(prepare.PrepareSettings(16, 16, 1))]), cache_dir=str(tmp_path / "cache")
    )
    assert other[0]["image"].shape == (1, 16, 16)


def test_filters_are_applied_once_and_kept(files, tmp_path, monkeypatch):
    pytest.importorskip("itk")
    parser = ConfigParser(
        {"prepare": {"_target_": "monai_tumor.imaging.prepare.PrepareSettings", "rows": 32, "columns": 48}}
    )
    plain = parser.get_parsed_content("prepare")
    parser["prepare#filters"] = ["n4", {"name": "anisotropic_diffusion", "iterations": 2}]
    filtered = parser.get_parsed_content("prepare")
    pictures = []
    for settings in (plain, filtered, filtered):
        chain = TransformChain([PrepareCase(settings)])
        pictures.append(PreparedDataset(files, chain, cache_dir=str(tmp_path / "cache"))[0]["image"].copy())
        if settings is filtered:
            monkeypatch.setattr(prepare, "apply_filters", lambda *_: pytest.fail("filtered again"))
    assert not np.array_equal(pictures[0], pictures[1])
    np.testing.assert_array_equal(pictures[1], pictures[2])


def test_a_damaged_segment_is_made_again(files, tmp_path):
    expected = dataset(files, tmp_path / "cache")[0]["image"].copy()
    for path in (tmp_path / "cache").glob("*/segment-*/image.npy"):
        path.write_bytes(b"")
    np.testing.assert_array_equal(dataset(files, tmp_path / "cache")[0]["image"], expected)


def test_every_unreadable_file_is_named_at_once(files, tmp_path):
    for number in (1, 4):
        (tmp_path / f"{number}.png").write_bytes(b"not a picture")
    with pytest.raises(WrongDataError, match=r"2 of 5 cases cannot be read: .*1\.png.*4\.png") as caught:
        dataset(files, tmp_path / "cache").prepare()
    assert "\n" not in str(caught.value)


def test_an_unlabelled_image_has_no_label(files, tmp_path):
    assert "label" not in dataset([{"image": files[0]["image"]}], tmp_path / "cache")[0]


def test_too_little_room_is_said_before_work_begins(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(WrongDataError, match=r"cache of 1 cases needs .* free; make room"):
        PreparedStore(tmp_path, SETTINGS).rows({"a": lambda: {}}, lambda _: [])


def test_the_cache_is_bounded_oldest_first(files, tmp_path):
    for number in range(3):
        dataset(files[number : number + 1], tmp_path / "cache").prepare()
    segments = sorted((tmp_path / "cache").glob("*/segment-*"), key=lambda path: path.stat().st_mtime)
    for age, segment in enumerate(segments):
        os.utime(segment, (1000 + age, 1000 + age))
    limit_size(tmp_path / "cache", limit=cache_size(tmp_path / "cache") - 1)
    assert [segment.exists() for segment in segments] == [False, True, True]


def test_clearing_frees_the_cache_and_nothing_else(files, tmp_path):
    dataset(files, tmp_path / "cache").prepare()
    (tmp_path / "cache" / "notes.txt").write_text("mine")
    assert clear_cache(tmp_path / "cache") > 0
    assert [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()] == ["notes.txt"]


def test_another_first_transform_works_with_workers_too(files):
    plain = PreparedDataset(files, TransformChain([lambda item: {"image": np.zeros((3, 8, 8), np.float32)}]))
    assert len(list(CaseLoader(plain, batch_size=2, num_workers=1))) == 3
