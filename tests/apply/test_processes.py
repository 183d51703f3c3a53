"""Processes while a deployment changes: those that serve somebody untouched go on, whatever comes or goes beside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.apply.line import line, machines, steps
from tests.apply.test_steps import TWO
from tests.runtime.plant import until, value

REMOTE = TWO.replace(
    "placement: inline\n    port", "placement: PLACE\n    process: $name\n    port"
)
APART = TWO.replace("placement: inline", "placement: process").replace(
    "port: $port", "process: $name\n    port: $port"
)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_process_ends_with_its_last_component_and_another_plugin_gets_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(2) as (first, second):
        text = APART.format(first.port, second.port)
        async with line(tmp_path, text, monkeypatch) as plant:
            kernel = plant.kernel
            await until(lambda: value(kernel, "one/number") and value(kernel, "two/number"))
            pids = {place.launch.name: place.run.pid for place in kernel.places.values()}
            assert first.pids == [pids["one"]]
            assert second.pids == [pids["two"]]

            planned = await plant.apply("# again\n" + text)
            assert steps(planned) == {}
            assert {p.launch.name: p.run.pid for p in kernel.places.values()} == pids

            without = "\n".join(row for row in text.splitlines() if "  two:" not in row)
            await plant.apply(without)
            assert "two" not in {place.launch.name for place in kernel.places.values()}
            assert not alive(pids["two"])
            assert alive(pids["one"])
            assert first.sessions == 1

            deployment = plant.read(without)
            plant.artefacts = {"box": "one plugin"}
            changed = plant.plan(deployment, {"box": "another plugin"})
            assert steps(changed) == {"one": "restart"}
            await plant.reconcile(deployment, changed)
            assert len(first.pids) == 2
            assert first.pids[1] != pids["one"]
            assert not alive(pids["one"])


async def test_a_program_elsewhere_lives_on_and_leaves_its_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(3) as (first, second, third):
        text = REMOTE.format(first.port, second.port)
        async with line(tmp_path, text, monkeypatch, placement="remote") as plant:
            kernel = plant.kernel
            await until(lambda: value(kernel, "one/number") and value(kernel, "two/number"))

            moved = REMOTE.format(third.port, second.port)
            planned = await plant.apply(moved)

            assert steps(planned) == {"one": "restart"}
            assert (first.open, third.open, second.sessions) == (0, 1, 1)
            assert third.pids == first.pids, "the same program"
            await plant.apply("\n".join(row for row in moved.splitlines() if "  one:" not in row))
            assert third.open == 0
            assert [place.launch.place for place in kernel.places.values()][:1] == ["two"]
            refused = "no remote place 'one'"
            await until(lambda: any(refused in one for one in kernel.host.arrivals.refusals()))
