"""The ``monai-tumor`` program: its list of commands, and how every mistake ends."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

import click

from monai_tumor import __version__
from monai_tumor.cli.lazy import LazyGroup, LazyHelp
from monai_tumor.errors import user_error

PROGRAM = "monai-tumor"
DEBUG_VARIABLE = "MONAI_TUMOR_DEBUG"  # bundles.running has the same for MONAI's own command
INTERRUPTED = 130  # what a shell expects of a program that ended on Ctrl-C

# Name: where the command is, and the line that --help shows. Data, so that --help imports no command.
COMMANDS = {
    "train": LazyHelp("monai_tumor.cli.train:train_command", "Train a bundle."),
    "evaluate": LazyHelp("monai_tumor.cli.evaluate:evaluate_command", "Compare a run with the references of a part."),
    "calibrate": LazyHelp("monai_tumor.cli.calibrate:calibrate_command", "Choose a threshold on a few local cases."),
    "predict": LazyHelp("monai_tumor.cli.predict:predict_command", "Outline tumours in image files."),
    "compare": LazyHelp("monai_tumor.cli.compare:compare_group", "Networks, recipes or two runs on the same cases."),
    "data": LazyHelp("monai_tumor.cli.data:data_group", "Data sets, splits, phantoms and the cache."),
    "bundle": LazyHelp("monai_tumor.cli.bundle:bundle_group", "Find, show and check bundles."),
    "plugins": LazyHelp("monai_tumor.cli.plugins:plugins_group", "What is registered, and whether it works."),
    "info": LazyHelp("monai_tumor.cli.info:info_command", "Versions, devices, and what is missing for what."),
    "completion": LazyHelp("monai_tumor.cli.completion:completion_command", "Print the completion script of a shell."),
}


class ProgramGroup(LazyGroup):
    """The whole program. Mistakes of the user end in one line, all others in their cause; ``--debug`` adds the rest."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take ``--debug`` wherever it stands: people add it at the end of the line that failed."""
        end = args.index("--") if "--" in args else len(args)
        words = [word for word in args[:end] if word != "--debug"]
        return super().parse_args(ctx, ["--debug"] * (len(words) < end) + words + args[end:])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error becomes one line on stderr and an exit code."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise  # click's own, and a reader such as head that has seen enough
        except KeyboardInterrupt as error:
            click.echo("error: interrupted", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from error
        except Exception as error:
            raise click.exceptions.Exit(_tell(error, ctx.params["debug"])) from error


def _tell(error: Exception, debug: bool) -> int:
    """Print what went wrong and return the exit code."""
    debug = debug or bool(os.environ.get(DEBUG_VARIABLE))
    if debug:
        traceback.print_exception(error)
    ours = user_error(error)
    if ours is not None:
        click.echo(f"error: {ours}", err=True)
        return ours.exit_code
    from monai_tumor.bundles.running import cause

    click.echo(f"error: {cause(error)}" + ("" if debug else "\nrun again with --debug for the traceback"), err=True)
    return 1


@click.group(
    cls=ProgramGroup,
    commands=COMMANDS,
    # Settings are written with underscores (dataset_dir) in configurations: options are understood in both spellings.
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda word: word.replace("_", "-"),
    },
    epilog="Example: monai-tumor train brain --epochs 12",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error; also MONAI_TUMOR_DEBUG=1.")
@click.version_option(__version__, prog_name=PROGRAM)
def main(debug: bool) -> None:
    """Find and outline tumours in medical images, on MONAI bundles.

    Research software, not a medical device.
    """


def console() -> None:
    """Run the program on the words of the shell and exit."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # before anything imports it; see bundles.tracking
    sys.exit(main.main(prog_name=PROGRAM))
