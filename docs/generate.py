"""Write the generated pages of ``docs/``: the help of every command, and the measured results.

usage: python docs/generate.py [--check]
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # a checkout that is not installed
os.environ["MONAI_TUMOR_PLUGINS"] = ""  # the page is about this program, whatever else is installed

import click  # noqa: E402
from results_page import results_page  # noqa: E402

from monai_tumor.cli.main import PROGRAM, main  # noqa: E402

WIDTH = 100
HEAD = """# Command line

<!-- Written by docs/generate.py from the program itself; do not edit. -->

`monai-tumor` and `python -m monai_tumor` are the same program. Every command that lists or computes has `--json`:
stdout then holds JSON and nothing else. Options may be written with `-` or `_`.

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | done, with failed files, findings or broken plug-ins; or an unexpected error |
| 2 | a mistake in the call or in the data; one line says what was found, what was expected and the next step |
| 130 | interrupted; a training goes on from its last complete epoch with `--resume` |
"""


def pages() -> dict[Path, str]:
    """Return path and text of every generated page."""
    docs = ROOT / "docs"
    return {
        docs / "reference" / "cli.md": "\n".join([HEAD, *_sections(main, PROGRAM, None)]),
        docs / "results.md": results_page(ROOT / "benchmarks" / "results"),
    }


def _sections(command: click.Command, path: str, parent: click.Context | None) -> Iterator[str]:
    """Yield the section of a command, then those of its subcommands, in the order of the help."""
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    # Only the last word: click puts the names of the parents before it.
    with click.Context(command, info_name=path.rpartition(" ")[2], parent=parent, **settings) as ctx:
        yield f"## {path}\n\n```text\n{command.get_help(ctx)}\n```\n"
        if isinstance(command, click.Group):
            for name in command.list_commands(ctx):
                found = command.get_command(ctx, name)
                if found is not None:
                    yield from _sections(found, f"{path} {name}", ctx)


def stale() -> list[Path]:
    """Return the pages that are not as they would be written."""
    return [path for path, text in pages().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]


def write() -> None:
    """Write every page."""
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(f"run docs/generate.py: {', '.join(map(str, stale()))} differ" if stale() else 0)
    write()
