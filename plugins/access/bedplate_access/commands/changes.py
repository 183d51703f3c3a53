"""`bedplate access changes`: the table that can only be added to."""

from __future__ import annotations

import click

from bedplate_access.commands.frame import Desk, at_desk, iso, shown


@click.command()
@click.option("--last", default=50, show_default=True, help="How many.")
@at_desk
def changes(desk: Desk, last: int) -> None:
    """The newest last. A Bedplate that runs has them in its audit log too, chained and signed."""
    with desk.store() as store:
        found = store.changes()[-last:]
    rows = [(str(one.n), shown(one.at), one.by, one.text) for one in found]
    facts = [{"n": one.n, "at": iso(one.at), "by": one.by, "text": one.text} for one in found]
    desk.table(("N", "WHEN", "BY", "WHAT"), rows, facts)
