"""Which of the listed pairs of one frame are found, what else is, and what would a random split have leaked?

python benchmarks/listed_pairs.py FOLDER --dataset busi --pairs near_duplicates.csv

The list has the columns image_a and image_b (file names). --pairs may be left out: then only the leak is counted.
Writes benchmarks/results/listed_pairs.json unless --out names another file.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import Any

from burned_in_marks import share
from common import load_average, rounded

RESULT = Path(__file__).parent / "results" / "listed_pairs.json"


def main() -> None:
    from monai_tumor.imaging.write import write_text
    from monai_tumor.training.record import versions

    options = parsed()
    result = {"benchmark": "listed_pairs", **rounded(compare(options)), "versions": versions()}
    text = json.dumps(result, indent=1) + "\n"
    write_text(options.out or RESULT, text, overwrite=True)
    print(text)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dataset", default="busi")
    parser.add_argument("--pairs", type=Path, help="CSV: the pairs that are known")
    parser.add_argument("--out", type=Path, help="write here instead of benchmarks/results")
    return parser.parse_args()


def compare(options: argparse.Namespace) -> dict[str, Any]:
    """Find the pairs of a folder; return recall and precision against the list, the clusters, and the leak."""
    from monai_tumor.audit.check import check
    from monai_tumor.audit.relations import contradictions
    from monai_tumor.datasets import open_dataset

    evidence = check(open_dataset(options.dataset), options.folder, read_texts=False)
    relations = evidence.evidence.relations
    found = {frozenset((Path(item.first.image).name, Path(item.second.image).name)) for item in relations}
    listed = listed_pairs(options.pairs) if options.pairs else found
    content = evidence.content()
    return {
        "dataset": options.dataset,
        "counts": content["counts"],
        "pairs": len(found),
        "recall": share(len(found & listed), len(listed)) if options.pairs else None,
        "precision": share(len(found & listed), len(found)) if options.pairs else None,
        "missed": sorted(sorted(pair) for pair in listed - found),
        "not_listed": sorted(sorted(pair) for pair in found - listed),
        "least_agreement": min((item.same.agreement for item in relations), default=None),
        "contradictory": len(contradictions(relations)),
        "leak": content["leak"],
        "load_average": load_average(),
    }


def listed_pairs(path: Path) -> set[frozenset[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {frozenset((row["image_a"], row["image_b"])) for row in csv.DictReader(file)}


if __name__ == "__main__":
    main()
