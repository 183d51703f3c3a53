"""Small deployments for plans, over the rigs; and what stands around them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.runtime.plant import OFFERS, schema

from bedplate.config import Deployment, parse
from bedplate.planning.plan import Plan, Step
from bedplate.planning.planner import plan
from bedplate.planning.standing import Home, Plugin, Standing

HEAD = "bedplate: 1\nname: test\npath: acme\n"
TEXT = """
calendars:
  shift: {early: {days: mon-fri, from: 06:00, to: 14:00}}
scan_classes: {fast: 100ms}
connectors:
  press-1:
    use: counter
    path: hall/press-1
    tags:
      force: {address: f, unit: kN, scan: fast}
      heat:  {address: h, unit: °C, deadband: 0.2}
  press-2:
    use: counter
    path: hall/press-2
    tags:
      force: {address: f, unit: kN, scan: fast}
      heat:  {address: h, unit: °C, deadband: 0.2}
  push: {use: pusher, tags: {number: {address: a, scan: fast}}}
  sink: {use: sink, deliver: ["hall/**"], buffer: {age: 1h}}
analytics:
  sums: {use: sums, for: press-1, of: force}
"""


def deployment(text: str = TEXT, tables: Mapping[str, bytes] | None = None) -> Deployment:
    given = tables or {}
    return parse(
        (HEAD + text).encode(), "plant.yaml", Path("/plant"), schema, read_table=given.__getitem__
    )


def standing(one: Deployment | str = TEXT, **more: Any) -> Standing:
    """With the rigs as its plugins, and a process for each plugin or name."""
    made = deployment(one) if isinstance(one, str) else one
    plugins = {use: Plugin("a", "1", offer.capabilities) for use, offer in OFFERS.items()}
    homes = {}
    for component in made.components:
        name = component.process or "rigs"
        homes[component.id] = Home(f"{component.placement}/{name}", name)
    return Standing(made, **{"plugins": plugins, "homes": homes, **more})


def planned(before: str | Standing, after: str | Standing, **more: Any) -> Plan:
    old = standing(before) if isinstance(before, str) else before
    new = standing(after) if isinstance(after, str) else after
    return plan(old, new, **more)


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) >= 1, f"{old!r} is not in it"
    return text.replace(old, new, 1)


def touched(plan: Plan) -> dict[str, Step]:
    return {one.component: one.step for one in plan.touched}
