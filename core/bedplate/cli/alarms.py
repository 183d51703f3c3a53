"""`bedplate alarms`: what needs a person; `alarms ack` takes one over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from bedplate.cli.frame import Invocation, command, group

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bedplate.client import Client
    from bedplate.model import Event


@group()
@click.option("--all", "all_", is_flag=True, help="Also alarms that are normal again.")
@click.option("--watch", is_flag=True, help="Go on with every change, until Ctrl-C.")
@click.pass_context
def alarms(ctx: click.Context, invocation: Invocation, all_: bool, watch: bool) -> None:
    """The most severe first, with what to do; ISA-18.2 states."""
    if ctx.invoked_subcommand:
        return
    with invocation.client() as client:
        if watch:
            _watch(invocation, client.watch_alarms())
            return
        everything = client.alarms(all=True)
        unwatched = [] if invocation.json else _unwatched(client)
    standing = [e for e in everything if all_ or _stands(e)]
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json(standing)
    else:
        _show(invocation, standing, [e.source for e in everything])
        for line in unwatched:
            invocation.screen.show(line)


@command()
@click.argument("source")
@click.option("--comment", default="", help="What was found or done; kept with the alarm.")
def ack(invocation: Invocation, source: str, comment: str) -> None:
    """Acknowledge an alarm: SOURCE is its path or any unique tail. Once more changes nothing."""
    with invocation.client() as client:
        path = client.acknowledge(source, comment)
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json({"source": path, "comment": comment})
    else:
        invocation.screen.show(f"{path} acknowledged")


alarms.add_command(ack)


def _unwatched(client: Client) -> list[str]:
    """Of each analytic, what it can't watch since it has no input: no alarm would come of it."""
    from bedplate.errors import CallError

    try:
        components = client.status().components
    except CallError:  # who may see alarms need not be allowed to see this
        return []
    analytics = (one for one in components if one.kind == "analytic")
    return [f"{one.id}: {one.detail}" for one in analytics if " without input: " in one.detail]


def _stands(event: Event) -> bool:
    from bedplate.model import AlarmState

    return event.alarm is not None and event.alarm.state is not AlarmState.NORMAL


def _show(invocation: Invocation, standing: Sequence[Event], sources: Sequence[str]) -> None:
    from rich.text import Text

    from bedplate.cli.standing import listing, short_names

    screen = invocation.screen
    if not standing:
        screen.show(Text("no alarms", "green"))
        return
    for block in listing(standing, short_names(sources), time.time_ns(), screen.width):
        screen.show(block)


def _watch(invocation: Invocation, changes: Iterable[Event]) -> None:
    if invocation.json:
        from bedplate.cli.output import write_lines

        for event in changes:
            write_lines([event])
        return
    from rich.text import Text

    from bedplate.cli.samples import clock
    from bedplate.cli.standing import line_of
    from bedplate.shown import padded

    for event in changes:
        place = f"  {padded(event.source, 28)}  "
        line = Text.assemble((clock(event.time), "dim"), place, line_of(event))
        invocation.screen.show(line, wrap=False)
        invocation.screen.flush()
