"""``monai-tumor data check``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monai_tumor.cli.options import PATH, json_option, names_of
from monai_tumor.cli.output import put_json, put_table, stdout_for_json

if TYPE_CHECKING:
    from monai_tumor.audit.check import Audit


@click.command("check", epilog="Example: monai-tumor data check scans -o scans-check")
@click.argument("folder", metavar="[DIR]", required=False, type=PATH)
@click.option(
    "--dataset", metavar="NAME", help="Layout of DIR.  [default: guessed]", shell_complete=names_of("datasets")
)
@click.option("-o", "--output", metavar="DIR", type=PATH, help="Write check.html and check.json there.")
@click.option(
    "--no-reading", is_flag=True, help="Do not read burned-in text, which takes a second for each picture with some."
)
@json_option
def check_command(folder: str | None, dataset: str | None, output: str | None, no_reading: bool, as_json: bool) -> None:
    """Look at every picture and mask of a folder and say what would make results wrong.

    Finds broken files, pictures of one frame (also with another crop, scale or marks), labels and masks that contradict
    each other, burned-in text and callipers, and how much a random split would leak. Nothing is changed. The exit code is 1
    if something would make results wrong. Burned-in text is read where the optional reader is installed
    (pip install 'monai-tumor[ocr]').
    """
    from monai_tumor.audit.check import check
    from monai_tumor.audit.report import refuse_existing, write_report
    from monai_tumor.datasets import open_dataset
    from monai_tumor.datasets.guess import guess_dataset

    if output is not None:
        refuse_existing(output)  # before every file is read
    with stdout_for_json(as_json):
        name = dataset or guess_dataset(folder)
        audit = check(open_dataset(name), folder, not no_reading, _watched)
        written = write_report(output, audit) if output is not None else []
    if as_json:
        put_json({**audit.content(), "files": list(map(str, written))})
    else:
        _put_summary(audit)
        _put_next(audit, folder, name, written)
    raise click.exceptions.Exit(audit.exit_code)


def _put_summary(audit: Audit) -> None:
    """Print the verdict, what a random split would leak, and a line a finding."""
    from monai_tumor.audit.words import (
        count_words,
        counts_sentence,
        first_examples,
        own_leak_sentence,
        random_leak_sentence,
    )

    click.echo(f"{audit.dataset}: {counts_sentence(audit)}")
    click.echo(f"\n{audit.verdict}")
    if audit.leak is not None:
        click.echo(f"{random_leak_sentence(audit)}\n{own_leak_sentence(audit)}")
    click.echo()
    rows = [(one.severity, one.title, count_words(one), first_examples(one)) for one in audit.findings]
    put_table(rows, ("severity", "finding", "count", "first examples"))
    click.echo()


def _put_next(audit: Audit, folder: str | None, name: str, written: list[Path]) -> None:
    place = f"{folder} --dataset {name}" if folder is not None else f"--dataset {name}"
    if written:
        click.echo(f"pictures and what to do: {written[0]}\neverything for programs: {written[1]}")
    else:
        click.echo(f"next: look at the pictures and what to do: monai-tumor data check {place} -o DIR")
    unreadable = audit.counts["unreadable"]
    if unreadable:
        click.echo(f"then: mend or remove the {unreadable} unreadable; training refuses them")
    if audit.own_leak["possible"]:
        click.echo(f"then: divide without leaks: monai-tumor data split {place} -o split.json")


def _watched(items: Iterable[Any], what: str, total: int) -> Iterable[Any]:
    """Show a bar on stderr where somebody looks, once it takes longer than a moment."""
    from tqdm import tqdm

    bar: Iterable[Any] = tqdm(
        items, what, total, leave=False, delay=1, disable=None, file=sys.stderr, dynamic_ncols=True
    )
    return bar
