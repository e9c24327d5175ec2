"""Wrong uses of ``evaluate`` and ``calibrate``: each ends in one line that names what was found and the next step."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monai_tumor.datasets.phantom import PhantomDataset
from monai_tumor.imaging.write import write_mask, write_picture

Words = Callable[[Path, Path, Path], list[object]]
OTHERS = PhantomDataset(count=4, seed=31, size=(70, 90))


def another_folder(folder: Path) -> Path:
    """Write four images that the run has never seen."""
    OTHERS.write(folder, "folder_suffix")
    return folder


def mask_file(folder: Path) -> Path:
    return min(path for path in folder.rglob("*.png") if "mask" in str(path.relative_to(folder)))


def no_masks(folder: Path) -> Path:
    for name in ("a", "b", "c"):
        write_picture(folder / f"{name}.png", np.full((30, 40), ord(name), np.uint8))
    return folder


def wrong_size(folder: Path) -> Path:
    another_folder(folder)
    write_mask(mask_file(folder), np.ones((20, 30), bool), overwrite=True)
    return folder


def broken_mask(folder: Path) -> Path:
    another_folder(folder)
    mask_file(folder).write_bytes(b"no picture")
    return folder


def changed_images(images: Path, folder: Path) -> Path:
    """Copy the images of the run; one picture is another one now, in place of a test case."""
    shutil.copytree(images, folder)
    for path in folder.rglob("*.png"):
        if "mask" not in str(path):
            write_picture(path, np.full((10, 12), 7, np.uint8), overwrite=True)
            break
    return folder


def empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def with_file(run: Path, name: str, content: bytes) -> Path:
    (run / name).parent.mkdir(parents=True, exist_ok=True)
    (run / name).write_bytes(content)
    return run


def fold_set(run: Path) -> Path:
    """Make the run say that it is a set of folds, of which none is there."""
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, "folds": 3}))
    return run


def external(make: Callable[[Path], Path], *more: object) -> Words:
    return lambda run, images, folder: ["evaluate", run, "--external", make(folder), "--dataset", "folder", *more]


def own(*more: object) -> Words:
    return lambda run, images, folder: ["evaluate", run, "--dataset-dir", images, *more]


WRONG: dict[str, tuple[Words, str]] = {
    "a bundle without weights": (lambda *_: ["evaluate", "brain"], "has no trained weights (models/model.pt)"),
    "no such run": (lambda *_: ["evaluate", "runs/nobody"], "runs/nobody"),
    "damaged weights": (
        lambda run, images, _: ["evaluate", with_file(run, "models/model.pt", b"x"), "--dataset-dir", images],
        "model.pt",
    ),
    "damaged split": (
        lambda run, images, _: ["evaluate", with_file(run, "split.json", b"{"), "--dataset-dir", images],
        "split.json",
    ),
    "the data are not given": (lambda run, *_: ["evaluate", run], "needs its folder; give it as --dataset_dir DIR"),
    "an empty folder": (
        lambda run, _, folder: ["evaluate", run, "--dataset-dir", empty(folder)],
        "is empty; was the download or the copy finished",
    ),
    "a folder of other images": (
        lambda run, _, folder: ["evaluate", run, "--dataset-dir", another_folder(folder)],
        "split",
    ),
    "an image that changed": (
        lambda run, images, folder: ["evaluate", run, "--dataset-dir", changed_images(images, folder)],
        "changed",
    ),
    "an unknown part": (own("--part", "tests"), "tests"),
    "an unknown setting": (own("--set", "tresholds=0.4"), "unknown setting 'tresholds'; did you mean 'threshold'?"),
    "a threshold above 1": (own("--threshold", 1.5), "threshold is 1.5, expected a probability between 0 and 1"),
    "a threshold that is a word": (own("--threshold", "best"), "is neither a probability nor 'auto' nor a file"),
    "a threshold file that is none": (
        lambda run, images, folder: [*own()(run, images, folder), "--threshold", run / "run.json"],
        "is no operating point",
    ),
    "auto on the part that chooses": (
        own("--part", "validation", "--threshold", "auto"),
        "is chosen on the validation part",
    ),
    "a data set's name without an external folder": (own("--dataset", "folder"), "--dataset belongs to --external"),
    "an external part": (external(another_folder, "--part", "test"), "--external and --part exclude each other"),
    "training images as external test": (
        lambda run, images, _: ["evaluate", run, "--external", images, "--dataset", "folder"],
        "were in the training or validation part of this run",
    ),
    "an external folder without masks": (external(no_masks), "3 images were found and none with a mask"),
    "masks of another size": (external(wrong_size), "has 20 x 30 pixels but its image"),
    "a mask that cannot be read": (external(broken_mask), "cannot be read"),
    "more local cases than there are": (
        lambda run, _, folder: [
            *("calibrate", run, "--on", another_folder(folder), "--dataset", "folder", "--cases", 9)
        ],
        "9 local cases were asked for",
    ),
    "a part of a fold set": (
        lambda run, images, _: ["evaluate", fold_set(run), "--dataset-dir", images, "--part", "test"],
        "is a fold set",
    ),
    "a fold set that is not trained": (
        lambda run, images, _: ["evaluate", fold_set(run), "--dataset-dir", images],
        "fold-0 is not trained; go on with: monai-tumor train --resume",
    ),
}


@pytest.mark.parametrize("use", WRONG)
def test_a_wrong_use_ends_in_one_clear_line(
    use: str, own_run: Path, trained: Any, program: Any, tmp_path: Path
) -> None:
    words, told = WRONG[use]
    result = program(*words(own_run, trained.images, tmp_path / "folder"))
    lines = [line for line in result.stderr.splitlines() if line.startswith(("error:", "Error:"))]
    assert result.exit_code == 2, result.stderr
    assert len(lines) == 1 and told in lines[0], result.stderr
    assert "Traceback" not in result.stderr and not list(own_run.glob("evaluation/*/metrics.json"))
