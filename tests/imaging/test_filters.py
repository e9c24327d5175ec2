"""Filters of the preparation, on pictures whose truth is known."""

from __future__ import annotations

import math
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from monai_tumor.errors import WrongCallError
from monai_tumor.imaging.filters import AnisotropicDiffusion, BiasCorrection, apply_filters, build_filters
from monai_tumor.imaging.prepare import PrepareSettings, prepare_image

ROWS, COLUMNS = 150, 190
down, right = np.mgrid[-1 : 1 : ROWS * 1j, -1 : 1 : COLUMNS * 1j]
HEAD = np.hypot(down / 0.85, right / 0.8) < 1
CORE = np.hypot((down + 0.2) / 0.3, (right - 0.3) / 0.35) < 1
TISSUE = HEAD & ~CORE
FIELD = np.exp(0.3 * down - 0.2 * right - 0.15 * right**2 + 0.1 * down * right)


@pytest.fixture(autouse=True)
def needs_itk() -> None:
    pytest.importorskip("itk")


def slice_with(field: np.ndarray | float) -> np.ndarray:
    """Return a head of two tissues with a little noise, seen through ``field``, in the dark."""
    noise = np.random.default_rng(4).normal(0, 2, HEAD.shape)
    seen = np.where(HEAD, np.where(CORE, 170, 110) + noise, np.abs(noise)) * field
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8)


def variation(image: np.ndarray, where: np.ndarray) -> float:
    return float(image[where].std() / image[where].mean())


def speckled() -> np.ndarray:
    """Return 70 at the left and 150 from column 60 on, both with a deviation of 14, as log compression leaves it."""
    levels = np.where(np.arange(100) < 60, 70.0, 150.0)[None].repeat(80, 0)
    return np.rint(levels + np.random.default_rng(8).normal(0, 14, levels.shape)).astype(np.uint8)


def test_n4_takes_a_known_field_away() -> None:
    seen = slice_with(FIELD)
    corrected = apply_filters(seen, build_filters("n4"))
    assert variation(seen, TISSUE) > 0.14
    for tissue in (TISSUE, CORE):
        assert variation(corrected, tissue) < variation(slice_with(1.0), tissue) + 0.01


def test_n4_keeps_the_mean_of_the_foreground_and_what_has_no_field() -> None:
    seen, clean = slice_with(FIELD), slice_with(1.0)
    assert apply_filters(seen, build_filters("n4"))[HEAD].mean() == pytest.approx(seen[HEAD].mean(), abs=0.5)
    assert np.abs(apply_filters(clean, build_filters("n4"))[HEAD].astype(int) - clean[HEAD]).mean() < 3


@pytest.mark.parametrize("value", [0, 90, 255])
@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (40, 30)])
def test_n4_leaves_a_picture_without_contrast_as_it_is(shape: tuple[int, int], value: int) -> None:
    flat = np.full(shape, value, np.uint8)
    assert np.array_equal(apply_filters(flat, build_filters("n4")), flat)


def test_diffusion_smooths_regions_and_keeps_the_edge_between_them() -> None:
    before = speckled()
    after = apply_filters(before, build_filters("anisotropic_diffusion"))
    for region in (np.s_[:, 5:55], np.s_[:, 65:95]):
        assert after[region].std() < before[region].std() / 3
        assert after[region].mean() == pytest.approx(before[region].mean(), abs=2)
    assert after[:, 60:62].mean() - after[:, 58:60].mean() > 0.85 * (150 - 70)


def test_more_conductance_smooths_more() -> None:
    gentle, strong = (apply_filters(speckled(), [AnisotropicDiffusion(conductance=size)]) for size in (0.5, 2.0))
    assert strong[:, 5:55].std() < gentle[:, 5:55].std()


@pytest.mark.parametrize("name", ["n4", "anisotropic_diffusion"])
def test_every_channel_is_filtered_by_itself(name: str) -> None:
    chosen = build_filters(name)
    planes = [slice_with(FIELD), slice_with(1 / FIELD), slice_with(1.0)]
    together = apply_filters(np.stack(planes, axis=2), chosen)
    for channel, plane in enumerate(planes):
        assert np.array_equal(together[..., channel], apply_filters(plane, chosen))


def test_filters_are_applied_in_order_and_rounded_once() -> None:
    chosen = build_filters(["n4", {"name": "anisotropic_diffusion", "iterations": 3}])
    assert chosen == (BiasCorrection(), AnisotropicDiffusion(iterations=3))
    values = slice_with(FIELD).astype(np.float32)
    expected = chosen[1](chosen[0](values))
    assert np.array_equal(apply_filters(slice_with(FIELD), chosen), np.rint(expected).astype(np.uint8))


def test_the_result_is_the_same_in_threads() -> None:
    chosen = build_filters(["n4", "anisotropic_diffusion"])
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: apply_filters(slice_with(FIELD), chosen), range(8)))
    assert all(np.array_equal(result, results[0]) for result in results)


def test_the_padding_takes_no_part() -> None:
    wide = prepare_image(slice_with(FIELD), PrepareSettings(200, COLUMNS, 1, filters=["n4"]))[..., 0]
    assert np.array_equal(wide[25:175], apply_filters(slice_with(FIELD), build_filters("n4")))
    assert not wide[:25].any() and not wide[175:].any()


def test_no_filter_is_the_default_and_changes_neither_pixels_nor_key() -> None:
    assert PrepareSettings() == PrepareSettings(filters=[])
    assert PrepareSettings(filters=[]).key() == "prepare1-256x256x3-pad"
    image = slice_with(FIELD)
    assert apply_filters(image, ()) is image


def test_the_key_differs_with_every_filter_option_and_order() -> None:
    variants = [
        [],
        ["n4"],
        ["n4", "anisotropic_diffusion"],
        ["anisotropic_diffusion", "n4"],
        [{"name": "n4", "shrink": 2}],
    ]
    assert len({PrepareSettings(filters=variant).key() for variant in variants}) == len(variants)
    assert PrepareSettings(filters=["n4"]) == PrepareSettings(filters=[{"name": "n4", "shrink": 4}])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("diffusion", r"unknown filter 'diffusion'; did you mean 'anisotropic_diffusion'\?"),
        ({"shrink": 2}, r"filter {'shrink': 2} has no name; give one of anisotropic_diffusion, n4"),
        (3, "filter 3 has no name"),
        (None, "filter None has no name"),
        ({"name": None}, "has no name"),
        ({"name": "n4", 3: 2}, "unknown option of filter 'n4': '3'"),
        ({"name": "n4", "shrinks": 2}, r"unknown option of filter 'n4': 'shrinks'; did you mean 'shrink'\?"),
        ({"name": "n4", "shrink": 0}, r"filter 'n4': shrink=0 is impossible; give at least 1"),
        ({"name": "n4", "shrink": "2"}, r"filter 'n4': shrink='2' is impossible"),
        ({"name": "n4", "shrink": 1.5}, r"shrink=1.5 is impossible; give at least 1, as a whole number"),
        ({"name": "n4", "levels": 2.5}, r"levels=2.5 is impossible"),
        ({"name": "n4", "iterations": True}, r"iterations=True is impossible"),
        ({"name": "n4", "levels": math.nan}, r"levels=nan is impossible"),
        (
            {"name": "anisotropic_diffusion", "conductance": math.nan},
            r"conductance=nan is impossible; .* finite number",
        ),
        ({"name": "anisotropic_diffusion", "conductance": math.inf}, r"conductance=inf is impossible"),
        ({"name": "anisotropic_diffusion", "conductance": True}, r"conductance=True is impossible"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(wrong: object, words: str) -> None:
    with pytest.raises(WrongCallError, match=words) as caught:
        PrepareSettings(filters=[wrong])  # type: ignore[list-item]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wrong", [None, 3, True, math.nan])
def test_filters_that_are_no_list_are_refused(wrong: object) -> None:
    with pytest.raises(WrongCallError, match="is impossible; give a list of filters"):
        PrepareSettings(filters=wrong)  # type: ignore[arg-type]


def test_a_missing_itk_is_said_before_any_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "itk", None)
    with pytest.raises(
        WrongCallError, match="filter 'n4' needs the package itk, which is not installed; run: pip install"
    ):
        PrepareSettings(filters=["n4"])
