"""`bedplate run`: a deployment in the foreground, telling each change of state in a line."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.frame import Invocation, command
from bedplate.cli.parameters import given_plugins

if TYPE_CHECKING:
    from bedplate.runtime.lifecycle import Transition


@command(local=True)
@click.argument("file", type=click.Path(path_type=Path))
@given_plugins
@click.option("--listen", help="Address of the API, instead of what the file says.")
@click.option(
    "--applied",
    is_flag=True,
    help="What was applied last from FILE, whatever it says now; FILE when nothing was.",
)
def run(
    invocation: Invocation,
    file: Path,
    plugins: tuple[Path, ...],
    listen: str | None,
    applied: bool,
) -> None:
    """Connects to the machines of FILE, keeps what they say, and serves the API. What runs is a deployment with a
    number, as if it had been applied; `bedplate apply` changes it without a stop. SIGHUP has FILE read again and
    applied; one that can't be leaves what runs as it is.

    What this version does not serve yet is refused by name before anything starts.
    """
    from bedplate.cli.foreground import run_foreground
    from bedplate.server.platform import prepare
    from bedplate.service.notice import Notice

    as_json = invocation.json
    prepared = prepare(file, plugins, applied=applied)
    name = prepared.deployment.name
    changes = _Changes(as_json)

    async def show(address: str) -> None:
        _say(
            as_json,
            {"event": "running", "name": name, "api": address},
            f"{name} runs; API at {address}; Ctrl-C ends it",
        )
        for notice in prepared.notices:
            _say(as_json, {"event": "notice", "text": notice}, f"▲ {notice}")
        service = Notice()
        service.ready(f"{name} runs; API at {address}")
        try:
            await asyncio.gather(changes.show(), service.keep_alive())
        finally:
            service.stopping()

    def noted(text: str) -> None:
        _say(as_json, {"event": "notice", "text": text}, text)

    run_foreground(prepared, listen, show, changes.hear, noted)
    _say(as_json, {"event": "ended", "name": name}, f"{name} ended")


class _Changes:
    """Changes of state, each told once; of several within a second the newest."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._untold: dict[str, Transition] = {}
        self._shown: Sequence[str] = ()
        self._told: dict[str, tuple[str, str]] = {}
        self._wake = asyncio.Event()

    def hear(self, component: str, change: Transition) -> None:
        self._untold[component] = change
        self._wake.set()

    async def show(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            untold, self._untold = self._untold, {}
            for component, change in untold.items():
                self._tell(component, str(change.state), change.reason, change.evidence)
            await asyncio.sleep(1)

    def _tell(self, component: str, state: str, reason: str, evidence: Sequence[str]) -> None:
        if self._told.get(component) == (state, reason):
            return
        self._told[component] = state, reason
        fact = {"event": "state", "component": component, "state": state, "reason": reason}
        more = {"evidence": [*evidence]} if evidence else {}
        _say(self._as_json, fact | more, f"{component:<24} {state:<12} {reason}")
        if not self._as_json and evidence and evidence != self._shown:
            self._shown = evidence  # once, though all components of a process end with it
            print(*(f"          | {line}" for line in evidence), sep="\n", flush=True)


def _say(as_json: bool, fact: dict[str, Any], text: str) -> None:
    now = time.time()
    line = (
        json.dumps({"time": now, **fact})
        if as_json
        else f"{time.strftime('%H:%M:%S', time.localtime(now))}  {text}"
    )
    print(line, flush=True, file=sys.stdout)
