"""The same frame is proved through crops, scales, grey levels and marks; what only looks alike is not."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.duplicates.fingerprint import LONGEST_SIDE
from monai_tumor.duplicates.same_frame import SameFrame, carry_over, same_frame, view

Picture = NDArray[Any]
SIZE = (256, 340)


def phantoms(count: int, style: str = "us", size: tuple[int, int] = SIZE) -> list[Picture]:
    dataset = PhantomDataset(count=count, style=style, size=size)
    return [dataset.load(case)[0] for case in dataset.cases()]


@pytest.fixture(scope="module")
def frames() -> list[Picture]:
    return phantoms(4)


def compared(first: Picture, second: Picture) -> SameFrame | None:
    return same_frame(view(first), view(second))


def proved(first: Picture, second: Picture) -> SameFrame:
    found = compared(first, second)
    assert found is not None
    return found


def scaled(picture: Picture, factor: float) -> Picture:
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))


def measured(frame: Picture) -> Picture:
    """Draw two callipers, the line between them, and a caption."""
    drawn = frame.copy()
    for end in [(90, 80), (210, 150)]:
        cv2.drawMarker(drawn, end, 255, cv2.MARKER_CROSS, 15)
    cv2.line(drawn, (90, 80), (210, 150), 255)
    cv2.putText(drawn, "LEFT BREAST", (15, 230), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2)
    return drawn


def with_gamma(frame: Picture) -> Picture:
    return np.asarray(255 * (frame / 255) ** 0.6, np.uint8)


def as_jpeg(frame: Picture) -> Picture:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 70])[1], 0))


def deep(frame: Picture) -> Picture:
    return frame.astype(np.uint16) * 130 + 500


def colour(frame: Picture) -> Picture:
    return np.stack([frame, frame, np.clip(frame, 10, 250)], axis=2)


def turned(frame: Picture) -> Picture:
    return np.asarray(cv2.warpAffine(frame, TURN, frame.shape[::-1]))


def squeezed(frame: Picture) -> Picture:
    return np.asarray(cv2.resize(frame, None, fx=1, fy=0.75, interpolation=cv2.INTER_AREA))


def placed(rows: int = 0, columns: int = 0, down: float = 1, across: float = 1) -> NDArray[np.float64]:
    """Return the matrix of a picture of which so much was cut off above and at the left before it was resized."""
    return np.array([[across, 0, (0.5 - columns) * across - 0.5], [0, down, (0.5 - rows) * down - 0.5]])


INSIDE = np.array([[[160.0, 40.0], [300, 40], [160, 190], [300, 190]]])  # x, y: places that every crop shows
TURN = cv2.getRotationMatrix2D((170, 128), 8, 1)
CHANGES: dict[str, tuple[Callable[[Picture], Picture], NDArray[np.float64]]] = {
    "copy": (np.copy, placed()),
    "crop": (lambda frame: frame[24:200, 50:], placed(24, 50)),
    "half": (lambda frame: frame[:, 150:], placed(0, 150)),
    "0.83": (lambda frame: scaled(frame, 0.83), placed(0, 0, 0.83, 0.83)),
    "0.5": (lambda frame: scaled(frame, 0.5), placed(0, 0, 0.5, 0.5)),
    "crop 0.7": (lambda frame: scaled(frame[20:, 30:], 0.7), placed(20, 30, 0.7, 0.7)),
    "squeezed": (squeezed, placed(0, 0, 0.75, 1)),
    "crop squeezed": (lambda frame: squeezed(frame[20:, 30:]), placed(20, 30, 0.75, 1)),
    "turned": (turned, TURN),
    "gamma": (with_gamma, placed()),
    "jpeg": (as_jpeg, placed()),
    "marks": (measured, placed()),
    "crop marks": (lambda frame: measured(frame[16:, :]), placed(16)),
    "16 bit": (deep, placed()),
    "colour": (colour, placed()),
}


@pytest.mark.parametrize(("change", "matrix"), CHANGES.values(), ids=CHANGES)
def test_another_export_is_the_same_frame_and_lies_where_it_was_cut(
    frames: list[Picture], change: Callable[[Picture], Picture], matrix: NDArray[np.float64]
) -> None:
    for frame in frames:
        found = proved(frame, change(frame))
        assert np.abs(cv2.transform(INSIDE, found.matrix) - cv2.transform(INSIDE, matrix)).max() < 2
        assert found.scale == pytest.approx(np.sqrt(np.linalg.det(matrix[:, :2])), rel=0.02)
        assert found.agreement > 0.9 and found.overlap > 0.9


@pytest.mark.parametrize("change", [change for change, _ in CHANGES.values()], ids=CHANGES)
def test_the_order_of_the_two_does_not_matter(frames: list[Picture], change: Callable[[Picture], Picture]) -> None:
    there, back = proved(frames[0], change(frames[0])), proved(change(frames[0]), frames[0])
    places = cv2.transform(cv2.transform(INSIDE, there.matrix), back.matrix)
    assert np.abs(places - INSIDE).max() < 3
    assert min(there.agreement, back.agreement) > 0.84
    assert there.overlap == pytest.approx(back.overlap, abs=0.03)


def test_both_orders_agree_on_small_crops() -> None:
    random = np.random.default_rng(1)
    found = []
    for frame in phantoms(40):
        top, left, bottom, right = random.integers(0, [60, 90, 60, 90])
        crop = scaled(frame[top : 256 - bottom, left : 340 - right], random.uniform(0.45, 0.85))
        found.append((compared(frame, crop) is None, compared(crop, frame) is None))
    assert all(there == back for there, back in found)
    assert sum(missed for missed, _ in found) <= 2


def test_two_halves_that_share_a_strip_overlap_by_that_strip(frames: list[Picture]) -> None:
    columns = frames[0].shape[1]
    left, right = frames[0][:, : columns * 2 // 3], frames[0][:, columns // 3 :]
    assert proved(left, right).overlap == pytest.approx(0.5, abs=0.02)


# Not the same frame


def on_screen(frame: Picture) -> Picture:
    """Put a picture on the screen of a device: side bars, a depth scale, and captions above and below."""
    rows, columns = frame.shape
    screen = np.zeros((rows + 80, columns + 120), np.uint8)
    screen[40 : 40 + rows, 60 : 60 + columns] = frame
    screen[40 : 40 + rows, 10:25] = np.linspace(255, 0, rows, dtype=np.uint8)[:, None]
    screen[40 : 40 + rows : 20, columns + 70 : columns + 80] = 255
    for text, row in [("CITY HOSPITAL", 28), ("RIGHT BREAST 10 H", rows + 70)]:
        cv2.putText(screen, text, (10, row), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 255, 2)
    return screen


def speckled(anatomy: NDArray[np.float32], seed: int, like: int = 0, alike: float = 0) -> Picture:
    """Put speckle on a smooth picture: the magnitude of blurred complex noise, of which a share may be another seed's."""
    own, other = (np.random.default_rng(one).standard_normal((*anatomy.shape, 2), np.float32) for one in (seed, like))
    field = cv2.GaussianBlur(alike * other + np.sqrt(1 - alike**2) * own, (0, 0), sigmaX=1.6, sigmaY=0.9)
    magnitude = np.sqrt(np.hypot(field[..., 0], field[..., 1]))
    return np.clip(anatomy * magnitude / magnitude.mean(), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("style", ["us", "mr"])
def test_strangers_are_not_the_same_frame(style: str) -> None:
    views = [view(picture) for picture in phantoms(6, style)]
    assert all(same_frame(one, other) is None for one in views for other in views if one is not other)


def test_a_big_caption_and_the_layout_of_the_screen_are_not_enough(frames: list[Picture]) -> None:
    views = [view(on_screen(measured(frame))) for frame in frames]
    assert all(same_frame(one, other) is None for one in views for other in views if one is not other)


def labelled(frame: Picture, noise: float) -> Picture:
    """Put a picture on a grey screen with some 80 labels around it, by a frame grabber that adds noise."""
    rows, columns = frame.shape
    screen = np.full((rows + 192, columns + 340), 18, np.uint8)
    for number, (row, column) in enumerate(itertools.product(range(14, rows + 192, 28), range(4, columns + 280, 82))):
        cv2.putText(screen, f"P{number} {number}mm", (column, row), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 220, 1)
    screen[96 : 96 + rows, 170 : 170 + columns] = frame
    grabbed = screen + np.random.default_rng(int(frame.sum())).normal(0, noise, screen.shape)
    return np.clip(grabbed, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("noise", [0, 2])
def test_many_labels_around_two_pictures_are_not_enough(frames: list[Picture], noise: float) -> None:
    views = [view(labelled(frame, noise)) for frame in frames]
    assert all(same_frame(one, other) is None for one in views for other in views if one is not other)
    assert same_frame(views[0], view(labelled(with_gamma(frames[0]), noise))) is not None


@pytest.mark.parametrize("alike", [0, 0.5, 0.8])
def test_the_same_anatomy_in_other_speckle_is_another_frame(frames: list[Picture], alike: float) -> None:
    for frame in frames:
        anatomy = cv2.GaussianBlur(frame.astype(np.float32), (0, 0), 5)
        assert compared(speckled(anatomy, seed=1), speckled(anatomy, seed=2, like=1, alike=alike)) is None
        assert compared(speckled(anatomy, seed=1), speckled(anatomy, seed=2, like=1, alike=0.99)) is not None


def test_mirrored_or_inverted_is_another_frame(frames: list[Picture]) -> None:
    for other in (frames[0][:, ::-1], frames[0][::-1], 255 - frames[0]):
        assert compared(frames[0], np.ascontiguousarray(other)) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 90), (90, 1), (8, 8), (8, 8, 3), (1100, 1300)])
def test_blank_and_tiny_pictures_prove_nothing(frames: list[Picture], shape: tuple[int, ...]) -> None:
    blank, noise = np.full(shape, 70, np.uint8), np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    for picture in (blank, noise) if shape[0] < 1000 else (blank,):
        for other in (picture, frames[0]):
            assert compared(picture, other) is None and compared(other, picture) is None


@pytest.mark.parametrize("size", [(64, 64), (40, 72), (64, 300)])
def test_small_pictures_of_one_frame_are_recognised(frames: list[Picture], size: tuple[int, int]) -> None:
    small = [cv2.resize(frame, size[::-1], interpolation=cv2.INTER_AREA) for frame in frames]
    assert compared(small[0], np.clip(small[0], 0, 250) + 3) is not None
    assert all(compared(small[0], other) is None for other in small[1:])


def test_a_smooth_ramp_proves_nothing() -> None:
    ramp = np.tile(np.arange(200, dtype=np.uint8), (150, 1))
    assert compared(ramp, ramp) is None


# Masks


def disc(shape: tuple[int, ...], row: float, column: float, radius: float) -> NDArray[np.bool_]:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.asarray(np.hypot(rows - row, columns - column) < radius)


def dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    return 2 * float((first & second).sum()) / float(first.sum() + second.sum())


@pytest.mark.parametrize("factor", [1, 0.6])
def test_a_mask_is_carried_over_to_a_crop_and_back(frames: list[Picture], factor: float) -> None:
    frame, mask = frames[1], disc(frames[1].shape, 120, 200, 40)
    crop, truth = scaled(frame[30:, 70:], factor), scaled(mask[30:, 70:].astype(np.uint8), factor) > 0
    assert dice(carry_over(mask, proved(frame, crop), crop.shape), truth) > 0.95
    assert dice(carry_over(truth, proved(crop, frame), frame.shape), mask) > 0.95


def test_positions_are_those_of_the_pictures_and_not_of_their_reduced_copies() -> None:
    [frame] = phantoms(1, size=(1150, 1500))
    assert min(frame.shape) > LONGEST_SIDE
    mask, crop = disc(frame.shape, 500, 900, 120), frame[100:900, 400:1300]
    assert dice(carry_over(mask, proved(frame, crop), crop.shape), mask[100:900, 400:1300]) > 0.97
    small = scaled(frame, 0.5)
    assert proved(frame, small).scale == pytest.approx(0.5, rel=0.005)
    assert dice(carry_over(mask, proved(frame, small), small.shape), disc(small.shape, 250, 450, 60)) > 0.97


def test_what_lies_outside_the_other_picture_is_dropped() -> None:
    shift = SameFrame(np.array([[1.0, 0, -3], [0, 1, 2]]), 1.0, 1.0)  # three columns to the left, two rows down
    mask = np.zeros((4, 6), bool)
    mask[0, 2:5] = True
    assert np.argwhere(carry_over(mask, shift, (5, 4))).tolist() == [[2, 0], [2, 1]]
