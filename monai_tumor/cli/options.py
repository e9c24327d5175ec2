"""Options that several commands share, under the same name everywhere, and how they become settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from monai_tumor import registry
from monai_tumor.errors import WrongCallError

# The parts of a split; splits.split.PARTS, which brings numpy along.
PARTS = ("training", "validation", "test")
# The configuration files of a run of MONAI, and its settings.
Step = tuple[Sequence[Path], Mapping[str, Any]]
Completion = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def names_of(kind: str, folders: bool = False) -> Completion:
    """Return a completion of the registered names of a kind, and of folders where those are taken too."""

    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        names = [item.name for item in registry.components(kind) if item.name.startswith(incomplete)]
        rest = [CompletionItem(incomplete, type="dir")] if folders and not names else []
        return [*map(CompletionItem, names), *rest]

    return complete


def recipe_names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the completion of a recipe's name."""
    from monai_tumor.bundles.find import recipes

    return [CompletionItem(name) for name in recipes() if name.startswith(incomplete)]


# click looks whether a path may be read, and answers in three lines of its own; the toolkit says it in one.
PATH = click.Path(readable=False)

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the result as JSON on stdout, everything else on stderr."
)
threshold_option = click.option(
    "--threshold",
    metavar="P",
    help="Probability from which on a pixel is lesion; 'auto' for what is best on the validation part; or a file of "
    "'calibrate'.  [default: that of the bundle]",
)
tta_option = click.option("--tta", is_flag=True, help="Predict the mirrored image as well, and take the mean.")
show_option = click.option(
    "--show-command", "show", is_flag=True, help="Print the plain MONAI command that does the same, and stop."
)
set_option = click.option(
    "--set",
    "words",
    metavar="KEY=VALUE",
    multiple=True,
    help="Any setting of the bundle, such as batch_size=4 or network_def#name=unet; may be repeated.",
)
folder_option = click.option(
    "--dataset-dir", metavar="DIR", type=click.Path(), help="Folder of the data set; the phantom needs none."
)
bundle_argument = click.argument("bundle", metavar="BUNDLE", shell_complete=names_of("bundles", folders=True))
run_argument = click.argument("run", metavar="RUN", type=click.Path())


def collect_settings(given: Mapping[str, Any], words: Sequence[str]) -> dict[str, Any]:
    """Join the options that were given (None means not given) with those of ``--set``.

    Raises:
        WrongCallError: A word of ``--set`` is no setting, or repeats an option.
    """
    from monai_tumor.bundles.settings import parse_settings

    settings = {name: value for name, value in given.items() if value is not None}
    for name, value in parse_settings(words).items():
        if name in settings:
            raise WrongCallError(f"setting {name!r} is given twice, once as an option; leave one out")
        settings[name] = value
    return settings


def path_setting(path: str | None) -> str | None:
    """Return a path as a setting that MONAI leaves as it is: a file called ``$x`` would be run as Python otherwise.

    Raises:
        WrongCallError: It contains ``#``, which MONAI 1.6.1 rewrites as ``::`` in every text.
    """
    if path is None:
        return None
    if "#" in path:
        raise WrongCallError(f"{path!r}: MONAI rewrites '#' in a path; rename the file or folder without '#'")
    return f"./{path}" if path.startswith(("$", "@", "%")) else path


def threshold_setting(text: str | None) -> float | str | None:
    """Return what ``--threshold`` says as a setting: a number, ``auto``, or a file.

    Raises:
        WrongCallError: It is none of these.
    """
    if text is None or text == "auto":
        return text
    try:
        return float(text)
    except ValueError:
        if not Path(text).is_file():
            raise WrongCallError(
                f"--threshold {text!r} is neither a probability nor 'auto' nor a file; give for example 0.4"
            ) from None
    return path_setting(text)


def trained_root(run: str) -> Path:
    """Return the folder of a trained bundle or run, before anything heavy is imported.

    Raises:
        WrongCallError: It is none, or has no weights.
    """
    from monai_tumor.bundles.find import has_weights, resolve

    root = resolve(run)
    if not has_weights(root):
        raise WrongCallError(f"{run} has no trained weights (models/model.pt); train first, then give the run")
    return root


def run_or_show(run_id: str, files: Sequence[Path], settings: Mapping[str, Any], show: bool, as_json: bool) -> None:
    """Check the settings, then run the bundle in this process, or print the equal MONAI command and end."""
    run_or_show_all(run_id, [(files, settings)], show, as_json)


def run_or_show_all(run_id: str, steps: Sequence[Step], show: bool, as_json: bool) -> None:
    """Check all settings, then run one step after the other in this process, or print the equal MONAI commands and end."""
    from monai_tumor.bundles.launch import run_bundle
    from monai_tumor.cli.output import stdout_for_json

    check_or_show(run_id, steps, show)
    with stdout_for_json(as_json):
        for files, settings in steps:
            run_bundle(run_id, files, settings)


def check_or_show(run_id: str, steps: Sequence[Step], show: bool) -> None:
    """Check the settings of all steps; with ``show`` print the equal MONAI commands, one a line, and end."""
    from monai_tumor.bundles.launch import plain_command
    from monai_tumor.bundles.settings import check_settings

    for files, settings in steps:
        check_settings(files, settings)
    if show:
        click.echo("\n".join(plain_command(run_id, files, settings) for files, settings in steps))
        raise click.exceptions.Exit(0)
