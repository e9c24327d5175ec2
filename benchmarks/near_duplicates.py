"""Near duplicates among 100,000 pictures: is every planted one a candidate, how long does it take, how much memory?

Three parts, each measured in fresh processes in shuffled turns:

- Hashes: random 256-bit hashes with planted neighbours at 0 to 60 differing bits. ``hash_pairs`` against the plainest
  way that cannot miss one either: XOR of all pairs, bits counted, in blocks.
- Landmarks: 200 descriptors a picture, random ones and such as phantoms have. Planted pictures share 30 of them with
  others, with up to 10 differing bits each. Descriptors of real pictures are far from random: by chance two pictures of a
  set have a key in common in 0.01 to 11 of 100 cases (measured on phantoms, breast and thyroid ultrasound and brain MRI).
  Drawing from a pool with 5 of 100 bits flipped gives 2 to 3 of 100 among 10,000 pictures.
- Folder: what a picture costs to read and to be fingerprinted, and what a pair costs to be proved.
"""

from __future__ import annotations

import json
import os
import random
import resource
import statistics
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from common import Clock, arguments, in_fresh_process, load_average, medians, report

DISTANCE = 60
PER_PICTURE, SHARED, FLIPPED = 200, 30, 10
POOL_FLIPS = 0.05
FULL = {"pictures": 100_000, "planted": 2_000, "files": 240}
QUICK = {"pictures": 3_000, "planted": 60, "files": 12}
WAYS = [
    {"part": "hashes", "way": "hash_pairs"},
    {"part": "hashes", "way": "brute force"},
    {"part": "landmarks", "way": "random"},
    {"part": "landmarks", "way": "phantom"},
]


def peak_mb() -> float:
    """Return the largest memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(call: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """Return what ``call`` returns and what it took; the data lie in memory before."""
    before, clock = peak_mb(), Clock()
    result = call()
    look = clock.look()
    return result, {"wall_s": look["wall_s"], "cpu_s": look["cpu_s"], "peak_mb": peak_mb(), "data_mb": before}


# Hashes


def measure_hashes(settings: dict[str, Any]) -> dict[str, Any]:
    """Find all pairs within the distance one way; return the cost and how many planted ones were found."""
    import numpy as np

    from monai_tumor.duplicates.candidates import hash_pairs

    hashes, planted = planted_hashes(settings["pictures"], settings["planted"])
    ways = {"hash_pairs": hash_pairs, "brute force": every_pair}
    pairs, cost = timed(lambda: ways[settings["way"]](hashes, DISTANCE))
    codes = pairs[:, 0] << 32 | pairs[:, 1]
    recall = float(np.isin(planted[:, 0] << 32 | planted[:, 1], codes).mean())
    return {**cost, "recall": recall, "pairs": len(pairs), "pairs_digest": int(codes.sum() % 2**53)}


def planted_hashes(pictures: int, planted: int) -> tuple[Any, Any]:
    """Return (pictures, 4) uint64 hashes in any order, and (planted, 2) positions of neighbours, the smaller one first."""
    import numpy as np

    generator = np.random.default_rng(0)
    hashes = generator.integers(0, 2**64, (pictures, 4), dtype=np.uint64)
    places = generator.permutation(pictures)[: 2 * planted].reshape(2, planted)
    hashes[places[1]] = flip_bits(hashes[places[0]].view(np.uint8), DISTANCE, generator).view(np.uint64)
    return hashes, np.sort(places.T, axis=1)


def flip_bits(codes: Any, most: int, generator: Any) -> Any:
    """Return copies of (k, 32) uint8 codes in which 0 to ``most`` bits are flipped, all numbers equally often."""
    import numpy as np

    ranks = generator.random((len(codes), 256)).argsort(axis=1)
    counts = np.arange(len(codes)) % (most + 1)
    return codes ^ np.packbits(ranks < counts[:, None], axis=1)


def every_pair(hashes: Any, distance: int) -> Any:
    """Return the pairs within the distance: XOR and count the bits of all."""
    import numpy as np

    found = []
    for start in range(0, len(hashes), 64):
        block = hashes[start : start + 64]
        bits = np.zeros((len(block), len(hashes) - start), np.uint16)
        for word in range(hashes.shape[1]):
            bits += np.bitwise_count(block[:, word, None] ^ hashes[None, start:, word])
        pairs = np.argwhere(bits <= distance) + start
        found.append(pairs[pairs[:, 0] < pairs[:, 1]])
    return np.concatenate(found)


# Landmarks


def measure_landmarks(settings: dict[str, Any]) -> dict[str, Any]:
    """Pair pictures by landmarks; return the cost, the share of pairs that meet, and of planted ones that are candidates."""
    import numpy as np

    from monai_tumor.duplicates import candidates

    pictures, generator = settings["pictures"], np.random.default_rng(1)
    pool = None if settings["way"] == "random" else phantom_descriptors(settings["pool_pictures"])
    descriptors = made_descriptors(pictures, pool, generator)
    places = generator.permutation(pictures)[: 2 * settings["planted"]].reshape(2, -1)
    for first, second in places.T:
        descriptors[second, :SHARED] = flip_bits(descriptors[first, :SHARED], FLIPPED, generator)
    meeting, sure = 0, []

    def pair_up() -> None:
        nonlocal meeting
        for pairs, shared in candidates.landmark_pairs(list(descriptors)):
            meeting += len(pairs)
            sure.append(pairs[shared >= candidates._LEAST_SHARED])

    _, cost = timed(pair_up)
    found, expected = np.concatenate(sure), np.sort(places.T, axis=1)
    recall = float(np.isin(expected[:, 0] << 32 | expected[:, 1], found[:, 0] << 32 | found[:, 1]).mean())
    share = meeting / (pictures * (pictures - 1) / 2)
    return {**cost, "recall": recall, "share_of_pairs_that_meet": share, "candidates": len(found)}


def phantom_descriptors(pictures: int) -> Any:
    """Return the descriptors of so many ultrasound-like and as many MR-like pictures, (k, 32) uint8."""
    import numpy as np

    from monai_tumor.datasets.phantom import PhantomDataset
    from monai_tumor.duplicates.fingerprint import fingerprint

    sets = [PhantomDataset(count=pictures, style=style) for style in ("us", "mr")]
    return np.concatenate([fingerprint(one.load(case)[0]).descriptors for one in sets for case in one.cases()])


def made_descriptors(pictures: int, pool: Any, generator: Any) -> Any:
    """Return (pictures, 200, 32) uint8: random ones, or drawn from a pool with some of their bits flipped."""
    import numpy as np

    if pool is None:
        return generator.integers(0, 256, (pictures, PER_PICTURE, 32), dtype=np.uint8)
    drawn = pool[generator.integers(0, len(pool), (pictures, PER_PICTURE))]
    for start in range(0, pictures, 500):  # random numbers for all bits at once would be the peak of memory
        part = drawn[start : start + 500]
        flips = generator.random((*part.shape[:2], 256), np.float32) < POOL_FLIPS
        part ^= np.packbits(flips, axis=2)
    return drawn


# Folder


def measure_folder(settings: dict[str, Any]) -> dict[str, Any]:
    """Read and fingerprint a folder, then search it; return pictures a second, and milliseconds a proof."""
    import cv2

    from monai_tumor.duplicates.candidates import candidate_pairs
    from monai_tumor.duplicates.fingerprint import fingerprint
    from monai_tumor.duplicates.same_frame import same_frame, view
    from monai_tumor.imaging.read import read_image

    cv2.setNumThreads(1)
    files = sorted(Path(settings["folder"]).iterdir())
    fingerprint(read_image(files[0]))  # whatever is done only once
    with ThreadPoolExecutor(settings["threads"]) as pool:
        prints, cost = timed(lambda: list(pool.map(lambda file: fingerprint(read_image(file)), files)))
    pairs = candidate_pairs(prints)
    result = {
        "files": len(files),
        "pictures_per_s": len(files) / cost["wall_s"],
        "pictures_per_cpu_s": len(files) / cost["cpu_s"],
    }
    if settings["threads"] == 1:
        images = [read_image(file) for file in files]
        views, looking = timed(lambda: [view(image) for image in images])
        found, proving = timed(lambda: [same_frame(views[one], views[other]) for one, other in pairs])
        result["ms_per_view"] = 1000 * looking["cpu_s"] / len(files)
        result["ms_per_proof"] = 1000 * proving["cpu_s"] / max(len(pairs), 1)
        result["recall"] = sum(item is not None for item in found) / (len(files) / 2)
    return result


def write_pictures(folder: Path, count: int) -> None:
    """Write half as many phantoms, 470x560 pixels, and for each an export: cropped, or smaller and marked."""
    import cv2

    from monai_tumor.datasets.phantom import PhantomDataset

    phantom = PhantomDataset(count=count // 2, style="us", size=(470, 560))
    for number, case in enumerate(phantom.cases()):
        image = phantom.load(case)[0]
        other = (
            image[40:, 60:].copy()
            if number % 2
            else cv2.resize(image, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
        )
        cv2.putText(other, f"LT {number}", (20, other.shape[0] - 20), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2)
        for name, picture in (("a", image), ("b", other)):
            cv2.imwrite(str(folder / f"{number:05d}{name}.png"), picture)


# All of it


def measure(settings: dict[str, Any]) -> dict[str, Any]:
    """Measure one part one way, in this process."""
    parts = {"hashes": measure_hashes, "landmarks": measure_landmarks, "folder": measure_folder}
    return parts[settings["part"]](settings)


def compare(quick: bool, threads: int, rounds: int) -> dict[str, Any]:
    """Measure all parts, ``rounds`` times, each in a fresh process; return medians over rounds."""
    sizes = QUICK if quick else FULL
    settings = {**sizes, "pool_pictures": 20 if quick else 150}
    measured: dict[str, list[dict[str, float]]] = {}
    loads = []
    with tempfile.TemporaryDirectory() as folder:
        write_pictures(Path(folder), sizes["files"])
        folders = [
            {"part": "folder", "way": f"{count} thread(s)", "threads": count, "folder": folder} for count in (1, 2)
        ]
        for turn in range(rounds):
            for way in random.Random(turn).sample([*WAYS, *folders], len(WAYS) + len(folders)):
                loads.append(load_average())
                looks = measured.setdefault(f"{way['part']}: {way['way']}", [])
                looks.append(in_fresh_process(__file__, **{"threads": threads, **settings, **way}))
    found = {name: medians(measured[name]) for name in sorted(measured)}
    ours, plain = measured["hashes: hash_pairs"], measured["hashes: brute force"]
    same = {(look["pairs"], look["pairs_digest"]) for look in [*ours, *plain]}
    for name in ("hashes: hash_pairs", "hashes: brute force"):
        del found[name]["pairs_digest"]
    return {
        "threads": threads,
        "rounds": rounds,
        "load_average": {"lowest": min(loads), "highest": max(loads)},
        "sizes": {**sizes, "distance": DISTANCE, "descriptors": PER_PICTURE, "shared": SHARED, "flipped": FLIPPED},
        "measured": found,
        "hash_pairs_equal_brute_force": len(same) == 1,
        "brute_force_times_hash_pairs": {
            clock: statistics.median(look[clock] for look in plain) / statistics.median(look[clock] for look in ours)
            for clock in ("wall_s", "cpu_s")
        },
    }


def in_words(result: dict[str, Any]) -> list[str]:
    """Return the lines to print."""
    lines = []
    for name, found in result["measured"].items():
        figures = ", ".join(f"{key} {value:.4g}" for key, value in found.items())
        lines.append(f"{name:22s} {figures}")
    ratio = result["brute_force_times_hash_pairs"]
    lines.append(f"brute force takes {ratio['wall_s']:.2f} times as long (processor {ratio['cpu_s']:.2f} times)")
    lines.append(f"both find the same pairs: {result['hash_pairs_equal_brute_force']}")
    return lines


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="of matrix products (default 2)")
    parser.add_argument("--rounds", type=int, help="fresh processes per way (default 3; 1 with --quick)")
    given = parser.parse_args()
    if given.child:
        settings = json.loads(given.child)
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[name] = str(settings["threads"])  # before numpy is imported, which reads them
        print(json.dumps(measure(settings)))
        return
    result = compare(given.quick, given.threads, given.rounds or (1 if given.quick else 3))
    report("near_duplicates", result, in_words(result), given.out, given.quick)


if __name__ == "__main__":
    main()
