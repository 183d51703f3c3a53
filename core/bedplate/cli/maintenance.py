"""`bedplate maintenance`: devices that people work on are set aside, with a name on it, until a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from bedplate.cli.frame import Invocation, command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bedplate.client.status import Maintenance


@command()
@click.argument("device", required=False)
@click.option("--until", metavar="TIME", help="06:00 (the next), 8h, or 2026-11-20T06:00.")
@click.option("--reason", help="Why; shown wherever the device is.")
@click.option("--end", is_flag=True, help="Take it back into service now.")
def maintenance(
    invocation: Invocation, device: str | None, until: str | None, reason: str | None, end: bool
) -> None:
    """Alone, it lists what is set aside. DEVICE is an id, the path of an asset, or any unique tail of it.

    \b
      bedplate maintenance press-12 --until 06:00 --reason "new ram seal"
      bedplate maintenance press-12 --end

    Its values still come and are marked out of service, its alarms are off with your name on it, writing to it is
    locked, silence is no problem. It ends by itself.
    """
    _check(device, until, reason, end)
    with invocation.client() as client:
        if device is None:
            found = list(client.status().maintenance)
        elif end:
            found = client.end_maintenance(device)
        else:
            try:
                found = client.set_maintenance(device, str(until), str(reason))
            except ValueError as error:
                raise click.UsageError(f"--until {error}") from None
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json(found)
    elif end:
        words = [f"{one.component} is back in service" for one in found]
        invocation.screen.show("\n".join(words) or f"{device} was not set aside")
    else:
        _show(invocation, found)


def _check(device: str | None, until: str | None, reason: str | None, end: bool) -> None:
    if device is None and (until or reason or end):
        raise click.UsageError("Name the device.")
    if end and (until or reason):
        raise click.UsageError("--end takes it back now; --until and --reason set it aside.")
    if device is not None and not end and not (until and reason):
        raise click.UsageError(
            f'Say until when and why: bedplate maintenance {device} --until 06:00 --reason "…"'
        )


def _show(invocation: Invocation, found: Sequence[Maintenance]) -> None:
    from rich.text import Text

    from bedplate.cli.screen import Column, table

    if not found:
        invocation.screen.show(Text("nothing is set aside", "green"))
        return
    columns = [Column("device"), Column("until"), Column("by"), Column("reason", wraps=True)]
    rows = [(one.component, when(one.until), one.by, one.reason) for one in found]
    invocation.screen.show(table(columns, rows))


def when(at_ns: int) -> str:
    """06:00 when that is within a day, else with the date; local."""
    from bedplate.cli.samples import local

    near = at_ns - time.time_ns() < 86_400_000_000_000
    return f"{local(at_ns):%H:%M}" if near else f"{local(at_ns):%a %Y-%m-%d %H:%M}"
