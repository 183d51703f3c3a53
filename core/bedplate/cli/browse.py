"""`bedplate browse`: what a device has, before or besides any deployment file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from bedplate.cli.frame import Invocation, command
from bedplate.cli.parameters import given_plugins


@command(local=True)
@click.argument("target_words", nargs=-1, required=True, metavar="TARGET...")
@click.option("--below", default="", help="Native address of the node to start at.")
@click.option("--depth", default=3, show_default=True, help="Levels below it.")
@click.option(
    "--yaml", "as_yaml", is_flag=True, help="Print what was found as tags for a deployment file."
)
@given_plugins
def browse(
    invocation: Invocation,
    target_words: tuple[str, ...],
    below: str,
    depth: int,
    as_yaml: bool,
    plugins: tuple[Path, ...],
) -> None:
    """TARGET is a plugin and its settings (`opcua endpoint_url=opc.tcp://10.0.0.12:4840`), or a deployment file and one
    of its components (`plant.yaml press-07`).
    """
    from bedplate.cli.one_time import browsed, capable, target

    wanted = target(target_words, plugins)
    wanted.tags = ()
    capable(wanted, "browse")
    nodes = browsed(wanted, below, depth)
    if invocation.json:
        click.echo(json.dumps([_fact(node) for node in nodes]))
    elif as_yaml:
        _yaml(nodes)
    else:
        _tree(nodes)


def _fact(node: Any) -> dict[str, Any]:
    names = (
        "address",
        "name",
        "path",
        "has_children",
        "is_variable",
        "unit",
        "description",
        "writable",
        "value",
    )
    return {name: getattr(node, name) for name in names} | {"data_type": _type(node)}


def _type(node: Any) -> str:
    return ("", "float64", "int64", "uint64", "bool", "text", "blob")[node.data_type]


def _yaml(nodes: Any) -> None:
    """Tags for a deployment file; a name is the end of the path, or more of it when several end alike."""
    found = [node for node in nodes if node.is_variable]
    ends = [node.path.rsplit("/", 1)[-1] for node in found]
    print("    tags:")
    for node, end in zip(found, ends, strict=True):
        name = end if ends.count(end) == 1 else node.path.replace("/", ".")
        unit = f", unit: {json.dumps(node.unit, ensure_ascii=False)}" if node.unit else ""
        print(
            f"      {_key(name)}: {{address: {json.dumps(node.address, ensure_ascii=False)}{unit}}}"
        )


def _key(name: str) -> str:
    return (
        name
        if name.replace("_", "").replace("-", "").isalnum()
        else json.dumps(name, ensure_ascii=False)
    )


def _tree(nodes: Any) -> None:
    from bedplate.cli.screen import Column, Screen, table

    wraps = [Column(title, wraps=True) for title in ("node", "address")]
    columns = [*wraps, Column("type"), Column("value", gives=True), Column("unit")]
    Screen().show(table(columns, map(_row, nodes)))


def _row(node: Any) -> tuple[str, ...]:
    folder = "/" if node.has_children and not node.is_variable else ""
    name = "  " * node.path.count("/") + node.name + folder
    return tuple(map(_legible, (name, node.address, _type(node), node.value, node.unit)))


def _legible(text: str) -> str:
    """What a device says can't steer the terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)
