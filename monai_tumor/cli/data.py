"""``monai-tumor data``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from monai_tumor import registry
from monai_tumor.cli.data_check import check_command
from monai_tumor.cli.data_convert import convert_command
from monai_tumor.cli.options import PARTS, PATH, json_option, names_of
from monai_tumor.cli.output import put_json, put_table, stdout_for_json
from monai_tumor.errors import WrongCallError
from monai_tumor.wording import count_of

if TYPE_CHECKING:
    from monai_tumor.splits.split import Split


@click.group("data")
def data_group() -> None:
    """Data sets, splits, phantoms and the cache."""


data_group.add_command(check_command)
data_group.add_command(convert_command)


@data_group.command("list", epilog="Example: monai-tumor data list")
@json_option
def list_datasets(as_json: bool) -> None:
    """List the data sets that are registered. Nothing is imported."""
    found = registry.components("datasets")
    if as_json:
        put_json([{name: getattr(item, name) for name in ("name", "distribution", "version")} for item in found])
        return
    put_table([(item.name, item.distribution, item.version) for item in found], ("name", "distribution", "version"))


@data_group.command("split", epilog="Example: monai-tumor data split kaggle_3m --dataset brain_mri -o split.json")
@click.argument("folder", metavar="[DIR]", required=False, type=PATH)
@click.option(
    "--dataset", metavar="NAME", help="Layout of DIR; left out, it is guessed.", shell_complete=names_of("datasets")
)
@click.option("--folds", metavar="K", type=int, help="Make K folds instead of three parts.")
@click.option("--fractions", metavar="A,B,C", help="Shares of training, validation, test.  [default: .7,.2,.1]")
@click.option("--seed", metavar="N", type=int, default=0, show_default=True, help="Another seed, another split.")
@click.option(
    "--contradictory",
    type=click.Choice(["quarantine", "drop", "keep"]),
    default="quarantine",
    show_default=True,
    help="Cases of one frame with another diagnosis or another mask: a part of their own, left out, or like all others.",
)
@click.option("-o", "--output", metavar="FILE", required=True, type=PATH, help="Split file to write.")
@json_option
def split_command(folder: str | None, dataset: str | None, output: str, as_json: bool, **how: Any) -> None:
    """Divide the cases of a folder by patient and near-duplicate cluster into a split file.

    The parts are balanced by label and lesion presence. Every file is read once: its digest goes into the split
    file, so that a changed file is noticed later. --folds uses the folds that the makers of the set published, where
    there are as many.
    """
    from monai_tumor.imaging.write import refuse_target
    from monai_tumor.splits.split import write_split

    refuse_target(output)  # before every file is read
    with stdout_for_json(as_json):
        split = _divided(folder, dataset, **how)
        write_split(output, split)
    rows = _counts(split)
    if as_json:
        head = {"file": output, "hash": split.hash, "dataset": split.dataset, "seed": split.seed, "rule": split.rule}
        put_json({**head, "cases": len(split.cases), "parts": rows, "dropped": dict(split.dropped)})
        return
    put_table(
        [tuple(row.values()) for row in rows],
        ("part", "cases", "clusters", "with lesion", "lesion-free", "no reference"),
    )
    if split.dropped:
        click.echo(f"dropped: {count_of(len(split.dropped), 'case that contradicts', 'cases that contradict')} another")
    click.echo(f"split: {output} ({split.rule}; hash {split.hash[:12]})")


@data_group.command("phantom", epilog="Example: monai-tumor data phantom demo/images --count 20 --layout folder")
@click.argument("folder", metavar="DIR", type=PATH)
@click.option(
    "--layout",
    metavar="NAME",
    default="folder",
    show_default=True,
    help="folder, folder_suffix, brain_mri or brain_mri_flat.",
)
@click.option("--count", metavar="N", type=int, default=100, show_default=True, help="Number of cases.")
@click.option("--seed", metavar="N", type=int, default=0, show_default=True, help="Another seed, other cases.")
@click.option("--style", type=click.Choice(["mr", "us"]), default="mr", show_default=True, help="MR or ultrasound.")
@json_option
def phantom_command(folder: str, layout: str, as_json: bool, **how: Any) -> None:
    """Write synthetic images with known lesions as files.

    They show no patient. Files that exist are never replaced.
    """
    from monai_tumor.datasets.phantom import PhantomDataset

    phantom = PhantomDataset(**how)
    phantom.write(folder, layout)
    if as_json:
        put_json({"folder": folder, "layout": layout, **how})
        return
    click.echo(f"{count_of(phantom.count, 'phantom', 'phantoms')}: {folder} (layout {layout})")


@data_group.command("cache", epilog="Example: monai-tumor data cache --clear")
@click.option("--clear", is_flag=True, help="Delete all prepared arrays; they are made again when needed.")
@click.option("--cache-dir", metavar="DIR", type=PATH, help="Another cache; also MONAI_TUMOR_CACHE.")
@json_option
def cache_command(clear: bool, cache_dir: str | None, as_json: bool) -> None:
    """Say where prepared arrays are kept and how much they take."""
    from monai_tumor.pipeline.cache import cache_root, cache_size, clear_cache

    root = cache_root(cache_dir)
    freed = clear_cache(root) if clear else 0
    size = cache_size(root)
    if as_json:
        put_json({"folder": str(root), "bytes": size, "freed_bytes": freed})
        return
    click.echo(f"cache: {root} ({size / 2**20:.1f} MiB{f', {freed / 2**20:.1f} MiB freed' if clear else ''})")


def _divided(
    folder: str | None, dataset: str | None, folds: int | None, fractions: str | None, seed: int, contradictory: str
) -> Split:
    from monai_tumor.audit.division import divide
    from monai_tumor.datasets import open_dataset
    from monai_tumor.datasets.guess import guess_dataset
    from monai_tumor.splits.split import FRACTIONS

    if folds is not None and fractions is not None:
        raise WrongCallError("--folds and --fractions exclude each other; give one of them")
    shares = FRACTIONS if fractions is None else _shares(fractions)
    opened = open_dataset(dataset or guess_dataset(folder))
    if folder is not None and not opened.layout:
        raise WrongCallError(f"data set {opened.name!r} reads no folder, but {folder} was given; leave one of them out")
    cases = opened.cases(folder)
    published = opened.published_folds(folder) if folder is not None else ()
    return divide(opened, cases, seed, shares, folds, published, contradictory)


def _shares(text: str) -> dict[str, float]:
    try:
        values = [float(word) for word in text.split(",")]
    except ValueError:
        values = []
    if len(values) != len(PARTS):
        raise WrongCallError(f"--fractions {text!r}: expected three numbers such as .7,.2,.1 ({', '.join(PARTS)})")
    return dict(zip(PARTS, values, strict=True))


def _counts(split: Split) -> list[dict[str, Any]]:
    """Count the cases of each part or fold, and of the quarantine if there is one."""
    places: list[str | int] = list(range(split.folds)) if split.folds else list(PARTS)
    places += ["quarantine"] if split.ids("quarantine") else []
    table = []
    for place in places:
        entries = [entry for entry in split.cases.values() if entry.part == place]
        lesions = [entry.lesion for entry in entries]
        table.append(
            {
                "part": place,
                "cases": len(entries),
                "clusters": len({entry.cluster for entry in entries}),
                "with_lesion": lesions.count(True),
                "lesion_free": lesions.count(False),
                "no_reference": lesions.count(None),
            }
        )
    return table
