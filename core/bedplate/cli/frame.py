"""What every command has: --json, --endpoint where it talks to a running Bedplate, and an `Invocation` as first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, update_wrapper
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bedplate.cli.screen import Screen
    from bedplate.client import Client

Function = Callable[..., Any]


@dataclass
class Invocation:
    """What was asked for beside a command's own options. endpoint: None is the one that runs here."""

    endpoint: str | None = None
    json: bool = False

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A client of the Bedplate that was named. Raises BedplateError."""
        from bedplate.client import connect

        with connect(self.endpoint) as client:
            yield client

    @cached_property
    def screen(self) -> Screen:
        from bedplate.cli.screen import Screen

        return Screen()


def _set_endpoint(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value:
        ctx.ensure_object(Invocation).endpoint = value


def _set_json(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Invocation).json = True


endpoint_option = click.option(
    "--endpoint",
    metavar="HOST:PORT",
    callback=_set_endpoint,
    expose_value=False,
    help="Bedplate to talk to; by default the one of this machine, or $BEDPLATE_ENDPOINT.",
)
json_option = click.option(
    "--json",
    is_flag=True,
    callback=_set_json,
    expose_value=False,
    help="JSON instead of text for people.",
)


def command(*, local: bool = False, **more: Any) -> Callable[[Function], click.Command]:
    """A command whose function gets the Invocation first and returns an exit code or None.

    local: it needs no running Bedplate, and so has no --endpoint.
    """

    def make(function: Function) -> click.Command:
        made = click.command(**more)(_with_invocation(function))
        return _with_options(made, local)

    return make


def group(
    *, local: bool = False, cls: type[click.Group] = click.Group, **more: Any
) -> Callable[[Function], click.Group]:
    """The same with commands below it; called also when none of them is named."""

    def make(function: Function) -> click.Group:
        made = click.command(cls=cls, invoke_without_command=True, **more)(
            _with_invocation(function)
        )
        _with_options(made, local)
        return made

    return make


def _with_options(made: click.Command, local: bool) -> click.Command:
    for option in (json_option,) if local else (json_option, endpoint_option):
        option(made)
    return made


def _with_invocation(function: Function) -> Function:
    def call(*arguments: Any, **options: Any) -> Any:
        invocation = click.get_current_context().ensure_object(Invocation)
        return function(invocation, *arguments, **options)

    return update_wrapper(call, function)
