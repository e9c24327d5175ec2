"""How many of the marks that eyes saw in pictures are found, how many other pictures are flagged, and how long it takes.

    python benchmarks/burned_in_marks.py DIR --listed FILE.json

DIR is a folder of pictures, looked through with its subfolders; masks (``_mask`` in the name) are left out. FILE.json names
for each kind the pictures that carry it, by path or by file name without ending::

    {"text": ["benign (1)", "benign (318)"], "calliper": ["benign (6)"], "colour": ["benign (6)"]}

A kind may also be ``diagnosis`` or ``personal``: then every picture is read (``pip install 'monai-tumor[ocr]'``). Whether the
others that are flagged are false is for eyes to say: they are listed by name. Without ``--listed`` all are others.
Several folders: give a ``--name`` each, they share one result file. Even and odd numbers are counted apart, because the even
ones of BUSI were looked at while thresholds were chosen.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from common import ROOT, load_average, rounded

RESULT = ROOT / "benchmarks" / "results" / "burned_in_marks.json"
SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"}
SEEN = ("text", "calliper", "colour")
READ = ("diagnosis", "personal")
Z = 1.959964


def main() -> None:
    import cv2

    options = parsed()
    cv2.setNumThreads(1)
    listed = json.loads(options.listed.read_text(encoding="utf-8")) if options.listed else {}
    unknown = set(listed) - {*SEEN, *READ}
    if unknown:
        raise SystemExit(f"{options.listed} has the kinds {sorted(unknown)}, expected some of {[*SEEN, *READ]}")
    files = list(pictures(options.folder, options.quick))
    found, seconds = look(files, read=bool(set(listed) & set(READ)) or options.read)
    result = {
        "pictures": len(files),
        "cpu_ms_per_picture": {name: statistics.median(times) * 1000 for name, times in seconds.items()},
        "load_average": load_average(),
        "kinds": {kind: counted(found[kind], listed.get(kind, []), files) for kind in found},
    }
    print(json.dumps(rounded(result), indent=1))
    write(options, result)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--listed", type=Path, help="JSON: kind to pictures that carry it")
    parser.add_argument("--name", help="of this folder in the result; default: the folder's own")
    parser.add_argument("--read", action="store_true", help="read text also without a list of diagnoses")
    parser.add_argument(
        "--quick", action="store_true", help="every tenth picture; writes no file unless --out is given"
    )
    parser.add_argument("--out", type=Path, help="write here instead of benchmarks/results")
    return parser.parse_args()


def pictures(folder: Path, quick: bool) -> Iterator[Path]:
    """Yield the pictures of a folder, every tenth for a quick run."""
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and "_mask" not in file.stem)
    if not files:
        raise SystemExit(f"{folder} has no pictures; expected files that end in {', '.join(sorted(SUFFIXES))}")
    yield from files[:: 10 if quick else 1]


def look(files: list[Path], read: bool) -> tuple[dict[str, set[Path]], dict[str, list[float]]]:
    """Return for each kind the files that are flagged, and processor seconds of each step and file."""
    from monai_tumor.imaging.leaks import label_leaks, personal_data
    from monai_tumor.imaging.marks import find_marks
    from monai_tumor.imaging.read import read_image
    from monai_tumor.imaging.text import TextReader

    reader = TextReader() if read else None
    found: dict[str, set[Path]] = {kind: set() for kind in (*SEEN, *(READ if read else ()))}
    seconds: dict[str, list[float]] = {"find_marks": [], **({"read": []} if read else {})}
    for file in files:
        image = read_image(file)
        for mark in timed(seconds["find_marks"], find_marks, image):
            found[mark.kind].add(file)
        if reader is not None:
            texts = [line.text for line in timed(seconds["read"], reader.read, image)]
            found["diagnosis"].update([file] if label_leaks(texts) else [])
            found["personal"].update([file] if personal_data(texts) else [])
    return found, seconds


def timed(seconds: list[float], call: Callable[[Any], Any], image: Any) -> Any:
    """Call and note the processor time."""
    start = time.process_time()
    result = call(image)
    seconds.append(time.process_time() - start)
    return result


def counted(found: set[Path], names: list[str], files: list[Path]) -> dict[str, Any]:
    """Return recall on the listed pictures, all, even and odd numbers, and which others are flagged."""
    listed = [file for file in files if any(file.stem == name or file.as_posix().endswith(name) for name in names)]
    others = [file for file in files if file not in listed]
    flagged = [file.stem for file in others if file in found]
    return {
        "recall": share(sum(file in found for file in listed), len(listed)),
        "recall_even": half(found, listed, 0),
        "recall_odd": half(found, listed, 1),
        "missed": [file.stem for file in listed if file not in found],
        "others_flagged": share(len(flagged), len(others)),
        "others": flagged,
    }


def half(found: set[Path], listed: list[Path], odd: int) -> dict[str, Any]:
    numbers = {file: re.findall(r"\d+", file.stem) for file in listed}
    files = [file for file in listed if numbers[file] and int(numbers[file][-1]) % 2 == odd]
    return share(sum(file in found for file in files), len(files))


def share(hits: int, count: int) -> dict[str, Any]:
    """Return hits, count, share and its 95 % interval (Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212)."""
    if count == 0:
        return {"hits": 0, "of": 0}
    centre = hits + Z * Z / 2
    spread = Z * (hits * (count - hits) / count + Z * Z / 4) ** 0.5
    low, high = ((centre + sign * spread) / (count + Z * Z) for sign in (-1, 1))
    return {"hits": hits, "of": count, "share": hits / count, "interval": [low, high]}


def write(options: argparse.Namespace, result: dict[str, Any]) -> None:
    from monai_tumor.imaging.write import write_text
    from monai_tumor.training.record import versions

    file = options.out or (None if options.quick else RESULT)
    if file is None:
        return
    before = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    folders = {**before.get("folders", {}), options.name or options.folder.resolve().name: rounded(result)}
    used = {**versions(), **{name: version(name) for name in ("rapidocr", "onnxruntime") if find_spec(name)}}
    content = {"benchmark": "burned_in_marks", "quick": options.quick, "folders": folders, "versions": used}
    write_text(file, json.dumps(content, indent=1) + "\n", overwrite=True)


if __name__ == "__main__":
    main()
