"""A group of commands that are imported when they are called, with the commands of plug-ins among them."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from monai_tumor import registry
from monai_tumor.errors import PluginError, unknown_name


class LazyHelp(NamedTuple):
    """Where a command is, and its line in the list of commands.

    Attributes:
        target: ``module:attribute``.
        help: One short sentence.
    """

    target: str
    help: str


class LazyGroup(click.Group):
    """Imports a command when it is called; listing, completing and ``--help`` import none.

    Args:
        commands: Name to ``LazyHelp``.
        keywords: As for ``click.Group``.
    """

    def __init__(self, *, commands: dict[str, LazyHelp], **keywords: Any) -> None:
        super().__init__(**keywords)
        self.table = commands

    def guests(self) -> dict[str, LazyHelp]:
        """Return the commands of plug-ins; one that claims the name of another command is ``distribution:name``."""
        found = registry.components("commands")
        names = [*self.table, *(item.name for item in found)]
        return {
            item.name if names.count(item.name) == 1 else f"{item.distribution}:{item.name}": LazyHelp(
                item.target, f"From the plug-in {item.distribution}."
            )
            for item in found
        }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, our own first."""
        return [*self.table, *self.guests()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command.

        Raises:
            WrongCallError: There is none of that name; the message has the nearest one.
            PluginError: It is a plug-in's and cannot be loaded.
        """
        if cmd_name in self.table:
            module, _, attribute = self.table[cmd_name].target.partition(":")
            return _checked(getattr(importlib.import_module(module), attribute), cmd_name)
        if cmd_name.startswith("-"):  # an option that does not exist: click's own message
            return None
        if cmd_name not in self.guests() and ":" not in cmd_name:
            normal = cmd_name if ctx.token_normalize_func is None else ctx.token_normalize_func(cmd_name)
            if normal != cmd_name and normal in self.list_commands(ctx):
                return None  # click asks again with the normal spelling
            raise unknown_name("command", cmd_name, self.list_commands(ctx))
        return _checked(registry.load_named("commands", cmd_name), cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the tables."""
        for title, table in (("Commands", self.table), ("Commands of plug-ins", self.guests())):
            if table:
                with formatter.section(title):
                    formatter.write_dl([(name, entry.help) for name, entry in table.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete from the tables."""
        known = {**self.table, **self.guests()}
        found = [CompletionItem(name, help=item.help) for name, item in known.items() if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]


def _checked(command: Any, name: str) -> click.Command:
    if not isinstance(command, click.Command):
        raise PluginError(
            f"command {name!r} is a {type(command).__name__}, expected a click command; update the plug-in"
        )
    return command
