"""A kernel whose deployment a test changes while it runs, planned as `bedplate apply` plans it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.apply.machines import Machine
from tests.runtime.plant import RigOffer, plant, schema

from bedplate.config import Deployment, PluginSchema, parse
from bedplate.planning.plan import Plan, Step
from bedplate.planning.planner import plan
from bedplate.planning.standing import Plugin, Standing
from bedplate.runtime import health_gate
from bedplate.runtime.kernel import Kernel

BOXES = Path(__file__).with_name("boxes.py")
SETTINGS = {
    "type": "object",
    "properties": {
        "port": {"type": "integer"},
        "word": {"type": "string"},
        "folder": {"type": "string"},
        "of": {"type": "string", "x-bedplate-tag": True},
    },
}


class BoxOffer(RigOffer):
    """One of boxes.py."""

    @property
    def schema(self) -> PluginSchema:
        return PluginSchema(
            self.use, self.kind, self.capabilities, settings=SETTINGS, inputs=self.inputs
        )


OFFERS = {
    offer.use: offer
    for offer in (
        BoxOffer("box", "connector", ("read",), "boxes:Box", "boxes", BOXES),
        BoxOffer("log", "connector", ("deliver",), "boxes:Log", "boxes", BOXES),
        BoxOffer("sum", "analytic", (), "boxes:Sum", "boxes", BOXES, inputs=("of",)),
        BoxOffer("yes", "security", (), "boxes:Yes", "boxes", BOXES),
    )
}


class Line:
    """kernel, and what was told of the changes: (component, step, state, text)."""

    def __init__(self, kernel: Kernel, folder: Path, artefacts: Mapping[str, str]) -> None:
        self.kernel, self.folder, self.artefacts = kernel, folder, dict(artefacts)
        self.told: list[tuple[str, Step | None, str, str]] = []

    def read(self, text: str) -> Deployment:
        text = text.replace("FOLDER", str(self.folder)).replace("PLACE", "remote")
        if (plugins := self.kernel.deployment.plugins).listen:
            text += f"\nplugins: {{listen: '{plugins.listen}', tls: '{plugins.tls}'}}\n"
        content = ("bedplate: 1\nname: test\n" + text).encode()
        return parse(content, "plant.yaml", self.folder, partial(schema, offers=OFFERS))

    def plan(self, deployment: Deployment, artefacts: Mapping[str, str] | None = None) -> Plan:
        running = _standing(self.kernel.deployment, self.artefacts)
        return plan(running, _standing(deployment, artefacts or self.artefacts))

    async def apply(self, text: str, *, health: float = 10.0, **kept: Any) -> Plan:
        deployment = self.read(text)
        planned = self.plan(deployment)
        await self.reconcile(deployment, planned, health=health, **kept)
        return planned

    async def reconcile(self, deployment: Deployment, planned: Plan, **how: Any) -> None:
        uses = {component.use for component in deployment.components}

        def told(*what: Any) -> None:
            self.told.append(what)
            assert {s.component.use for s in self.kernel.components.values()} <= {
                *self.kernel.offers
            }

        offers = {use: offer for use, offer in OFFERS.items() if use in uses}
        await self.kernel.reconcile(deployment, offers, planned, told, **how)
        assert {*self.kernel.offers} == uses

    def logged(self, sink: str = "log") -> list[tuple[str, Any, int]]:
        """What a sink got: (path, value, quality)."""
        file = self.folder / f"{sink}.log"
        lines = file.read_text().splitlines() if file.exists() else []
        return [tuple(json.loads(line)) for line in lines]

    def series(self, path: str, sink: str = "log") -> list[Any]:
        """Good values of one tag, in order."""
        return [value for name, value, code in self.logged(sink) if name == path and code == 0]


def _standing(deployment: Deployment, artefacts: Mapping[str, str]) -> Standing:
    plugins = {
        use: Plugin(artefacts.get(use, ""), "1", offer.capabilities)
        for use, offer in OFFERS.items()
    }
    return Standing(deployment, plugins)


@asynccontextmanager
async def line(
    folder: Path,
    text: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    steady: float = 0.1,
    placement: str = "process",
) -> AsyncIterator[Line]:
    """A running kernel. FOLDER and PLACE in the text are filled in."""
    monkeypatch.setattr(health_gate, "STEADY", steady)
    async with plant(folder, text, offers=OFFERS, placement=placement) as kernel:
        yield Line(kernel, folder, {})


@asynccontextmanager
async def machines(count: int) -> AsyncIterator[list[Machine]]:
    """So many machines that answer."""
    found = [await Machine().start() for _ in range(count)]
    try:
        yield found
    finally:
        for machine in found:
            await machine.stop()


def steps(planned: Plan) -> dict[str, str]:
    """What was touched."""
    return {one.component: str(one.step) for one in planned.touched}
