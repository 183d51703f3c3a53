"""`bedplate run`: a deployment in the foreground, telling each change of state in a line."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import click

from bedplate.cli.frame import Invocation, command


@command(local=True)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--plugin",
    "plugins",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A single Python file with a plugin.",
)
@click.option("--listen", help="Address of the API, instead of what the file says.")
def run(invocation: Invocation, file: Path, plugins: tuple[Path, ...], listen: str | None) -> None:
    """Run a deployment until Ctrl-C.

    Connects to the machines of FILE, keeps what they say, and serves the API. What this version does not serve yet is
    refused by name before anything starts.
    """
    from bedplate.cli.foreground import run_foreground
    from bedplate.server.platform import prepare

    as_json = invocation.json
    prepared = prepare(file, plugins)
    name = prepared.deployment.name

    async def show(address: str) -> None:
        _say(
            as_json,
            {"event": "running", "name": name, "api": address},
            f"{name} runs; API at {address}; Ctrl-C ends it",
        )
        await _tell_changes(address, as_json)

    run_foreground(prepared, listen, show)
    _say(as_json, {"event": "ended", "name": name}, f"{name} ended")


async def _tell_changes(address: str, as_json: bool) -> None:
    from bedplate.client import connect_async

    seen: dict[str, tuple[str, str]] = {}
    async with connect_async(address) as client:
        while True:
            for one in (await client.status()).components:
                if seen.get(one.id) != (one.state, one.reason):
                    seen[one.id] = (one.state, one.reason)
                    fact = {
                        "event": "state",
                        "component": one.id,
                        "state": one.state,
                        "reason": one.reason,
                    }
                    _say(as_json, fact, f"{one.id:<24} {one.state:<12} {one.reason}")
            await asyncio.sleep(1)


def _say(as_json: bool, fact: dict[str, Any], text: str) -> None:
    now = time.time()
    line = (
        json.dumps({"time": now, **fact})
        if as_json
        else f"{time.strftime('%H:%M:%S', time.localtime(now))}  {text}"
    )
    print(line, flush=True, file=sys.stdout)
