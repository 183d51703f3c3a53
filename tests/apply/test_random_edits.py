"""A hundred random edits of a shop of fifty components, each applied while it runs: only what the plan named moves.

Seen from outside: connections that the machines counted, sessions, threads, and the numbers that a sink got, in which a
read that was lost leaves a hole. Every tenth edit names a machine that is away, and must be undone.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from tests.apply.line import Line, line, machines, steps
from tests.apply.machines import Machine
from tests.apply.shop import Shop
from tests.runtime.plant import until

from bedplate.errors import ReconcileError

EDITS = int(os.environ.get("BEDPLATE_EDITS", "100"))
SEED = int(os.environ.get("BEDPLATE_SEED", "0")) or random.randrange(1, 10**6)
REPLAY = f"BEDPLATE_SEED={SEED} BEDPLATE_EDITS={EDITS} python -m pytest {Path(__file__).name}"
DISTURBS = ("create", "restart", "remove")
COMPONENTS = 50


class Watcher:
    """What may have happened to each component so far. disturbed: may have lost a read · restated: its value may have
    been said again."""

    def __init__(self, plant: Line, found: list[Machine]) -> None:
        self.plant, self.machines = plant, found
        self.disturbed: Counter[str] = Counter()
        self.restated: Counter[str] = Counter()
        self.known: dict[str, int] = {}

    def standing(self) -> dict[str, tuple[object, object, int]]:
        """What tells one session of a component from the next."""
        return {id_: (one, one.role.attachment, self.sessions(id_))
                for id_, one in self.plant.kernel.components.items()}  # fmt: skip

    def sessions(self, id_: str) -> int:
        return self.machines[int(id_[4:])].sessions if id_.startswith("box-") else 0

    def judge(self, before: dict[str, tuple[object, object, int]], done: dict[str, str]) -> None:
        """Only what is done differs."""
        after = self.standing()
        for id_ in before.keys() | after.keys():
            step = done.get(id_, "untouched")
            if step in ("untouched", "reconfigure"):
                assert before[id_] == after[id_], f"{id_} is {step} and has another session"
            elif step == "remove":
                assert id_ not in after
            else:
                assert before.get(id_) != after[id_], f"{id_} should {step}"
                assert after[id_][2] - self.before(before, id_) == id_.startswith("box-")
            self.disturbed[id_] += step in DISTURBS
            self.restated[id_] += step == "reconfigure"

    def before(self, before: dict[str, tuple[object, object, int]], id_: str) -> int:
        return before[id_][2] if id_ in before else self.known.get(id_, 0)

    def remember(self) -> None:
        self.known = {f"box-{n:02}": one.sessions for n, one in enumerate(self.machines)}


@pytest.mark.timeout(300)
async def test_only_what_the_plan_names_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    print(f"replay: {REPLAY}")
    chance = random.Random(SEED)
    async with machines(COMPONENTS + 1) as every:
        *found, away = every
        away.away = True
        shop = Shop.of([machine.port for machine in found], COMPONENTS)
        async with line(tmp_path, shop.text(), monkeypatch, steady=0.02) as plant:
            watcher = Watcher(plant, found)
            await until(lambda: all(m.asked for m in found[: len(shop.boxes)]))
            for number in range(EDITS):
                watcher.remember()
                before, wanted = watcher.standing(), shop.edited(chance)
                print(f"edit {number}: {', '.join(wanted.edits)}")
                if number % 10 == 9:
                    await undone(plant, watcher, wanted, away, before)
                    continue
                planned = await plant.apply(wanted.text())
                watcher.judge(before, steps(planned))
                shop = wanted
                assert {*plant.kernel.components} == {*shop.boxes, *shop.sinks, *shop.sums}
            assert all(m.most <= 1 for m in found), "two sessions at once"
            assert sum(m.open for m in found) == len(shop.boxes)
            await caught_up(plant, shop)
    judge_numbers(plant, watcher)


async def undone(
    plant: Line, watcher: Watcher, wanted: Shop, away: Machine, before: dict[str, object]
) -> None:
    """The same edit with one machine that does not answer."""
    ports = (*wanted.ports, away.port)
    id_ = next(one for one in wanted.boxes if one in before)
    lost = replace(wanted.boxes[id_], machine=len(ports) - 1)
    broken = replace(wanted, ports=ports, boxes=wanted.boxes | {id_: lost})
    deployment = plant.read(broken.text())
    planned = plant.plan(deployment)
    running = plant.kernel.deployment
    assert steps(planned)[id_] == "restart"
    with pytest.raises(ReconcileError, match="what ran before runs again"):
        await plant.reconcile(deployment, planned, health=0.3)
    assert plant.kernel.deployment is running
    assert [*plant.kernel.components] == [c.id for c in running.components]
    for one, step in steps(planned).items():
        watcher.disturbed[one] += 2 * (step in DISTURBS)
        watcher.restated[one] += 2 * (step == "reconfigure")
    for one in before.keys() - steps(planned).keys():
        assert watcher.standing()[one] == before[one]


async def caught_up(plant: Line, shop: Shop) -> None:
    """The sink has what the machines said until now."""
    position = plant.kernel.engine.state().appended
    await until(lambda: plant.kernel.components["log"].role.position >= position)


def judge_numbers(plant: Line, watcher: Watcher) -> None:
    rows: dict[str, list[float]] = {}
    for text in (plant.folder / "log.log").read_text().splitlines():
        path, value, code = json.loads(text)
        if code == 0:
            rows.setdefault(path, []).append(value)
    for path, values in rows.items():
        box, _, name = path.partition("/")
        if name == "number":
            numbers = [raw(value) for value in values]
            holes = sum(later > one + 1 for one, later in pairwise(numbers))
            twice = sum(later <= one for one, later in pairwise(numbers))
            assert holes <= watcher.disturbed[box], f"{path}: {numbers}"
            assert twice <= watcher.restated[box] + watcher.disturbed[box], f"{path}: {numbers}"
        elif "/sum-" in path:
            again = sum(later != one + 1 for one, later in pairwise(values))
            assert again <= watcher.disturbed[path.split("/")[1]], f"{path}: {values}"


def raw(value: float) -> int:
    """What the machine said, whatever the scale was."""
    if isinstance(value, int):
        return value
    return round(value / 1000 if value >= 1000 else value * 1000 if value < 1 else value)
