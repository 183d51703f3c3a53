"""A kernel over the rigs, for tests: one YAML text, real processes or threads, a journal in a temporary folder."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.remote.elsewhere import Elsewhere

from bedplate.admission.permissions import Permissions
from bedplate.clock import Clock, SystemClock
from bedplate.config import PluginSchema, parse
from bedplate.journal.embedded import EmbeddedEngine
from bedplate.journal.engine import Engine
from bedplate.runtime.kernel import Kernel

RIGS = Path(__file__).with_name("rigs.py")
PLACEMENTS = ("process", "inline", "remote")


@dataclass(frozen=True)
class RigOffer:
    use: str
    kind: str
    capabilities: tuple[str, ...]
    target: str
    plugin: str = "rigs"
    file: Path | None = RIGS
    replay: str = "none"
    version: str = "1"
    support: str = "nobody"
    python: str = sys.executable
    folder: Path | None = None
    command: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    permissions: Permissions = field(default_factory=Permissions)
    verify: Any = None
    cache: str = ""

    @property
    def schema(self) -> PluginSchema:
        return PluginSchema(
            self.use, self.kind, self.capabilities, settings=SETTINGS, inputs=self.inputs
        )


OFFERS = {
    o.use: o
    for o in (
        RigOffer("counter", "connector", ("read",), "rigs:Counter"),
        RigOffer("blocking", "connector", ("read",), "rigs:Blocking"),
        RigOffer("picky", "connector", ("read",), "rigs:Picky"),
        RigOffer("troubled", "connector", ("read",), "rigs:Troubled", plugin="troubled"),
        RigOffer("refusing", "connector", ("read",), "rigs:Refusing"),
        RigOffer("pusher", "connector", ("subscribe",), "rigs:Pusher"),
        RigOffer("sink", "connector", ("deliver",), "rigs:Sink"),
        RigOffer("keeper", "connector", ("deliver", "query"), "rigs:Keeper"),
        RigOffer("sums", "analytic", (), "rigs:Sums", inputs=("of",)),
        RigOffer("deny", "security", (), "rigs:DenyAll"),
    )
}
SETTINGS = {
    "type": "object",
    "properties": {
        "folder": {"type": "string"},
        "how": {"type": "string"},
        "most": {"type": "integer"},
        "pause": {"type": "number"},
        "of": {"type": "string", "x-bedplate-tag": True},
    },
}


def schema(use: str, offers: Any = OFFERS) -> PluginSchema | None:
    offer: RigOffer | None = offers.get(use)
    return offer.schema if offer else None


@asynccontextmanager
async def plant(
    folder: Path,
    text: str,
    *,
    placement: str = "process",
    engine: Engine | None = None,
    offers: Any = OFFERS,
    majors: Any = (),
    clock: Clock | None = None,
) -> AsyncIterator[Kernel]:
    """A running kernel, and the programs of its remote places. PLACE and FOLDER in the text are filled in."""
    filled = text.replace("PLACE", placement).replace("FOLDER", str(folder))
    elsewhere = Elsewhere(folder)
    if placement == "remote":
        filled += elsewhere.section()
    deployment = parse(
        ("bedplate: 1\nname: test\n" + filled).encode(),
        "plant.yaml",
        folder,
        partial(schema, offers=offers),
    )
    clock = clock or SystemClock()
    engine = engine or EmbeddedEngine(folder / "journal", clock=clock, sync=0.05)
    kernel = Kernel(deployment, offers, engine, linger=0.02, majors=majors, clock=clock)
    try:
        await kernel.start()
        if placement == "remote":
            elsewhere.run(kernel.places.values(), kernel.remote_address)
        yield kernel
    finally:
        await kernel.stop()
        await elsewhere.stop()


async def until(condition: Callable[[], Any], within: float = 60.0) -> Any:
    """Waits for a condition that another process brings about. Fails when it never comes."""
    async with asyncio.timeout(within):
        while not (found := condition()):
            await asyncio.sleep(0.01)
    return found


def state(kernel: Kernel, component: str) -> str:
    return str(kernel.components[component].life.state)


def value(kernel: Kernel, path: str) -> Any:
    tag = kernel.spine.registry.table.newest(path)
    return kernel.spine.current.value(tag.handle) if tag else None


def code(kernel: Kernel, path: str) -> int:
    tag = kernel.spine.registry.table.newest(path)
    return int(kernel.spine.current.quality[tag.handle]) if tag else -1
