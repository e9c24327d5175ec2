"""Which images does a classifier call out of place? Noise, blanks, photographs, and folders of other kinds of images.

    python benchmarks/out_of_place.py --run CLASSIFIER [--bundle SEGMENTATION] [--other NAME=DIR ...] --work WORK

Each image goes through ``monai-tumor predict``, with the masks of SEGMENTATION where it is given. At most 60 images of a
folder are taken, spread evenly over it. The photographs are tiles of the two that scikit-learn brings. How often images of the
right kind are called out of place is among the classifier's own out-of-fold figures.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from common import ROOT, report

_MOST = 60
_SIDE = 240


def absolute(path: str) -> Path:
    """Return a path that means the same in every folder."""
    return Path(path).resolve()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=absolute, required=True)
    parser.add_argument("--bundle", type=absolute)
    parser.add_argument("--other", action="append", default=[], metavar="NAME=DIR")
    parser.add_argument("--work", type=absolute, default=absolute("runs/out-of-place"))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    kinds = dict(made(options.work / "images"))
    kinds |= {name: pictures(Path(folder)) for name, _, folder in (other.partition("=") for other in options.other)}
    found = {name: measure(options, name, files) for name, files in kinds.items()}
    own = newest_own(options.run)
    lines = [f"{name}: {one['flagged']} of {one['n']} called out of place" for name, one in found.items()]
    result = {"kinds": found, "own": own["out_of_place"]["alarms"], "own_part": own["part"], "dataset": own["dataset"]}
    report(
        "out_of_place", result, [*lines, f"its own kind: {own['out_of_place']['alarms']['text']}"], options.out, False
    )


def made(folder: Path) -> Iterator[tuple[str, list[Path]]]:
    """Write noise, blank images and tiles of photographs, and return their files."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    random = np.random.default_rng(0)
    photos = [tile for photo in load_sample_images().images for tile in tiles(photo)]
    made = {
        "noise": [random.integers(0, 256, (_SIDE, _SIDE + 60), np.uint8) for _ in range(20)],
        "blank": [np.full((_SIDE, _SIDE + 60), level, np.uint8) for level in np.linspace(0, 255, 10).astype(int)],
        "photographs": photos,
    }
    for name, arrays in made.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        files = [folder / name / f"{number:03}.png" for number in range(len(arrays))]
        for file, array in zip(files, arrays, strict=True):
            Image.fromarray(array).save(file)
        yield name, files


def tiles(photo: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """Return a photograph cut into tiles of 210 x 210 pixels, and itself."""
    step = 210
    rows, columns = (range(0, size - step + 1, step) for size in photo.shape[:2])
    return [photo, *(photo[row : row + step, column : column + step] for row in rows for column in columns)]


def pictures(folder: Path) -> list[Path]:
    """Return image files below a folder, masks left out, spread evenly."""
    suffixes = {".png", ".jpg", ".tif"}
    files = sorted(path for path in folder.rglob("*") if path.suffix in suffixes and "mask" not in str(path).lower())
    places = np.linspace(0, len(files) - 1, min(_MOST, len(files))).round().astype(int)
    return [files[place] for place in places]


def measure(options: argparse.Namespace, name: str, files: list[Path]) -> dict[str, Any]:
    """Predict images in a process of its own, and count those called out of place."""
    output = options.work / "predictions" / name
    table = output / ("diagnosis" if options.bundle else "") / "predictions.json"
    if not table.is_file():
        runs = [str(options.bundle), "--classifier", str(options.run)] if options.bundle else [str(options.run)]
        links = link_all(files, options.work / "links" / name)
        words = ["predict", str(links), "--bundle", *runs, "--output", str(output)]
        subprocess.run([sys.executable, "-m", "monai_tumor", *words], check=True, cwd=ROOT)
    entries = json.loads(table.read_text())
    flagged = sum(entry["out_of_place"] for entry in entries)
    distances = sorted(entry["distance"] for entry in entries)
    return {"n": len(entries), "flagged": flagged, "median_distance": distances[len(distances) // 2]}


def link_all(files: list[Path], folder: Path) -> Path:
    """Return a folder of links with numbers for names: what a file is called tells nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, file in enumerate(files):
        link = folder / f"{number:03}{file.suffix}"
        if not link.exists():
            link.symlink_to(file.resolve())
    return folder


def newest_own(run: Path) -> dict[str, Any]:
    """Return the newest out-of-fold or test figures of the classifier."""
    found = [*run.glob("evaluation/*-out_of_fold/metrics.json"), *run.glob("evaluation/*-test/metrics.json")]
    if not found:
        raise SystemExit(f"{run} has no test of its own; run: monai-tumor evaluate {run}")
    metrics: dict[str, Any] = json.loads(max(found, key=lambda path: path.stat().st_mtime).read_text())
    return metrics


if __name__ == "__main__":
    main()
