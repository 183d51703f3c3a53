"""`bedplate probe`: connects, logs in, reads every address once, writes nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command
from bedplate.cli.parameters import given_plugins, length

if TYPE_CHECKING:
    from bedplate.cli.probing import Device

LINES = 12  # of trouble for one entry; --json has all
SLOW = 5.0  # s


@command(local=True)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--within",
    default="30s",
    show_default=True,
    type=length,
    help="Time that each device has; they are asked side by side.",
)
@given_plugins
def probe(invocation: Invocation, file: Path, within: str, plugins: tuple[Path, ...]) -> int:
    """Opens every connector of FILE as `run` would, in processes with the same permissions, and reads each of its tags
    once. Needs no running Bedplate, and sends nothing that changes a device. What takes deliveries (histories, clouds)
    is left alone: only to open it may write.

    A line for each entry of the file; below it who did not answer and which addresses gave no value, with the closest
    one that the device has. Exit code 1 when there is any such line.
    """
    import asyncio
    import os

    from bedplate.cli.probing import probe as ask
    from bedplate.client.span import length as nanoseconds
    from bedplate.server.platform import prepare

    prepared = prepare(file, plugins, to_run=False)
    os.chdir(prepared.deployment.source.folder)
    waiting = _Waiting(sys.stderr.isatty() and not invocation.json)
    seconds = nanoseconds(within) / 1e9
    devices = asyncio.run(
        ask(prepared.deployment, prepared.admission.offers, seconds, waiting.tell)
    )
    waiting.clear()
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json({"file": str(file), "devices": [_fact(device) for device in devices]})
    else:
        for line in told(devices):
            click.echo(line)
    return Exit.DONE if all(device.fine for device in devices) else Exit.PROBLEMS


def _fact(device: Device) -> dict[str, Any]:
    return asdict(device) | {"seconds": round(device.seconds, 3)}


def told(devices: Sequence[Device]) -> Iterator[str]:
    """Lines for people."""
    ordered = sorted(devices, key=lambda device: _order(devices, device.entry))
    entries = [(entry, list(group)) for entry, group in groupby(ordered, lambda one: one.entry)]
    rows = [
        (entry, *_figures(group, first), _trouble(group)) for entry, group, first in _first(entries)
    ]
    widths = [max((len(row[n]) for row in rows), default=0) for n in range(3)]
    for entry, answered, read, trouble in rows:
        head = f"  {entry:<{widths[0]}}  {answered:<{widths[1]}}   {read:<{widths[2]}}"
        yield f"{head}   {trouble[0]}".rstrip() if trouble else head.rstrip()
        yield from (f"  {'':<{widths[0]}}  {line}" for line in trouble[1:])
    if not devices:
        yield "no connectors, so there is nobody to ask"


def _order(devices: Sequence[Device], entry: str) -> int:
    return next(n for n, device in enumerate(devices) if device.entry == entry)


def _first(
    entries: Sequence[tuple[str, list[Device]]],
) -> Iterator[tuple[str, list[Device], bool]]:
    """Figures are spelt out in the first line that has any."""
    spelt = False
    for entry, group in entries:
        asked = any(device.answered for device in group)
        yield entry, group, asked and not spelt
        spelt = spelt or asked


def _figures(group: Sequence[Device], first: bool) -> tuple[str, str]:
    asked = [device for device in group if device.answered is not None]
    if not asked:
        return "", ""
    answered = [device for device in asked if device.answered]
    words = (" answered", " addresses read") if first else ("", "")
    count = f"{len(answered)} of {len(asked)}{words[0]}"
    spoke = [device for device in answered if device.how != "opened"]
    if not spoke:
        return count, "opened" if answered else ""
    told = f"{sum(d.read for d in spoke)} of {sum(d.tags for d in spoke)}"
    pushed = all(device.how == "subscribed" for device in spoke)
    return count, told + (" tags spoke" if pushed else words[1])


def _trouble(group: Sequence[Device]) -> list[str]:
    lines = [*_silent(group), *_unread(group), *_slow(group)]
    if len(lines) > LINES:
        lines[LINES - 1 :] = [f"and {len(lines) - LINES + 1} more; --json has all of them"]
    return lines


def _silent(group: Sequence[Device]) -> Iterator[str]:
    """Who was not asked, is off or did not answer; those with one reason together."""
    reasons: dict[str, list[str]] = {}
    for device in group:
        if not device.answered:
            reasons.setdefault(device.reason, []).append(device.component)
    for reason, names in reasons.items():
        alone = len(names) == 1 and names[0] == group[0].entry
        yield reason if alone else f"{_some(names)}: {reason}"


def _unread(group: Sequence[Device]) -> Iterator[str]:
    """Addresses without a value; the same trouble at several devices is one line."""
    same: dict[tuple[str, str, str], list[str]] = {}
    for device in group:
        for one in device.unread:
            same.setdefault((one.tag, one.reason, one.closest), []).append(device.component)
    for (tag, reason, closest), names in same.items():
        hint = f"; closest is {closest}" if closest else ""
        where = f"{names[0]}/{tag}" if len(names) == 1 else f"{tag} of {_some(names)}"
        yield f"{where}: {reason}{hint}"


def _slow(group: Sequence[Device]) -> Iterator[str]:
    slow = [device for device in group if device.answered and device.seconds > SLOW]
    if slow:
        slowest = max(slow, key=lambda device: device.seconds)
        more = f", and {len(slow) - 1} more took over {SLOW:g} s" if len(slow) > 1 else ""
        yield f"{slowest.component} took {slowest.seconds:.0f} s{more}"


def _some(names: Sequence[str]) -> str:
    return (
        ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2} more"
    )


class _Waiting:
    """A line on a terminal that says whom it waits for, written over again and again."""

    def __init__(self, shown: bool) -> None:
        self._shown = shown

    def tell(self, waiting: Mapping[str, float]) -> None:
        late = {name: time.monotonic() - since for name, since in waiting.items()}
        if self._shown and (names := [n for n, seconds in late.items() if seconds > 3]):
            sys.stderr.write(f"\r\x1b[K  waiting for {_some(names)} ({max(late.values()):.0f} s)")
            sys.stderr.flush()

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
