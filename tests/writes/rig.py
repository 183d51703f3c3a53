"""A plant whose machine can be written, and the guard in front of it, as the platform puts them together; a gate that
lets everybody through but those who are named."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.runtime.plant import RigOffer, plant, until

from bedplate.admission.permissions import Permissions
from bedplate.config import PluginSchema
from bedplate.contracts import Subject
from bedplate.errors import Denied
from bedplate.gate.audit import Entry
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.writing import Writing
from bedplate.server.writes import Writes

FILE = Path(__file__).with_name("devices.py")
COMMANDS = Permissions(commands=True)
TAG = {"type": "object", "properties": {"data_type": {"enum": ["uint16", "float32", "bool"]}}}


class WritableOffer(RigOffer):
    """Its tags have types of its own."""

    @property
    def schema(self) -> PluginSchema:
        return replace(super().schema, tag=TAG)


OFFERS = {
    "device": WritableOffer(
        "device", "connector", ("read", "write"), "devices:Device", "devices", FILE
    ),
    "pushing": WritableOffer(
        "pushing", "connector", ("subscribe", "write"), "devices:Pushing", "devices", FILE
    ),
}
OFFERS = {use: replace(offer, permissions=COMMANDS) for use, offer in OFFERS.items()}
ENGINEER = Subject("erika", ("engineer",), "ipv4:127.0.0.1:1", "token")
TEXT = """
path: acme
connectors:
  press:
    use: USE
    placement: PLACE
    folder: FOLDER
    scan: 50ms
    tags:
      speed: {address: speed, unit: 1/min, write: {range: [10, 120], step: 50, verify_timeout: 1s}}
      count: {address: count, data_type: uint16, write: {range: [0, 65535], verify_timeout: 1s}}
      scaled: {address: count, data_type: uint16, scale: 0.1, write: {range: [0, 100], verify_timeout: 1s}}
      "on": {address: "on", write: {verify_timeout: 1s}}
      guard: {address: guard}
      state: {address: state, states: {0: stopped, 1: running, 3: fault}}
writes:
  enabled: true
  kill_switch: stop
  allow:
    - {role: engineer, tags: ["**"]}
"""


@dataclass
class FakeAudit:
    """In memory; order and moment are kept. failed: why it can't be written."""

    failed: str = ""
    entries: list[Entry] = field(default_factory=list)

    def add(self, entry: Entry, *, urgent: bool = False) -> None:
        self.entries.append(entry)

    async def write(self, entry: Entry) -> bool:
        if self.failed:
            return False
        self.entries.append(entry)
        return True


@dataclass
class FakeGate:
    denied: set[str] = field(default_factory=set)

    async def check(self, subject: Subject, action: str, *resources: str, **more: Any) -> None:
        if subject.id in self.denied:
            raise Denied(f"{subject.id} may not do {action}")


@dataclass
class Shop:
    """folder: the machine."""

    kernel: Kernel
    writes: Writes
    audit: Any
    gate: FakeGate
    folder: Path

    @property
    def guard(self) -> Any:
        return self.writes.guard

    def how(self, word: str) -> None:
        (self.folder / "how").write_text(word)

    @property
    def effects(self) -> list[str]:
        file = self.folder / "effects"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line.rpartition(" ")[0] for line in lines]


@asynccontextmanager
async def shop(
    folder: Path,
    *,
    use: str = "device",
    placement: str = "inline",
    text: str = TEXT,
    offers: Any = OFFERS,
    kept: bool = False,
    audit: Any = None,
    **more: Any,
) -> AsyncIterator[Shop]:
    """Up, with values. kept: commands are kept in a file · audit: instead of one in memory."""
    written = text.replace("USE", use)
    async with plant(folder, written, placement=placement, offers=offers, **more) as kernel:
        audit, gate = audit or FakeAudit(), FakeGate()
        writes = Writes(kernel, gate, audit, folder / "commands.sqlite" if kept else None)
        await writes.guard.open()
        try:
            await until(lambda: heard(kernel))
            yield Shop(kernel, writes, audit, gate, folder)
        finally:
            await writes.guard.close()


def heard(kernel: Kernel) -> bool:
    """Whether the machine has spoken since the start."""
    reading = Writing(kernel).reading("acme/press/speed")
    return reading is not None and reading.age < 5 and not reading.quality & 0xC0000000
