"""A machine that moves keeps its history, its alarms and what was counted of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.plan.running import Plant, until
from tests.policy.callers import anybody

from bedplate.api.v1 import gaps_pb2
from bedplate.connector.v1 import connector_pb2
from bedplate.model import Batch
from bedplate.planning.moves import Move, Moves
from bedplate.runtime import requests
from bedplate.runtime.ledger.answers import Gap
from bedplate.runtime.states import inherited
from bedplate.server.followed import Followed
from bedplate.server.gaps import GapService
from bedplate.wire import decode_batch, encode_batch, twin

# --- answers ---

STORED = {
    "hall/press/force": [5, 6, 7, 8, 25],  # something else stands there since 20
    "yard/press/force": [12, 13, 22],  # moved at 10
    "other/force": [1, 2],
}
MOVES = Moves([Move("yard/press", "hall/press", 10)])
Reply = twin(connector_pb2.QueryReply)


async def history(query: Any) -> AsyncIterator[Any]:
    """As the history answers: by tag, then time; handles of its own for each answer."""
    for path in sorted(STORED):
        if path in query.selectors or "**" in query.selectors:
            times = [t for t in STORED[path] if getattr(query, "from") <= t < query.to]
            before = [t for t in STORED[path] if t < getattr(query, "from")]
            times = times[-query.limit :] if query.limit else times
            times = before[-1:] + times if query.last_before else times
            if times:
                batch = Batch.of(np.array([3], np.uint32), times, times)
                reply = Reply(batches=[encode_batch(batch)], progress=1.0)
                reply.tags.add(handle=3, path=path)
                yield reply


async def answer(
    *selectors: str, here: tuple[str, ...] = ("yard/press/force", "other/force"), **more: Any
) -> dict[str, list[int]]:
    query = requests.Query(selectors=selectors, to=more.pop("to", 100), **more)
    setattr(query, "from", more.get("start", 0))
    return await _gathered(query, here)


async def _gathered(query: Any, here: tuple[str, ...]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    async for page in Followed(history, MOVES, here).pages(query):
        paths = {tag.handle: tag.path for tag in page.tags}
        for encoded in page.batches:
            batch = decode_batch(encoded)
            for handle, when in zip(batch.tags().tolist(), batch.times().tolist(), strict=True):
                found.setdefault(paths[handle], []).append(when)
    return found


async def test_the_new_path_has_what_was_stored_under_the_old_one_before_the_move() -> None:
    assert await answer("yard/press/force") == {"yard/press/force": [5, 6, 7, 8, 12, 13, 22]}


async def test_everything_has_each_sample_once_and_under_the_machine_it_came_from() -> None:
    both = ("hall/press/force", "yard/press/force", "other/force")

    assert await answer("**", here=both) == {
        "hall/press/force": [25],
        "yard/press/force": [5, 6, 7, 8, 12, 13, 22],
        "other/force": [1, 2],
    }


async def test_who_asks_for_the_old_path_alone_still_gets_it() -> None:
    assert await answer("hall/press/force") == {"hall/press/force": [5, 6, 7, 8, 25]}


async def test_a_limit_counts_over_the_move() -> None:
    assert await answer("yard/press/force", limit=5) == {"yard/press/force": [7, 8, 12, 13, 22]}
    assert await answer("yard/press/force", limit=2) == {"yard/press/force": [13, 22]}


async def test_the_sample_before_the_range_may_be_of_before_the_move() -> None:
    query = requests.Query(selectors=["yard/press/force"], to=100, last_before=True)
    setattr(query, "from", 11)
    found = await _gathered(query, ("yard/press/force",))
    assert found == {"yard/press/force": [8, 12, 13, 22]}

    setattr(query, "from", 13)
    found = await _gathered(query, ("yard/press/force",))
    assert found == {"yard/press/force": [12, 13, 22]}, "the newest before, and no other"


async def test_of_windows_the_one_of_the_move_holds_what_came_after() -> None:
    found = await answer("yard/press/force", every=4)

    assert found == {"yard/press/force": [5, 6, 7, 12, 13, 22]}, "8 is in the window of the move"


# --- states ---


def test_the_state_of_an_analytic_goes_with_its_machine() -> None:
    states = {"hall/press": b"1", "other": b"2"}
    moved = [("hall", "yard")]

    assert inherited(states, {"yard/press", "other"}, moved) == {
        "yard/press": b"1",
        "hall/press": b"",
    }
    assert not inherited({**states, "yard/press": b"3"}, {"yard/press"}, moved), "it has its own"
    assert not inherited(states, {"yard/press", "hall/press"}, moved), "it did not leave"


# --- gaps ---


class Ledger:
    """What was missing before and after the move at 10."""

    def range(self, since: int, until: int) -> tuple[int, int]:
        return since, until

    async def complete(self, since: int, until: int) -> list[Any]:
        return []

    async def gaps(self, since: int, until: int) -> list[Gap]:
        return [
            Gap("press", place, (f"{place}/force", f"{place}/heat"), True, at, at + 1, 1, "", 2, 0)
            for place, at in (("hall/press", 6), ("yard/press", 12))
        ]


async def test_gaps_of_before_a_move_are_told_under_the_path_of_today() -> None:
    nothing: dict[str, None] = {}
    table = SimpleNamespace(paths=list, limit=1)
    registry = SimpleNamespace(declared=nothing, table=table, version=0)
    kernel: Any = SimpleNamespace(ledger=Ledger(), spine=SimpleNamespace(registry=registry))
    request = gaps_pb2.ListGapsRequest(selectors=["yard/press/force"], to=20)
    caller = anybody()

    answer = await GapService(kernel, lambda: MOVES).list_gaps(request, caller)

    assert [(gap.path, getattr(gap, "from")) for gap in answer.gaps] == [
        ("yard/press/force", 6),
        ("yard/press/force", 12),
    ]


# --- a whole platform ---

TEXT = """\
bedplate: 1
name: presses
scan_classes: {normal: 100ms}
connectors:
  press-1: {use: counter, path: hall/press-1, tags: {force: {address: f, unit: kN}}}
  history: {use: history, deliver: ["**"], folder: history}
analytics:
  sums: {use: sums, for: press-1, of: force}
  limits: {use: alarms, for: press-1, limits: {weak: {tag: force, low: 1000000, priority: high}}}
journal: {folder: journal, sync: 50ms}
api: {listen: "127.0.0.1:0"}
"""
MOVED = TEXT.replace("hall/press-1", "yard/press-1") + (
    "moved: [{from: hall/press-1, to: yard/press-1}]\n"
)


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    made = Plant(tmp_path, TEXT)
    made.start()
    yield made
    made.stop()


def samples(plant: Plant, *words: str) -> dict[str, list[Any]]:
    done = plant("query", *words, "--last", "1h", "--json")
    found: dict[str, list[Any]] = {}
    for line in done.out.splitlines() if done.code == 0 else ():
        one = json.loads(line)
        found.setdefault(one["path"], []).append(one["value"])
    return found


def alarms(plant: Plant) -> dict[str, str]:
    found = plant("alarms", "--json").json
    return {one["source"]: one["alarm"]["state"] for one in found}


def test_a_machine_that_moves_keeps_its_history_its_counts_and_its_alarm(plant: Plant) -> None:
    until(lambda: len(samples(plant, "press-1/force").get("hall/press-1/force", [])) > 5)
    until(lambda: "hall/press-1/weak" in alarms(plant))
    assert plant("alarms", "ack", "press-1/weak").code == 0
    before = len(samples(plant, "press-1/force")["hall/press-1/force"])
    counted = samples(plant, "**/count")["hall/press-1/sums/count"][-1]

    plant.write(MOVED)
    shown = plant("plan", "plant.yaml", "--json").json["plan"]["steps"]
    assert {one["component"]: one["was"] for one in shown}["press-1"] == "hall/press-1"
    done = plant("apply", "plant.yaml", "--yes")
    assert done.code == 0, done

    until(lambda: len(samples(plant, "yard/press-1/force").get("yard/press-1/force", [])) > before)
    everything = samples(plant, "**")
    assert "hall/press-1/force" not in everything
    assert everything["yard/press-1/force"][:before]
    assert samples(plant, "press-1/force").keys() == {"yard/press-1/force"}, "one machine, one name"
    until(lambda: samples(plant, "**/count").get("yard/press-1/sums/count", [0])[-1] > counted)
    counts = samples(plant, "**/count")["yard/press-1/sums/count"]
    assert counts == list(range(1, len(counts) + 1)), "each value was counted once, and none anew"
    until(lambda: alarms(plant) == {"yard/press-1/weak": "acknowledged"})

    plant.stop(kill=True)
    plant.start("--applied")
    until(lambda: len(samples(plant, "yard/press-1/force").get("yard/press-1/force", [])) > before)
    assert plant.status()["deployment"]["number"] == 2
