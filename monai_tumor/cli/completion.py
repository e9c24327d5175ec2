"""``monai-tumor completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion", epilog='Example: eval "$(monai-tumor completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print the completion script of a shell.

    It completes commands, options, and the names of bundles, data sets and networks.
    """
    from monai_tumor.cli.main import PROGRAM, main

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"this version of click has no completion for {shell}")
    variable = f"_{PROGRAM.upper().replace('-', '_')}_COMPLETE"
    click.echo(found(main, {}, PROGRAM, variable).source())
