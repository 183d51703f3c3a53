"""`bedplate doctor network`: the request to whoever keeps the firewall, from the deployment file."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.frame import Invocation, command
from bedplate.cli.parameters import given_plugins

if TYPE_CHECKING:
    from bedplate.cli.flows import Flow


@command(local=True)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@given_plugins
@click.option("--csv", "as_csv", is_flag=True, help="A connection a line, for a spreadsheet.")
def network(invocation: Invocation, file: Path, plugins: tuple[Path, ...], as_csv: bool) -> None:
    """What a firewall must let through for FILE.

    One line for each connection: who dials whom, port, protocol, whose it is, and why. Everything else may be closed.

    Worked out from the file and the manifests of its plugins; contacts nobody. A connection that Bedplate itself never
    makes and its machine needs, such as NTP, is marked with ?.
    """
    from bedplate.admission.reading import read_deployment
    from bedplate.cli.flows import flows

    found, deployment = read_deployment(file, plugins)
    connections = flows(deployment, found.offers)
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json([asdict(flow) for flow in connections])
    elif as_csv:
        _write_csv(connections)
    else:
        _show(invocation, f"{deployment.name} ({file.name})", connections)


def _write_csv(connections: Sequence[Flow]) -> None:
    from bedplate.cli.flows import Flow

    writer = csv.writer(sys.stdout, lineterminator="\n")
    names = [part.name for part in fields(Flow)]
    writer.writerow(names)
    for flow in connections:
        row: dict[str, Any] = asdict(flow) | {"components": " ".join(flow.components)}
        writer.writerow([_cell(row[name]) for name in names])


def _cell(value: object) -> str:
    """A spreadsheet takes no text for a formula."""
    text = str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def _show(invocation: Invocation, title: str, connections: Sequence[Flow]) -> None:
    from rich.text import Text

    from bedplate.cli.flows import HERE
    from bedplate.cli.screen import Column, indented, table

    screen = invocation.screen
    screen.show(f"Connections that {title} needs; all else may be closed")
    for zone, group in groupby(connections, key=lambda flow: flow.zone):
        rest = "; no rule is needed" if zone == HERE else ""
        screen.show(Text(f"\n{zone}{rest}", "bold"))
        columns = [Column(gives=True), Column(), Column(gives=True), Column(wraps=True)]
        rows = [
            (
                f"{'?' if flow.hint else ' '} {flow.source} → {flow.target}",
                f"{flow.protocol}/{flow.port}",
                ", ".join(flow.components),
                flow.why,
            )
            for flow in group
        ]
        screen.show(indented(table(columns, rows)))
