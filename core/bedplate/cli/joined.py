"""Commands that a first-party plugin brings for a group of ours: named by its entry point, imported when typed.

Rule: only the distribution that is meant may join, so that nothing is imported because it happens to be installed. An
entry point of `bedplate.commands` is a table: name → ("module:command", summary); the commands are plain click.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click

from bedplate.cli.frame import json_option
from bedplate.errors import BedplateError

GROUP = "bedplate.commands"


class Joined(click.Group):
    """distribution: whose commands join, under this group's name · brought: names that it is known to bring, so that
    its absence is explained."""

    distribution = ""
    brought: tuple[str, ...] = ()

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*self.commands, *self._table()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if own := self.commands.get(cmd_name):
            return own
        table = self._table()
        if cmd_name not in table:
            if cmd_name in self.brought and not table:
                raise BedplateError(
                    f"{self.name} {cmd_name} is a command of {self.distribution}, which is not installed"
                )
            return None
        target, summary = table[cmd_name]
        module, _, name = target.partition(":")
        command: click.Command = getattr(import_module(module), name)
        if command.short_help != summary:
            command.name, command.short_help = cmd_name, summary
            _with_json(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Without importing what is only listed."""
        known = {name: summary for name, (_, summary) in self._table().items()}
        known |= {name: one.get_short_help_str(80) for name, one in self.commands.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted(known.items()))

    def _table(self) -> Mapping[str, tuple[str, str]]:
        found = _entry(self.name or "", self.distribution)
        loaded: Any = found.load() if found else {}
        return loaded  # type: ignore[no-any-return]


def _entry(name: str, distribution: str) -> EntryPoint | None:
    for one in entry_points(group=GROUP, name=name):
        if one.dist is not None and one.dist.name == distribution:
            return one
    return None


def _with_json(command: click.Command) -> None:
    """Every command of ours takes --json; those below a group too."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            _with_json(below)
    else:
        json_option(command)
