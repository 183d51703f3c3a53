"""`bedplate replay`: a recorded conversation against a plugin at its author's desk."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command

if TYPE_CHECKING:
    from bedplate.capture import Playback, Recording, Route
    from bedplate.cli.conversing import Rows
    from bedplate.cli.one_time import Target

PATIENCE = (
    5.0  # s that a plugin which only pushes may stay silent; the device's answers come at once
)


@command(local=True)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("plugin", default="")
@click.argument("settings", nargs=-1, metavar="[KEY=VALUE]...")
def replay(invocation: Invocation, file: Path, plugin: str, settings: tuple[str, ...]) -> int:
    """Plays the device of a FILE made by `bedplate capture`, runs PLUGIN against it (a name, a file or a folder; by
    default what was recorded), and prints the values that it reads beside those that were read then.

    Ends with 1 when the plugin asks for something else than then, or makes other values of the same answers. What
    changes from one time to the next can't be replayed: encryption, times and random numbers in requests, as OPC UA
    has them.
    """
    from bedplate.capture import load, routes
    from bedplate.cli.conversing import again

    recording = load(file)
    with tempfile.TemporaryDirectory(prefix="bp-") as folder:
        secret = Path(folder) / "secret"
        secret.write_text("replayed")
        wanted = again(recording.header, plugin, settings, secret)
        places = routes(
            wanted.offer.permissions.network,
            wanted.offer.schema.settings,
            wanted.component.settings,
        )
        played = _Played(recording)
        asyncio.run(_play(wanted, places, played))
    return _tell(invocation, played)


@dataclass
class _Played:
    """What came of it. reads: by session · errors: why sessions ended that should not have."""

    recording: Recording
    reads: list[list[Rows]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    playbacks: list[Playback] = field(default_factory=list)

    def differences(self) -> list[str]:
        """Values that are not those of then, in words."""
        found = []
        number = 0
        for then, now in zip(self.recording.sessions, self.reads, strict=False):
            for before, after in zip(then.reads, now, strict=False):
                number += 1
                found += [f"read {number}: {text}" for text in _different(before, after)]
        return found


async def _play(wanted: Target, places: list[Route], played: _Played) -> None:
    """As many sessions as were recorded, each with as many reads."""
    from bedplate.capture import Playback, reroute
    from bedplate.cli.conversing import converse, with_settings
    from bedplate.errors import BedplateError

    recording = played.recording
    played.playbacks = [Playback(recording, n) for n in range(len(recording.endpoints))]
    if len(places) != len(played.playbacks):
        raise BedplateError(
            f"the plugin connects to {len(places)} places, the recorded one to {len(played.playbacks)}"
        )
    try:
        ports = [await one.start() for one in played.playbacks]
        led = with_settings(wanted, reroute(wanted.component.settings, places, ports))
        for session in recording.sessions:
            reads: list[Rows] = []
            played.reads.append(reads)

            def heard(
                rows: Rows, reads: list[Rows] = reads, many: int = len(session.reads)
            ) -> bool:
                reads.append(rows)
                return len(reads) < many

            try:
                await converse(led, heard, every=0.0, patience=PATIENCE)
            except BedplateError as error:
                if not session.error:
                    played.errors.append(str(error))
    finally:
        for one in played.playbacks:
            await one.stop()


def _tell(invocation: Invocation, played: _Played) -> int:
    departures = [str(d) for one in played.playbacks for d in one.departures]
    differences = played.differences()
    last = next((reads[-1] for reads in reversed(played.reads) if reads), [])
    facts: dict[str, Any] = {
        "reads": sum(map(len, played.reads)),
        "recorded_reads": sum(len(s.reads) for s in played.recording.sessions),
        "answered": sum(one.answered for one in played.playbacks),
        "out_of_order": sum(one.out_of_order for one in played.playbacks),
        "departures": departures,
        "differences": differences,
        "errors": played.errors,
        "last": [{"tag": n, "value": v, "quality": q, "reason": why} for n, v, q, why in last],
    }
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json(facts)
    else:
        _show(facts)
    same = not (departures or differences or played.errors)
    return Exit.DONE if same and facts["reads"] == facts["recorded_reads"] else Exit.PROBLEMS


def _show(facts: dict[str, Any], most: int = 10) -> None:
    from bedplate.cli.conversing import said_of

    for row in facts["last"]:
        click.echo(f"{row['tag']:<24} {said_of(row['value'], row['quality'], row['reason'])}")
    said = f"{facts['reads']} of {facts['recorded_reads']} reads, {facts['answered']} requests answered"
    if facts["out_of_order"]:
        said += f", {facts['out_of_order']} of them not in the recorded order"
    click.echo(said)
    errors = [] if facts["departures"] else facts["errors"][:1]  # a departure is why it failed
    for text in (*facts["departures"][:most], *facts["differences"][:most], *errors):
        click.echo(text)
    more = max(0, len(facts["differences"]) - most)
    if more:
        click.echo(f"and {more} more values that are not those of then")
    if not (facts["departures"] or facts["differences"] or facts["errors"]):
        click.echo("the same conversation, and the same values as then")


def _different(then: Rows, now: Rows) -> list[str]:
    from bedplate.cli.conversing import said_of

    if [row[0] for row in then] != [row[0] for row in now]:
        return [f"{len(then)} values then, {len(now)} now"]
    pairs = zip(then, now, strict=True)
    return [
        f"{before[0]} was {said_of(*before[1:])}, is {said_of(*after[1:])}"
        for before, after in pairs
        if before[1:3] != after[1:3]
    ]
