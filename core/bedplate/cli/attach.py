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
    from bedplate.admission.candidate import Offer, Survey
    from bedplate.isolation import Confinement
    from bedplate.runtime.attaching import RemoteProgram
    from bedplate.runtime.launch import Launch
    from bedplate.runtime.process import Confine
    from bedplate.runtime.unsettled import Unsettled


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
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting that its manifest's permissions name, as the deployment over there has it.",
)
@click.option(
    "--min-isolation",
    "least",
    type=click.Choice(("L0", "L1", "L2", "L3")),
    default="L0",
    help="Start nothing that would be confined less than this.",
)
def attach(
    invocation: Invocation,
    host: str,
    names: tuple[str, ...],
    tls: Path,
    plugins: tuple[Path, ...],
    **options: Any,
) -> int:
    """Runs plugins here for the Bedplate at HOST:PORT, whose deployment says placement: remote.

    NAME is what `use:` names there; without one, all that --plugin brings. Each is confined to its manifest as far as
    this machine can; what settings name is not known here, so addresses are any, and files and devices none, until
    --set says them. Ctrl-C ends it.
    """
    import tempfile

    from bedplate.admission.survey import survey_with
    from bedplate.errors import BedplateError
    from bedplate.isolation import Level
    from bedplate.remote.credentials import credentials
    from bedplate.runtime.attaching import RemoteProgram
    from bedplate.runtime.unsettled import Unsettled

    if not host.rpartition(":")[2].isdigit() or not host.rpartition(":")[0]:
        raise click.BadParameter(f"{host!r} is no address; write host:port, such as plant:7444")
    if not names and not plugins:
        raise BedplateError("name what to run: what `use:` names there, or a file with --plugin")
    files = credentials(tls, server=False)
    say = _Saying(invocation.json)
    found = survey_with(plugins)
    with tempfile.TemporaryDirectory(prefix="bp-", ignore_cleanup_errors=True) as sockets:
        unsettled = Unsettled(
            _settings(options["settings"]),
            host,
            (files.ca, files.cert, files.key),
            Path.cwd(),
            Path(sockets),
            Level(options["least"]),
        )
        programs = [
            RemoteProgram(
                launch, host, files, Path.cwd(), say.of(launch.name), _confiner(unsettled, offers)
            )
            for launch, offers in launches(found, names, plugins)
        ]
        text = f"place {files.place} for the Bedplate at {host}; Ctrl-C ends it"
        say("attaching", files.place, text)
        return asyncio.run(_run(programs))


def _settings(told: Sequence[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in told]
    if wrong := [name for name, sign, _ in pairs if not (name and sign)]:
        raise click.BadParameter(f"{wrong[0]!r} is no setting; write NAME=VALUE")
    return {name: value for name, _, value in pairs}


def _confiner(unsettled: Unsettled, offers: Sequence[Offer]) -> Confine:
    """Of one program. What can't be had is told in the words of this command."""
    from bedplate.isolation import IsolationError

    def confine(launch: Launch) -> Confinement:
        try:
            return unsettled.confine(launch, offers)
        except IsolationError as error:
            words = str(error).replace("plugins.min_isolation", "--min-isolation")
            raise IsolationError(words) from None

    return confine


def launches(
    found: Survey, names: Sequence[str], plugins: Sequence[Path]
) -> list[tuple[Launch, list[Offer]]]:
    """One program for each plugin and kind, and all that it may be asked for. Raises BedplateError for a name nobody
    offers."""
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
    every = found.offers.values()
    return [
        (Launch.of(offer, every), [one for one in every if home_of(one) == home])
        for home, offer in wanted.items()
    ]


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
