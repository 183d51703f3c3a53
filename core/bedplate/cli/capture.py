"""`bedplate capture`: what a plugin and its device say to each other, byte by byte, into a file for the author."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command
from bedplate.cli.parameters import given_plugins, length

if TYPE_CHECKING:
    from bedplate.capture import Recorder, Route
    from bedplate.cli.conversing import Rows
    from bedplate.cli.one_time import Target

AGAIN_AFTER = 1.0  # s
SILENCE = 30.0  # s that a plugin which only pushes may say nothing, before it is opened again


@command(local=True)
@click.argument("words", nargs=-1, required=True, metavar="TARGET... [ADDRESS]...")
@click.option("--for", "lasting", type=length, default="60s", show_default=True, help="How long.")
@click.option("--every", type=length, default="1s", show_default=True, help="How often to read.")
@click.option(
    "-o",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="Where to.",
)
@given_plugins
def capture(
    invocation: Invocation,
    words: tuple[str, ...],
    lasting: str,
    every: str,
    file: Path,
    plugins: tuple[Path, ...],
) -> int:
    """TARGET is a deployment file and one of its components (`plant.yaml press-07`), or a plugin, its settings and
    addresses (`modbus host=10.20.9.1 19026`). Neither plugin nor device needs to know.

    The plugin runs beside whatever else runs, through a proxy on this machine that writes down every byte over TCP.
    The file holds what was sent and answered, passwords too: give it to nobody who may not have them.
    """
    from bedplate.capture import Recorder, routes
    from bedplate.cli.conversing import written
    from bedplate.cli.one_time import target
    from bedplate.cli.read import split_words
    from bedplate.client.span import length as ns
    from bedplate.version import __version__

    about, addresses = split_words(words)
    wanted = target(about, plugins, addresses)
    places = routes(
        wanted.offer.permissions.network, wanted.offer.schema.settings, wanted.component.settings
    )
    header = {
        **written(wanted),
        "endpoints": [place.address for place in places],
        "bedplate": __version__,
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    with Recorder(file, header) as recorder:
        taken = _Taken(recorder, ns(lasting) / 1e9)
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_record(wanted, places, recorder, taken, ns(every) / 1e9))
    return _tell(invocation, file, taken)


class _Taken:
    """What came of it. last: the newest values · error: the newest reason why a session ended."""

    def __init__(self, recorder: Recorder, lasting: float) -> None:
        self._recorder = recorder
        self._end = time.monotonic() + lasting
        self.sessions = self.reads = 0
        self.last: Rows = []
        self.error = ""

    @property
    def over(self) -> bool:
        return self._recorder.full or self.left <= 0

    @property
    def left(self) -> float:
        """s"""
        return self._end - time.monotonic()

    def heard(self, rows: Rows) -> bool:
        self._recorder.fact(read=rows)
        self.reads += 1
        self.last = rows
        return not self.over


async def _record(
    wanted: Target, places: list[Route], recorder: Recorder, taken: _Taken, every: float
) -> None:
    """Session after session until the time is over, as the kernel would."""
    from bedplate.capture import Proxy, reroute
    from bedplate.cli.conversing import converse, with_settings
    from bedplate.errors import BedplateError

    numbers = Proxy.numbering()
    proxies = [Proxy(p.host, p.port, n, recorder, numbers) for n, p in enumerate(places)]
    try:
        ports = [await proxy.start() for proxy in proxies]
        led = with_settings(wanted, reroute(wanted.component.settings, places, ports))
        while not taken.over:
            taken.sessions += 1
            recorder.fact(session=taken.sessions)
            try:
                patience = max(0.0, min(SILENCE, taken.left))
                await converse(led, taken.heard, every=every, patience=patience)
            except BedplateError as error:
                if taken.over and taken.reads:
                    break  # it was silent until the end
                taken.error = str(error)
                recorder.fact(error=str(error))
                await asyncio.sleep(AGAIN_AFTER)
    finally:
        for proxy in proxies:
            await proxy.stop()


def _tell(invocation: Invocation, file: Path, taken: _Taken) -> int:
    from bedplate.capture import load
    from bedplate.cli.output import write_json

    recording = load(file)
    connections = recording.conversations.values()
    refused = [one for one in connections if one.ended_by == "device" and one.why]
    facts: dict[str, Any] = {
        "file": str(file),
        "bytes": file.stat().st_size,
        "reads": taken.reads,
        "sessions": taken.sessions,
        "connections": len(connections),
        "requests": sum(one.requests for one in connections),
        "error": next((f"device: {c.why}" for c in refused), taken.error),
        "encrypted": any(_encrypted(one.steps) for one in connections),
        "last": [
            {"tag": n, "value": v, "quality": q, "reason": why} for n, v, q, why in taken.last
        ],
    }
    if invocation.json:
        write_json(facts)
    else:
        _show(facts)
    return Exit.DONE if taken.reads else Exit.PROBLEMS


def _show(facts: dict[str, Any]) -> None:
    from bedplate.cli.conversing import said_of

    for row in facts["last"]:
        click.echo(f"{row['tag']:<24} {said_of(row['value'], row['quality'], row['reason'])}")
    click.echo(
        f"{facts['file']}: {_count(facts['reads'], 'read')}, {_count(facts['connections'], 'connection')},"
        f" {_count(facts['requests'], 'request')}, {facts['bytes'] / 1000:.1f} kB"
    )
    if facts["error"]:
        click.echo(f"it failed meanwhile: {facts['error']}")
    if facts["encrypted"]:
        click.echo("it is encrypted: nobody can read it, and it can't be replayed")
    else:
        click.echo("it holds what was sent and answered, passwords too")


def _encrypted(steps: list[tuple[str, bytes]]) -> bool:
    """Whether it begins as TLS does: a handshake record (RFC 8446, 5.1)."""
    return bool(steps) and steps[0][1][:2] == b"\x16\x03"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
