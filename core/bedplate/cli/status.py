"""`bedplate status`: problems first, one line a cause; then connectors by entry, readers, processes, journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command

if TYPE_CHECKING:
    from bedplate.client.status import Status


@command()
def status(invocation: Invocation) -> int:
    """Ends with 0 without problems, 1 with problems, 2 when no Bedplate runs: fit for Zabbix, Nagios, tired people."""
    with invocation.client() as client:
        found = client.status()
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json(found)
    else:
        _show(invocation, found)
    return Exit.PROBLEMS if found.problems else Exit.DONE


def _show(invocation: Invocation, found: Status) -> None:
    from bedplate.cli.overview import overview

    for block in overview(found, invocation.screen.width if invocation.screen.terminal else 0):
        invocation.screen.show(block)
