"""`bedplate gaps`: what is missing and why; and how complete devices, or tags, are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.frame import Invocation, command
from bedplate.cli.parameters import length, moment, selectors

if TYPE_CHECKING:
    from bedplate.client.gaps import GapReport


@command()
@selectors()
@click.option("--last", type=length, metavar="DURATION", help="So long before now.")
@click.option(
    "--from", "start", type=moment, metavar="TIME", help="Since then; see `bedplate help times`."
)
@click.option("--to", "end", type=moment, metavar="TIME", help="Until then, exclusive.")
def gaps(invocation: Invocation, selectors: tuple[str, ...], **asked: Any) -> None:
    """Without a range: since 00:00 in the time zone of the deployment. One line for each cause; where all tags of a
    device are missing, the device. SELECTOR as for `tags`; with one, completeness is told by tag.

    Missing are samples that were expected: one for each scan and tag, or, of a source that pushes changes, one for each
    scan's time in which nobody can know the value. Times when a device is off by its calendar, or set aside, are listed
    and not expected.
    """
    with invocation.client() as client:
        try:
            report = client.gaps(*selectors, **asked)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json(report)
    else:
        _show(invocation, report, by_tag=bool(selectors))


def _show(invocation: Invocation, report: GapReport, *, by_tag: bool) -> None:
    from bedplate.cli.missing import blocks

    screen = invocation.screen
    for block in blocks(report, by_tag=by_tag, width=screen.width if screen.terminal else 0):
        screen.show(block)
