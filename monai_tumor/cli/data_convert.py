"""``monai-tumor data convert``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from monai_tumor.cli.options import PATH, json_option, names_of
from monai_tumor.cli.output import put_json, stdout_for_json
from monai_tumor.errors import WrongCallError
from monai_tumor.wording import count_of

if TYPE_CHECKING:
    from monai_tumor.datasets.nnunet import NnunetSet


@click.command("convert", epilog="Example: monai-tumor data convert busi busi-as-folder --to folder")
@click.argument("source", metavar="SRC", type=PATH)
@click.argument("destination", metavar="DEST", type=PATH)
@click.option("--to", "layout", type=click.Choice(["folder", "nnunet"]), required=True, help="Layout to write.")
@click.option(
    "--dataset",
    metavar="NAME",
    help="Layout of SRC.  [default: that of --split, else guessed]",
    shell_complete=names_of("datasets"),
)
@click.option(
    "--mask-threshold",
    metavar="N",
    type=click.IntRange(min=0),
    help="Mask levels above N are lesion, whatever they are.",
)
@click.option("--split", "split_file", metavar="FILE", type=PATH, help="nnunet: keep this split or these folds.")
@json_option
def convert_command(source: str, destination: str, layout: str, as_json: bool, **how: Any) -> None:
    """Write the cases of a folder in another layout, without loss.

    folder: images/ID.png, masks/ID.png and cases.csv, which has labels and groups. nnunet: DatasetNNN_Name as nnU-Net v2
    wants it, in DEST or as DEST itself if that is called so. A case that cannot be read is named and left out; the exit
    code is 1 then.
    """
    from monai_tumor.datasets.writing import refuse_destination

    refuse_destination(source, destination)  # before every file is read
    if layout == "folder" and how["split_file"] is not None:
        raise WrongCallError("--split belongs to --to nnunet; divide the new folder with: monai-tumor data split")
    with stdout_for_json(as_json):
        told = (_to_folder if layout == "folder" else _to_nnunet)(source, destination, **how)
    for case_id, error in told["failed"].items():
        click.echo(f"left out {case_id}: {error}", err=True)
    if as_json:
        put_json({name: value for name, value in told.items() if name != "lines"})
    else:
        click.echo("\n".join(told["lines"]))
    if told["failed"]:
        raise click.exceptions.Exit(1)


def _to_folder(source: str, destination: str, split_file: None, **how: Any) -> dict[str, Any]:
    from monai_tumor.datasets.convert import convert_to_folder, open_source

    name = _dataset_of(source, how["dataset"])
    dataset = open_source(name, how["mask_threshold"])
    cases = dataset.cases(source)
    failed = convert_to_folder(dataset, cases, destination)
    written = len(cases) - len(failed)
    done = f"{written} of {count_of(len(cases), 'case', 'cases')} of data set {name}"
    lines = [f"{done}: {destination} (read it with --dataset folder)"]
    return {
        "folder": destination,
        "layout": "folder",
        "dataset": name,
        "cases": written,
        "failed": failed,
        "lines": lines,
    }


def _to_nnunet(source: str, destination: str, split_file: str | None, **how: Any) -> dict[str, Any]:
    from monai_tumor.datasets.convert import open_source
    from monai_tumor.datasets.nnunet import convert_to_nnunet
    from monai_tumor.splits.split import read_split

    split = None if split_file is None else read_split(split_file)
    name = _dataset_of(source, how["dataset"] or (None if split is None else split.dataset))
    dataset = open_source(name, how["mask_threshold"])
    cases = dataset.cases(source)
    done = convert_to_nnunet(dataset, cases, destination, split)
    counts = {key: getattr(done, key) for key in ("training", "test", "unlabelled", "left_out", "channels", "folds")}
    head = {"folder": str(done.folder), "layout": "nnunet", "dataset": name, "cases": done.written, **counts}
    return {**head, "failed": dict(done.failed), "lines": list(_summary(done, name, len(cases)))}


def _dataset_of(source: str, name: str | None) -> str:
    from monai_tumor.datasets.guess import guess_dataset

    return name or guess_dataset(source)


def _summary(done: NnunetSet, name: str, found: int) -> Iterator[str]:
    """Yield what was written where, and what nnU-Net has to be told."""
    yield f"{done.written} of {count_of(found, 'case', 'cases')} of data set {name}: {done.folder}"
    yield f"training: {done.training} in imagesTr and labelsTr"
    yield f"test: {done.test} in imagesTs and labelsTs, and {done.unlabelled} unlabelled in imagesTs"
    if done.left_out:
        yield f"left out by the split: {done.left_out}"
    same = "grey images have three equal channels" if done.channels == 3 else "no image has colour"
    yield f"channels: {done.channels} ({same})"
    title, number = done.folder.name, done.folder.name[7:10]
    yield f"next: nnUNetv2_plan_and_preprocess -d {int(number)} -c 2d --verify_dataset_integrity"
    if done.folds:
        yield f"folds: {done.folds} in {done.folder / 'splits_final.json'}; planning copies it to"
        yield f"  nnUNet_preprocessed/{title}/ (nnU-Net 2.3.1 or later; before, copy it there yourself)"
    else:
        yield "NOTE: nnU-Net's own folds are by case; only --split FILE keeps patients and near duplicates together"
