"""`bedplate attach`: a plugin here, for a Bedplate elsewhere. Dials out with mutual TLS and listens nowhere."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.frame import Invocation, command

if TYPE_CHECKING:
    from bedplate.admission.candidate import Survey
    from bedplate.runtime.attaching import RemoteProgram
    from bedplate.runtime.launch import Launch


@command(local=True)
@click.argument("host", metavar="HOST:PORT")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "--tls",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder with ca.pem, cert.pem and key.pem of this place.",
)
@click.option(
    "--plugin",
    "plugins",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A Python file or a plugin folder with a plugin.",
)
def attach(
    invocation: Invocation, host: str, names: tuple[str, ...], tls: Path, plugins: tuple[Path, ...]
) -> int:
    """Runs plugins here for the Bedplate at HOST:PORT, whose deployment says placement: remote.

    NAME is what `use:` names there; without one, all that --plugin brings. Ctrl-C ends it.
    """
    from bedplate.admission.survey import survey_with
    from bedplate.errors import BedplateError
    from bedplate.remote.credentials import credentials
    from bedplate.runtime.attaching import RemoteProgram

    if not host.rpartition(":")[2].isdigit() or not host.rpartition(":")[0]:
        raise click.BadParameter(f"{host!r} is no address; write host:port, such as plant:7444")
    if not names and not plugins:
        raise BedplateError("name what to run: what `use:` names there, or a file with --plugin")
    files = credentials(tls, server=False)
    say = _Saying(invocation.json)
    programs = [
        RemoteProgram(launch, host, files, Path.cwd(), say.of(launch.name))
        for launch in launches(survey_with(plugins), names, plugins)
    ]
    say("attaching", files.place, f"place {files.place} for the Bedplate at {host}; Ctrl-C ends it")
    return asyncio.run(_run(programs))


def launches(found: Survey, names: Sequence[str], plugins: Sequence[Path]) -> list[Launch]:
    """One program for each plugin and kind. Raises BedplateError for a name nobody offers."""
    from bedplate.errors import BedplateError
    from bedplate.runtime.launch import Launch, home_of

    for name in names:
        if name not in found.offers:
            known = ", ".join(sorted(found.offers))
            raise BedplateError(found.why_not(name) or f"no plugin offers {name}; there is {known}")
    given = {plugin.absolute() for plugin in plugins}
    wanted = {
        home_of(offer): offer
        for use, offer in found.offers.items()
        if use in names or (not names and {offer.file, offer.folder} & given)
    }
    return [Launch.of(offer, found.offers.values()) for offer in wanted.values()]


async def _run(programs: Sequence[RemoteProgram]) -> int:
    """Exit codes: 0 ended by Ctrl-C; 1 no program is of use as things are."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    running = [asyncio.create_task(program.run()) for program in programs]
    stopping = asyncio.create_task(ended.wait())
    over = asyncio.create_task(_all_over(running))
    await asyncio.wait([over, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopped = stopping.done()
    for task in (*running, stopping):
        task.cancel()
    await asyncio.wait([*running, stopping, over])
    over.result()
    return 0 if stopped else 1


async def _all_over(running: Sequence[asyncio.Task[None]]) -> None:
    """Returns when each of them has ended. What one raises that is no cancellation goes to the caller."""
    await asyncio.wait(running)
    for task in running:
        if not task.cancelled() and (error := task.exception()):
            raise error


class _Saying:
    """Lines for people, or JSON."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json

    def of(self, name: str) -> Any:
        return lambda text: self("said", name, f"{name:<16} {text}", text)

    def __call__(self, event: str, name: str, line: str, text: str = "") -> None:
        now = time.time()
        fact = {"time": now, "event": event, "name": name, "text": text or line}
        stamp = time.strftime("%H:%M:%S", time.localtime(now))
        print(json.dumps(fact) if self._as_json else f"{stamp}  {line}", flush=True)
