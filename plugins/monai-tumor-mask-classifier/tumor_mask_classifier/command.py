"""``monai-tumor diagnosis``: masks by cross-fitting, then classifiers that see them, on the same folds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from monai_tumor.errors import WrongCallError, unknown_name

CONTRACT = 1
_CLASSES = ("normal", "benign", "malignant")
_OWN = ("classes", "mask_source", "masks", "crop", "network_def#mask")
"""Settings that a comparison gives to its classifiers itself."""


@click.group("diagnosis")
def diagnosis_group() -> None:
    """Classify lesions from image and mask, without leaks between the stages."""


@diagnosis_group.command(
    "compare", epilog="Example: monai-tumor diagnosis compare --dataset-dir busi --dataset busi -o out"
)
@click.option("--dataset-dir", metavar="DIR", type=click.Path(), help="Folder of the data set; phantoms need none.")
@click.option("--dataset", metavar="NAME", default="busi", show_default=True, help="Layout of that folder.")
@click.option("--folds", metavar="K", type=click.IntRange(min=4), default=5, show_default=True, help="Number of folds.")
@click.option("--ways", metavar="A,B", help="How classifiers see the lesion.  [default: all]")
@click.option("--bundle", metavar="BUNDLE", default="breast", show_default=True, help="Stage one.")
@click.option("--recipe", metavar="NAME", help="Recipe of stage one.")
@click.option("--mask-minutes", metavar="M", type=float, help="Time of each training of stage one.")
@click.option("--mask-epochs", metavar="N", type=click.IntRange(min=1), help="Its epochs, instead of minutes.")
@click.option("--minutes", metavar="M", type=float, help="Time of each training of a classifier.")
@click.option("--epochs", metavar="N", type=click.IntRange(min=1), help="Its epochs, instead of minutes.")
@click.option("--mask-set", "mask_words", metavar="KEY=VALUE", multiple=True, help="Further setting of stage one.")
@click.option("--set", "words", metavar="KEY=VALUE", multiple=True, help="Further setting of the classifiers.")
@click.option(
    "--sensitivity", metavar="P", type=float, default=0.95, show_default=True, help="Asked of the operating point."
)
@click.option(
    "--seed", metavar="N", type=click.IntRange(min=0), default=0, show_default=True, help="Of folds and intervals."
)
@click.option("-o", "--output", metavar="OUT", required=True, type=click.Path(), help="Folder of everything.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def compare_command(**given: Any) -> None:
    """Compare what a classifier makes of image, predicted mask, reference mask and crop, on the same folds.

    First a segmentation network is trained for every pair of folds. The mask of a training image comes from a network that
    saw neither its group nor the tested fold. Then each way of seeing the lesion is trained and tested on each fold. The
    same line again goes on where it was stopped. Writes OUT/diagnosis.md and OUT/diagnosis-figures.json.
    """
    from tumor_mask_classifier.folder import DiagnosisFolder
    from tumor_mask_classifier.stages import WAYS, Stages

    ways = list(WAYS) if given["ways"] is None else [way.strip() for way in given["ways"].split(",") if way.strip()]
    for way in ways:
        if way not in WAYS:
            raise unknown_name("way", way, WAYS)
    budgets = _budget(given, "mask_minutes", "mask_epochs"), _budget(given, "minutes", "epochs")
    for word in given["words"]:
        if word.partition("=")[0].strip() in _OWN:
            raise WrongCallError(f"--set {word}: the comparison decides this itself; leave it out")
    if not 0 < given["sensitivity"] <= 1:
        raise WrongCallError(f"--sensitivity {given['sensitivity']}: expected above 0 and up to 1")
    from monai_tumor.folds.division import cut_folds

    folder = DiagnosisFolder(given["output"])
    words = tuple(given["mask_words"]), tuple(given["words"])
    asked = {name: given[name] for name in ("dataset", "folds", "bundle", "recipe", "seed")}
    asked |= {"budgets": [list(budget) for budget in budgets], "settings": [list(some) for some in words]}
    split = (
        folder.split
        if folder.is_begun
        else cut_folds(given["dataset"], given["dataset_dir"], given["seed"], given["folds"])
    )
    folder.begin(split, asked)
    stages = Stages(folder, given["dataset_dir"], given["dataset"], given["bundle"], given["recipe"], budgets, words)
    if any(WAYS[way]["mask_source"] == "out_of_fold" for way in ways):
        stages.draw_masks()
    found = _compared(stages, ways, given["sensitivity"], given["seed"])
    _write(folder.path, found)
    click.echo(json.dumps(found, indent=1) if given["as_json"] else _markdown(found))


def _budget(given: dict[str, Any], minutes: str, epochs: str) -> list[str]:
    if (given[minutes] is None) == (given[epochs] is None):
        options = f"--{minutes.replace('_', '-')} or --{epochs.replace('_', '-')}"
        raise WrongCallError(f"give either {options}: all trainings of a stage get the same")
    return ["--minutes", str(given[minutes])] if given[epochs] is None else ["--epochs", str(given[epochs])]


def _compared(stages: Any, ways: list[str], sensitivity: float, seed: int) -> dict[str, Any]:
    from tumor_mask_classifier.cases_table import TABLE, read_diagnosed
    from tumor_mask_classifier.diagnosis_point import DiagnosisWish
    from tumor_mask_classifier.figures import decide_out_of_fold
    from tumor_mask_classifier.pooled import difference

    for way in ways:
        for fold in range(stages.folder.split.folds):
            stages.classify(way, fold)
    tests = {way: stages.join(way, sensitivity) for way in ways}
    cases = {way: read_diagnosed(test / TABLE, _CLASSES) for way, test in tests.items()}
    asked = DiagnosisWish(_CLASSES, sensitivity=sensitivity)
    scaled = {way: decide_out_of_fold(one, asked).logits for way, one in cases.items()}
    first = ways[0]
    differences = {
        way: difference(cases[first], cases[way], (scaled[first], scaled[way]), _CLASSES, ("benign", "malignant"), seed)
        for way in ways[1:]
    }
    figures = {way: json.loads((test / "metrics.json").read_text(encoding="utf-8")) for way, test in tests.items()}
    return {"first": first, "cases": len(cases[first].names), "ways": figures, "differences": differences}


def _write(folder: Path, found: dict[str, Any]) -> None:
    from monai_tumor.imaging.write import write_text

    write_text(folder / "diagnosis-figures.json", json.dumps(found, indent=1) + "\n", overwrite=True)
    write_text(folder / "diagnosis.md", _markdown(found) + "\n", overwrite=True)


def _markdown(found: dict[str, Any]) -> str:
    from tumor_mask_classifier.table import table_of

    return table_of(found)
