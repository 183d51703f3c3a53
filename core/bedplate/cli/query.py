"""`bedplate query`: history as a table, CSV or JSON, page by page as it comes."""

from __future__ import annotations

from typing import Any

import click

from bedplate.cli.frame import Invocation, command
from bedplate.cli.parameters import length, moment, selector

FORMATS = ("table", "csv", "json")
AGGREGATES = ("average", "minimum", "maximum", "first", "last", "count", "sum")
SHORT = {"avg": "average", "min": "minimum", "max": "maximum"}


@command()
@selector(required=True)
@click.option(
    "--last",
    type=length,
    metavar="DURATION",
    help="So long before now; 10min when no range is given.",
)
@click.option(
    "--from", "start", type=moment, metavar="TIME", help="Since then; see `bedplate help times`."
)
@click.option("--to", "end", type=moment, metavar="TIME", help="Until then, exclusive.")
@click.option(
    "--every", type=length, metavar="DURATION", help="One value for each window of this length."
)
@click.option("--points", type=click.IntRange(1), help="About so many windows instead.")
@click.option(
    "--agg",
    type=click.Choice([*AGGREGATES, *SHORT]),
    metavar="NAME",
    help="What of a window: average (the default), minimum, maximum, first, last, count, sum.",
)
@click.option("--limit", type=click.IntRange(1), help="Only so many newest samples of each tag.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="table (the default), csv, or json: an object a line.",
)
def query(invocation: Invocation, selector: str, form: str | None, **asked: Any) -> None:
    """By tag, then time. Tables have local times and rounded values; CSV and JSON have UTC and every digit."""
    from bedplate.cli.history import WRITERS
    from bedplate.cli.waiting import Waiting

    if asked["every"] and asked["points"]:
        raise click.UsageError(
            "--every and --points say the same in two ways; leave one of them out"
        )
    wanted = form or ("json" if invocation.json else "table")
    with invocation.client() as client, Waiting(wanted == "table") as waiting:
        writer = WRITERS[wanted](invocation.screen)
        try:
            pages = client.history_pages(selector, progress=waiting.tell, **asked)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        for page in pages:
            waiting.pause_for(page.samples)
            for series in page.values():
                writer.write(series)
    writer.end()
