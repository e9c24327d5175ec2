"""``monai-tumor compare``."""

from __future__ import annotations

from typing import Any

import click

from monai_tumor.cli.options import PARTS, PATH, folder_option, json_option, names_of, path_setting, set_option
from monai_tumor.cli.output import put_json, put_table, stdout_for_json
from monai_tumor.errors import WrongCallError


@click.group("compare")
def compare_group() -> None:
    """Compare methods on the same folds, or two runs on the same cases."""


@compare_group.command(
    "networks",
    epilog="Example: monai-tumor compare networks breast --dataset-dir busi --networks unet,monai_unet --minutes 8 -o compared",
)
@click.argument("bundle", metavar="BUNDLE", shell_complete=names_of("bundles", folders=True))
@folder_option
@click.option("--dataset", metavar="NAME", help="Layout of that folder.", shell_complete=names_of("datasets"))
@click.option("--networks", metavar="A,B", default="", help="Networks to compare, as in 'train --network'.")
@click.option("--recipes", metavar="A,B", default="", help="Recipes to compare, as in 'train --recipe'; or JSON files.")
@click.option("--folds", metavar="K", type=click.IntRange(min=3), help="Cut K folds.  [default: 5]")
@click.option("--split", metavar="FILE", type=PATH, help="Folds made by 'data split --folds', instead of cutting them.")
@click.option("--only-folds", metavar="I,J", help="Run these folds only, from 0; the others another time.")
@click.option("--minutes", metavar="M", type=click.FloatRange(min=0, min_open=True), help="Time of each training.")
@click.option(
    "--epochs", metavar="N", type=click.IntRange(min=1), help="Epochs of each training, instead of --minutes."
)
@click.option(
    "--seed",
    metavar="N",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of folds, trainings and intervals.",
)
@set_option
@click.option("-o", "--output", metavar="OUT", required=True, type=PATH, help="Folder of the comparison.")
@json_option
def networks_command(
    bundle: str, networks: str, recipes: str, only_folds: str | None, output: str, as_json: bool, **given: Any
) -> None:
    """Train and test several networks and recipes on the same folds: one table, one picture.

    Each method is trained on each fold in a process of its own, as OUT/METHOD/fold-K, all with the same minutes or the
    same epochs. Writes OUT/comparison.md, comparison.json and comparison.png. The same line again goes on where it was
    stopped, and may name further methods. A method that fails is named and the rest goes on; the exit code is 1 then.
    """
    from monai_tumor.bundles.find import resolve
    from monai_tumor.comparison.methods import named_methods

    methods = named_methods(_words(networks), _words(recipes))
    folds = None if only_folds is None else _numbers(only_folds)
    root, output = resolve(bundle), str(path_setting(output))
    if given["folds"] is not None and given["split"] is not None:
        raise WrongCallError("--folds and --split exclude each other: the file says how many folds there are")
    given["folds"] = 5 if given["folds"] is None else given["folds"]
    given["dataset_dir"], given["split"] = path_setting(given["dataset_dir"]), path_setting(given["split"])

    from monai_tumor.comparison.compare import compare_methods
    from monai_tumor.comparison.plan import Plan

    with stdout_for_json(as_json):
        compared = compare_methods(Plan(root, methods, **given), output, folds)
    if as_json:
        put_json(compared)
    else:
        _show(compared, output)
    if compared["failed"]:
        raise click.exceptions.Exit(1)


@compare_group.command(
    "runs", epilog="Example: monai-tumor compare runs runs/breast/001 runs/breast/002 --dataset-dir busi -o compared"
)
@click.argument("first", metavar="RUN_A", type=PATH)
@click.argument("second", metavar="RUN_B", type=PATH)
@click.option(
    "--part",
    type=click.Choice([*PARTS, "out_of_fold"]),
    default="test",
    show_default=True,
    help="Part of which the newest evaluation of a run is taken.",
)
@click.option(
    "--measure", metavar="A,B", default="all", show_default=True, help="Measures, as in the columns of cases.csv."
)
@folder_option
@click.option("-o", "--output", metavar="OUT", type=PATH, help="New folder for table, JSON and picture.")
@json_option
def runs_command(
    first: str, second: str, part: str, measure: str, dataset_dir: str | None, output: str | None, as_json: bool
) -> None:
    """Compare two evaluated runs case by case: mean of both, paired difference with interval, p value.

    RUN_A and RUN_B are runs, or single evaluation folders, of the same cases. With -o, writes OUT/comparison.md,
    comparison.json, and changed.png with the cases that changed most; for that picture the images are needed
    (--dataset-dir).
    """
    from monai_tumor.comparison.evaluations import paired_evaluations
    from monai_tumor.comparison.runs import compare_evaluated, measures_called
    from monai_tumor.comparison.runs_folder import HOW_TO_KEEP, refuse_folder, write_runs

    measures_called(_words(measure))  # before anything is read
    if output is None and dataset_dir is not None:
        raise WrongCallError("--dataset-dir is for the picture of the most changed cases; give -o OUT as well")
    if output is not None:
        refuse_folder(output)
    with stdout_for_json(as_json):
        pair = paired_evaluations(first, second, part)
        compared = compare_evaluated(pair, _words(measure))
        told = HOW_TO_KEEP if output is None else write_runs(output, pair, compared, dataset_dir)
    if as_json:
        put_json(compared)
    else:
        _show_runs(compared)
    click.echo(told, err=as_json)


def _show_runs(compared: dict[str, Any]) -> None:
    from monai_tumor.comparison import runs_page as page

    click.echo("\n".join([page.title(compared), *page.runs_lines(compared), ""]))
    put_table(page.measure_rows(compared), page.MEASURE_COLUMNS)
    click.echo("\n".join(["", *page.counts_lines(compared), ""]))
    if compared["changed"]:
        put_table(page.changed_rows(compared), page.CHANGED_COLUMNS)
        click.echo()
    click.echo(page.listed(page.notes(compared)))


def _show(compared: dict[str, Any], output: str) -> None:
    from monai_tumor.comparison.table import markdown

    click.echo(markdown(compared))
    click.echo(f"comparison: {output} (comparison.md, comparison.json, comparison.png)")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _numbers(text: str) -> list[int]:
    words = _words(text)
    if not words or not all(word.isdigit() for word in words):
        raise WrongCallError(f"--only-folds {text!r}: expected numbers such as 0,1")
    return list(map(int, words))
