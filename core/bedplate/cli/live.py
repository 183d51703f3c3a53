"""The demo's live screen: machines, alarms, and what to type in a second terminal. A client like any other."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

EVERY = 1.0  # s
PLAIN_EVERY = 5  # refreshes between two plain lines
NS = 1e9


class Watch:
    """Shows one platform until it is cancelled. me: how the user calls `bedplate` · plain: lines, for pipes."""

    def __init__(self, me: str, *, plain: bool, as_json: bool = False) -> None:
        self._me = me
        self._plain = plain
        self._as_json = as_json

    async def show(self, address: str) -> None:
        from bedplate.client import connect_async

        async with connect_async(address) as client:
            if self._plain:
                await self._lines(client, address)
            else:
                await self._screen(client, address)

    async def _lines(self, client: Any, address: str) -> None:
        count = 0
        while True:
            facts = await gather(client)
            if not count and not self._as_json:
                hints = _hints(facts, address, self._me)
                print("in a second terminal", *hints, sep="\n    ", flush=True)
            if count % PLAIN_EVERY == 0 or (facts["samples_per_second"] and count < PLAIN_EVERY):
                print(json.dumps(facts) if self._as_json else _one_line(facts), flush=True)
            count += 1
            await asyncio.sleep(EVERY)

    async def _screen(self, client: Any, address: str) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(highlight=False)
        with Live(console=console, auto_refresh=False, screen=False, transient=False) as live:
            while True:
                facts = await gather(client)
                live.update(_render(facts, _hints(facts, address, self._me)), refresh=True)
                await asyncio.sleep(EVERY)


async def gather(client: Any) -> dict[str, Any]:
    """What the screen shows, as plain values."""
    status = await client.status()
    tags = await client.tags(current=True)
    alarms = await client.alarms()
    connectors = [c for c in status.components if c.kind == "connector" and c.tags]
    return {
        "name": status.name,
        "up": (status.now - status.started) / NS,
        "connectors": len(connectors),
        "connectors_up": sum(c.state in ("up", "degraded") for c in connectors),
        "samples_per_second": sum(c.samples_per_second for c in connectors),
        "journal": status.journal.state,
        "history": _history_size(status),
        "problems": list(status.problems),
        "machines": _machines(tags, status),
        "alarms": [_alarm(event, status.now) for event in alarms],
    }


def _history_size(status: Any) -> int:
    """Bytes of the history's folder, beside the deployment file; 0 when it is not there."""
    folder = Path(status.deployment_file).parent / "data" / "history"
    size = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):  # it writes, renames and deletes meanwhile
            size += file.stat().st_size if file.is_file() else 0
    return size


def _machines(tags: Sequence[Any], status: Any) -> list[dict[str, Any]]:
    """One row for each asset that has a state, with what other devices and analytics know of it; as in the file."""
    places = [component.path for component in status.components]
    by_asset: dict[str, dict[str, Any]] = {}
    for entry in tags:
        by_asset.setdefault(entry.asset, {})[entry.path.rpartition("/")[2]] = entry
    machines = [path for path, own in by_asset.items() if "state" in own]
    machines.sort(key=lambda path: places.index(path) if path in places else len(places))
    return [_machine(path, by_asset[path], by_asset, status.now) for path in machines]


def _machine(path: str, own: dict[str, Any], all_: dict[str, Any], now: int) -> dict[str, Any]:
    def value(name: str, place: dict[str, Any] = own) -> Any:
        entry = place.get(name)
        return entry.current.value if entry and entry.current else None

    state = own["state"]
    label = state.tag.states.get(value("state"), value("state"))
    heard = [e.current.received for e in own.values() if e.current]
    return {
        "machine": path.rpartition("/")[2],
        "path": path,
        "state": label if label is not None else "–",
        "speed": value("speed"),
        "good": value("parts_good"),
        "total": value("parts_total"),
        "oee": value("oee", all_.get(f"{path}/oee", {})),
        "power": value("power"),
        "heard": max(0.0, (now - max(heard)) / NS) if heard else None,
    }


def _alarm(event: Any, now: int) -> dict[str, Any]:
    alarm = event.alarm
    return {
        "priority": alarm.priority.name.lower(),
        "source": event.source,
        "short": "/".join(event.source.split("/")[-2:]),
        "state": alarm.state.name.lower(),
        "for": (now - alarm.active_since) / NS if alarm.active_since else 0.0,
        "by": alarm.acknowledged_by,
        "do": alarm.do,
    }


def _one_line(facts: dict[str, Any]) -> str:
    machines = " · ".join(
        f"{m['machine']} {m['state']} {_number(m['speed'], 0)} /min {_number(m['good'], 0)}/{_number(m['total'], 0)}"
        for m in facts["machines"]
    )
    alarms = ", ".join(a["short"] for a in facts["alarms"]) or "none"
    head = f"{time.strftime('%H:%M:%S')}  {facts['connectors_up']} of {facts['connectors']} connectors up"
    return f"{head} · {facts['samples_per_second']:.0f} samples/s · {machines} · alarms: {alarms}"


def _render(facts: dict[str, Any], hints: Sequence[str]) -> Any:
    from rich.console import Group
    from rich.text import Text

    parts = [
        Text(_head(facts), style="bold"),
        Text(""),
        _machine_table(facts["machines"]),
        Text(""),
    ]
    parts += [Text(f"  {problem}", style="red") for problem in facts["problems"][:3]]
    parts += [_alarm_table(facts["alarms"]), Text(""), Text("  in a second terminal", style="dim")]
    parts += [Text(f"    {line}", style="cyan") for line in hints]
    return Group(*parts, Text(""), Text("  Ctrl-C ends it", style="dim"))


def _head(facts: dict[str, Any]) -> str:
    up = facts["connectors_up"]
    connectors = (
        f"{up} connectors up"
        if up == facts["connectors"]
        else f"{up} of {facts['connectors']} connectors up"
    )
    return (
        f"{facts['name']} · up {_span(facts['up'])} · {connectors} · {facts['samples_per_second']:.0f} samples/s · "
        f"journal {facts['journal']} · history {facts['history'] / 1e6:.1f} MB"
    )


def _machine_table(machines: Sequence[dict[str, Any]]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=True, padding=(0, 2, 0, 1), header_style="dim")
    for name, side in (
        ("machine", "left"),
        ("state", "left"),
        ("speed", "right"),
        ("good / total", "right"),
    ):
        table.add_column(name, justify=side)  # type: ignore[arg-type]
    for name in ("OEE", "power", "heard"):
        table.add_column(name, justify="right")
    colours = {"running": "green", "fault": "bold red", "idle": "yellow", "setup": "yellow"}
    for m in machines:
        state = str(m["state"])
        table.add_row(
            m["machine"],
            f"[{colours.get(state, 'default')}]{state}[/]",
            f"{_number(m['speed'], 0)} /min",
            f"{_number(m['good'], 0)} / {_number(m['total'], 0)}",
            _number(m["oee"], 2),
            f"{_number(m['power'], 1)} kW",
            "–" if m["heard"] is None else f"{m['heard']:.1f} s",
        )
    return table


def _alarm_table(alarms: Sequence[dict[str, Any]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    if not alarms:
        return Text("  no alarms", style="dim")
    table = Table(box=None, show_header=False, pad_edge=True, padding=(0, 2, 0, 1))
    for index, a in enumerate(alarms[:6]):
        by = {"local-token": "you", "local-socket": "you"}.get(a["by"], a["by"])
        word = {
            "unacknowledged": "not acknowledged",
            "returned_unacknowledged": "returned, not acknowledged",
        }
        known = (
            f"acknowledged by {by}"
            if a["state"] == "acknowledged"
            else word.get(a["state"], a["state"])
        )
        style = {"high": "bold red", "highest": "bold red", "medium": "yellow"}.get(
            a["priority"], ""
        )
        cells = [
            "alarms" if not index else "",
            a["priority"],
            a["short"],
            _span(a["for"]),
            known,
            a["do"],
        ]
        table.add_row(
            *(Text(str(cell), style=style if n in (1, 2) else "") for n, cell in enumerate(cells))
        )
    return table


def _hints(facts: dict[str, Any], address: str, me: str) -> list[str]:
    from bedplate.endpoints import DEFAULT

    end = "" if address == DEFAULT else f" --endpoint {address}"
    where = "" if address == DEFAULT else f"'{address}'"
    python = "python" if me == "bedplate" else me.removesuffix("bedplate") + "python"
    waiting = next((a["short"] for a in facts["alarms"] if a["state"] != "acknowledged"), "")
    lines = [
        f"{me} status{end}",
        f"{me} tail 'filler/*'{end}",
        f"{me} query filler/temperature --last 5min --every 10s{end}",
        f"{me} write filler/speed_setpoint 95 --dry-run{end}",
    ]
    if waiting:
        lines.insert(1, f"{me} alarms ack {waiting}{end}")
    code = f"import bedplate; print(bedplate.connect({where}).history('**/power', last='5min').to_numpy())"
    return [*lines, f'{python} -c "{code}"']


def _number(value: Any, digits: int) -> str:
    if not isinstance(value, (int, float)) or math.isnan(value):
        return "–"
    return f"{value:.{digits}f}"


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
