"""`bedplate read`: values of a device, once, before or besides any deployment file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from bedplate.cli.frame import Invocation, command
from bedplate.cli.parameters import given_plugins


@command(local=True)
@click.argument("words", nargs=-1, required=True, metavar="TARGET... [ADDRESS]...")
@click.option(
    "--decode", help="Show an address in every byte order of this data type (float32, int32, …)."
)
@given_plugins
def read(
    invocation: Invocation, words: tuple[str, ...], decode: str | None, plugins: tuple[Path, ...]
) -> None:
    """TARGET is a plugin and its settings, followed by addresses (`modbus host=10.20.9.1 unit_id=7 19026`), or a
    deployment file, one of its components and, if only some are wanted, names of its tags (`plant.yaml press-07
    temperature`).
    """
    from bedplate.cli.one_time import capable, once, target
    from bedplate.runtime import requests

    wanted_words, addresses = split_words(words)
    if decode:
        rows = _decoded(wanted_words, addresses, decode, plugins)
    else:
        wanted = target(wanted_words, plugins, addresses)
        capable(wanted, "read")
        reply = once(wanted, read=requests.Read(tags=range(1, len(wanted.tags) + 1))).read
        rows = _rows(reply, wanted.tags)
    if invocation.json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        click.echo(_line(row))


def split_words(words: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Settings have a `=`; what follows them without one are addresses. With a file all words are the target's."""
    if Path(words[0]).suffix in (".yaml", ".yml"):
        return list(words), []
    rest = words[1:]
    count = next((i for i, word in enumerate(rest) if not _is_setting(word)), len(rest))
    return [words[0], *rest[:count]], list(rest[count:])


def _is_setting(word: str) -> bool:
    key, equals, _ = word.partition("=")
    return (
        bool(equals)
        and key.replace("_", "").isalnum()
        and key not in ("ns", "nsu", "i", "s", "g", "b")
    )


def _rows(reply: Any, tags: Any) -> list[dict[str, Any]]:
    from bedplate.model import quality
    from bedplate.wire import decode_batch

    reasons = {p.tag: p.text for p in reply.problems}
    rows: dict[int, dict[str, Any]] = {}
    for encoded in reply.batches:
        batch = decode_batch(encoded)
        for handle, value, code in zip(
            batch.tags().tolist(), batch.value.tolist(), batch.qualities().tolist(), strict=True
        ):
            tag = tags[handle - 1]
            bad = quality.is_bad(code)
            rows[handle] = {
                "tag": tag.name,
                "address": tag.address,
                "value": None if bad else _scaled(value, tag),
                "unit": tag.unit,
                "quality": quality.name(code),
                "reason": reasons.get(handle, ""),
            }
    return [rows[handle] for handle in sorted(rows)]


def _scaled(value: Any, tag: Any) -> Any:
    if tag.scale and isinstance(value, (int, float)):
        return value * tag.scale[0] + tag.scale[1]
    return value.hex() if isinstance(value, bytes) else value


def _line(row: dict[str, Any]) -> str:
    if "orders" in row:
        return f"  {row['address']}   " + "   ".join(
            f"{order} {value}" for order, value in row["orders"].items()
        )
    name = row["tag"] if not row["tag"].startswith("tag-") else row["address"]
    if row["value"] is None:
        return f"{name!s:<24} {row['quality']}  {row['reason']}"
    value = f"{row['value']:.6g}" if isinstance(row["value"], float) else row["value"]
    return f"{name!s:<24} {value} {row['unit']}".rstrip() + (
        "" if row["quality"] == "Good" else f"  {row['quality']}"
    )


def _decoded(
    words: list[str], addresses: list[str], data_type: str, plugins: tuple[Path, ...]
) -> list[dict[str, Any]]:
    """The same address once in each order that the plugin's `byte_order` setting knows."""
    from bedplate.cli.one_time import capable, once, target
    from bedplate.errors import BedplateError
    from bedplate.runtime import requests

    plain = [word for word in words if not word.startswith(("byte_order=", "data_type="))]
    rows: list[dict[str, Any]] = [{"address": address, "orders": {}} for address in addresses]
    for order in ("ABCD", "CDAB", "BADC", "DCBA"):
        wanted = target(
            [*plain, f"data_type={data_type}", f"byte_order={order}"], plugins, addresses
        )
        capable(wanted, "read")
        if not addresses:
            raise BedplateError("--decode needs an address")
        reply = once(wanted, read=requests.Read(tags=range(1, len(wanted.tags) + 1))).read
        for row, one in zip(rows, _rows(reply, wanted.tags), strict=True):
            value = one["value"]
            row["orders"][order] = (
                f"{value:.6g}"
                if isinstance(value, float)
                else value
                if value is not None
                else one["reason"]
            )
    return rows
