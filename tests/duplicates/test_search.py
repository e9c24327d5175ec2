"""The whole search, on made-up pictures and (where present) on real sets whose duplicates are known."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.duplicates.clusters import join_groups
from monai_tumor.duplicates.fingerprint import fingerprint
from monai_tumor.duplicates.search import Duplicate, find_duplicates
from monai_tumor.imaging.read import read_image

Picture = NDArray[Any]
Named = list[tuple[str, str]]


def search(pictures: Sequence[Picture], groups: Sequence[str] | None = None) -> list[Duplicate]:
    prints = [fingerprint(picture) for picture in pictures]
    return find_duplicates(prints, lambda position: pictures[position], groups or list(map(str, range(len(pictures)))))


def places(found: list[Duplicate]) -> list[tuple[int, int]]:
    return [(item.first, item.second) for item in found]


def nobody(position: int) -> Picture:
    raise AssertionError(f"picture {position} was loaded")


@pytest.fixture(scope="module")
def frames() -> list[Picture]:
    dataset = PhantomDataset(count=4, style="us", size=(200, 280))
    return [dataset.load(case)[0] for case in dataset.cases()]


def test_identical_pictures_come_first_then_the_surest(frames: list[Picture]) -> None:
    dark, small = frames[0] // 2, cv2.resize(frames[1], (140, 100), interpolation=cv2.INTER_AREA)
    found = search([small, dark, frames[2], frames[0], frames[1], np.stack([frames[2]] * 3, axis=2)])
    assert places(found) == [(2, 5), (1, 3), (0, 4)]
    assert [item.identical for item in found] == [True, False, False]
    assert found[0].same.agreement == 1 and found[0].bits == 0
    assert found[1].same.agreement > found[2].same.agreement
    assert found[2].same.scale == pytest.approx(2, rel=0.02) and 0 < found[2].bits < 30


def test_within_a_group_only_identical_pictures_are_told(frames: list[Picture]) -> None:
    crop = frames[0][20:, 30:]
    pictures = [frames[0], crop, frames[0].copy(), crop[10:]]
    assert places(search(pictures, ["a"] * 4)) == [(0, 2)]
    assert set(places(search(pictures, ["a", "a", "a", "b"]))) == {(0, 2), (0, 3), (1, 3)}  # 2 is a copy of 0


def test_strangers_are_not_found_and_hardly_loaded(frames: list[Picture]) -> None:
    assert find_duplicates([fingerprint(frame) for frame in frames], nobody, list("abcd")) == []


def test_identical_pictures_are_not_loaded_again(frames: list[Picture]) -> None:
    prints = [fingerprint(frames[1]), fingerprint(frames[1])]
    assert places(find_duplicates(prints, nobody, ["a", "b"])) == [(0, 1)]


def test_fewer_than_two_pictures_have_no_duplicates(frames: list[Picture]) -> None:
    assert find_duplicates([], nobody, []) == [] == find_duplicates([fingerprint(frames[0])], nobody, ["a"])


def test_blank_pictures_are_no_duplicates_of_each_other() -> None:
    assert search([np.zeros((64, 96), np.uint8)] * 3) == []


def test_all_of_many_identical_pictures_are_told(frames: list[Picture]) -> None:
    found = places(search([frames[0]] * 25 + frames[1:]))
    assert {second for _, second in found} == set(range(1, 25)) and len(found) < 250


def test_hundreds_of_like_pictures_stay_connected_by_few_pairs(frames: list[Picture]) -> None:
    random = np.random.default_rng(0)
    noisy = [np.clip(frames[0] + random.integers(-1, 2, frames[0].shape), 0, 255).astype(np.uint8) for _ in range(60)]
    found = places(search(noisy))
    joined = join_groups(map(str, range(60)), ((str(first), str(second)) for first, second in found))
    assert len(set(joined.values())) == 1 and len(found) <= 60 * 20


def test_crops_of_one_picture_are_all_connected(frames: list[Picture]) -> None:
    crops = [frames[0][:, shift : shift + 220] for shift in range(0, 60, 2)]
    found = {second: first for first, second in reversed(places(search(crops)))}
    assert found.keys() == set(range(1, 30))  # each has an earlier one


def test_pictures_of_any_size_can_be_searched(frames: list[Picture]) -> None:
    random = np.random.default_rng(0)
    shapes = [(1, 2), (1, 50), (50, 1), (8, 8), (3, 2000), (8, 8, 3), (40, 60)]
    odd = [random.integers(0, 256, shape).astype(np.uint8) for shape in shapes]
    found = search([*odd, frames[0], *odd])
    assert set(places(found)) == {(number, number + 8) for number in range(7)} and all(item.identical for item in found)


# Real sets


def read(folder: Path, pattern: str) -> tuple[list[str], list[Picture]]:
    files = sorted(path for path in folder.glob(pattern) if "_mask" not in path.name)
    return [path.name for path in files], [read_image(path) for path in files]


def pairs_of(names: list[str], pictures: list[Picture], group: Callable[[str], str] = str) -> Named:
    found = search(pictures, [group(name) for name in names])
    return [(names[item.first], names[item.second]) for item in found]


def unordered(pairs: Named) -> set[frozenset[str]]:
    return {frozenset(pair) for pair in pairs}


@pytest.fixture(scope="module")
def busi(real_data: Path) -> Named:
    return pairs_of(*read(real_data / "busi", "*/*.png"))


@pytest.fixture(scope="module")
def thyroid(real_data: Path) -> Named:
    names, pictures = read(real_data / "thyroid_ddti", "*.jpg")
    flat_names, flat_pictures = read(real_data / "thyroid_flat", "images/*")
    return pairs_of(names + flat_names, pictures + flat_pictures)


@pytest.fixture(scope="module")
def measured(real_data: Path) -> set[frozenset[str]]:
    with (real_data / "busi" / "near_duplicates_measured.csv").open() as file:
        return unordered([(row["image_a"], row["image_b"]) for row in csv.DictReader(file)])


def test_the_measured_pairs_of_busi_are_found_and_hardly_another(busi: Named, measured: set[frozenset[str]]) -> None:
    right = len(unordered(busi) & measured)
    assert len(measured) == 70 and right / 70 >= 0.95 and right / len(busi) >= 0.95


def test_the_first_pair_of_busi_is_identical_across_the_classes(busi: Named) -> None:
    assert busi[0] == ("benign (433).png", "malignant (145).png")


@pytest.mark.parametrize("numbers", [(1, 318, 52, 134), (4, 321), (240, 255, 277), (397, 401), (409, 410)])
def test_a_caption_in_common_joins_nothing(
    busi: Named, measured: set[frozenset[str]], numbers: tuple[int, ...]
) -> None:
    names = {f"benign ({number}).png" for number in numbers}
    assert {pair for pair in unordered(busi) if pair <= names} == {pair for pair in measured if pair <= names}
    assert {"benign (1).png", "benign (134).png"} not in unordered(busi)


@pytest.fixture(scope="module")
def origin(real_data: Path) -> dict[str, str]:
    """Return which picture of DDTI each flat one was found in."""
    with (real_data / "thyroid_flat" / "origin_measured.csv").open() as file:
        return {row["image"]: row["ddti_image"] for row in csv.DictReader(file)}


def test_identical_pictures_of_ddti_are_all_found(thyroid: Named) -> None:
    copies = [("150_1", "233_2", "323_1", "326_1", "349_1"), ("353_2", "396_1")]
    copies += [("1_1", "1_2"), ("92_3", "92_4"), ("213_1", "213_2"), ("230_1", "230_2")]
    for names in copies:
        expected = {frozenset({f"{one}.jpg", f"{other}.jpg"}) for one in names for other in names if one != other}
        assert expected <= unordered(thyroid)


def test_the_flat_thyroid_pictures_are_found_in_ddti(thyroid: Named, origin: dict[str, str], real_data: Path) -> None:
    present = unordered([pair for pair in origin.items() if (real_data / "thyroid_ddti" / pair[1]).is_file()])
    assert len(present) == 25 and present <= unordered(thyroid)


def test_thyroid_pictures_of_other_origins_are_not_joined(thyroid: Named, origin: dict[str, str]) -> None:
    cases = [{origin.get(name, name).split("_")[0] for name in pair} for pair in thyroid]
    same_source = [{"150", "233", "323", "326", "349"}, {"353", "396"}]
    assert all(len(pair) == 1 or any(pair <= copies for copies in same_source) for pair in cases)


@pytest.mark.parametrize(
    ("folder", "pattern", "group"),
    [
        ("bus_bra", "Images/*.png", lambda name: name.split("-")[0]),
        ("brain_flat", "images/*.png", str),
        ("brain_lgg", "kaggle_3m/*/*.tif", lambda name: name.rsplit("_", 1)[0]),
    ],
)
def test_sets_without_duplicates_across_patients_stay_as_they_are(
    real_data: Path, folder: str, pattern: str, group: Callable[[str], str]
) -> None:
    assert pairs_of(*read(real_data / folder, pattern), group=group) == []


def test_like_slices_of_one_patient_take_no_place_from_a_copy_under_another(frames: list[Picture]) -> None:
    random = np.random.default_rng(0)
    noisy = [np.clip(frames[0] + random.integers(-1, 2, frames[0].shape), 0, 255).astype(np.uint8) for _ in range(40)]
    crop = np.ascontiguousarray(noisy[7][15:, 20:])
    assert {second for _, second in places(search([*noisy, crop], ["p1"] * 40 + ["p2"]))} == {40}
