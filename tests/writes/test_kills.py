"""R18: whenever the kernel or the plugin is killed, a command has its effect at most once, nothing is done that the
audit log did not say before, and what nobody knows is called UNKNOWN."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.counts import count
from tests.runtime.plant import until
from tests.writes.rig import ENGINEER, TEXT, heard, shop

from bedplate.command import State, Wish
from bedplate.runtime.lifecycle import FaultCount

STEPS = 14  # of one command, from its first record to its end
AFTER = 3  # commands that each life asks for anew
ROOT = Path(__file__).parents[2]


@pytest.fixture
def lives() -> Iterator[Any]:
    """Runs jobs of killed.py."""
    command = [sys.executable, "-m", "tests.writes.killed"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdin
    assert process.stdout

    def live(**job: Any) -> None:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "{}\n"

    yield live
    process.stdin.close()
    process.wait(10)
    process.stdout.close()


def deaths(number: int) -> Iterator[dict[str, float]]:
    """Every step of the first command, then moments and steps at random."""
    chance = random.Random(18)
    for turn in range(number):
        if turn < STEPS:
            yield {"step": turn + 1}
        elif chance.random() < 0.5:
            yield {"step": chance.randint(1, AFTER * STEPS)}
        else:
            yield {"after": chance.random() * 0.4}


@pytest.mark.counted
@pytest.mark.case("A68")
def test_a_kernel_that_is_killed_while_commands_run_sends_nothing_twice(
    tmp_path: Path, lives: Any
) -> None:
    asked: dict[str, float] = {}
    before: list[str] = []
    for turn, death in enumerate(deaths(count(18, 240))):
        fresh = [f"c{turn}-{n}" for n in range(AFTER)]
        asked |= {id_: 60 + len(asked) / 1000 + n / 1000 for n, id_ in enumerate(fresh)}
        ids = [[id_, asked[id_]] for id_ in [*before, *fresh]]
        lives(folder=str(tmp_path), die=death, ids=ids)
        before = fresh  # whoever got no answer asks again
    lives(folder=str(tmp_path), die={}, ids=[[id_, asked[id_]] for id_ in before])

    lines = [line.split() for line in (tmp_path / "effects").read_text().splitlines()]
    effects = Counter(float(value) for _, value, _ in lines)
    states: dict[str, str] = {}
    for line in (tmp_path / "answers").read_text().splitlines():
        id_, state, text = json.loads(line)
        assert states.get(id_, state) == state, f"{id_} was {states[id_]}, now {state}: {text}"
        states[id_] = state
    assert {said for *_, said in lines} == {"said"}, "the audit log was silent before an effect"
    assert max(effects.values()) == 1, "an effect came twice"
    wrong = {
        id_: (state, effects[asked[id_]])
        for id_, state in states.items()
        if effects[asked[id_]] not in ALLOWED[state]
    }
    assert wrong == {}
    assert Counter(states.values())["VERIFIED"] > len(states) / 4, "commands ran at all"
    assert "UNKNOWN" in states.values(), "some were cut off on the way"


ALLOWED = {"VERIFIED": {1}, "UNKNOWN": {0, 1}, "REJECTED": {0}, "EXPIRED": {0}, "CANCELLED": {0}}


@pytest.mark.counted
async def test_a_plugin_that_is_killed_while_commands_run_leaves_no_command_in_doubt_unsaid(
    tmp_path: Path,
) -> None:
    chance = random.Random(81)
    states: dict[float, State] = {}
    killed: list[asyncio.Future[str]] = []
    text = TEXT.replace("step: 50", "step: 50, rate: 600/min")
    async with shop(tmp_path, placement="process", text=text) as press:
        supervisor = press.kernel.components["press"]
        supervisor._again._first = supervisor._again._last = 0.02
        plant, [place] = press.guard._world.plant, press.kernel.places.values()
        send = plant.send

        async def send_and_kill(*arguments: Any) -> Any:
            assert place.run
            assert place.run.attachment
            killed.append(place.run.attachment.gone)
            later = asyncio.get_running_loop().call_later
            after = (
                chance.random() * 0.02 if len(killed) % 2 else 0.0
            )  # every other before it arrives
            later(after, os.kill, place.run.pid, signal.SIGKILL)
            return await send(*arguments)

        plant.send = send_and_kill
        for turn in range(count(4, 240)):
            supervisor._faults = FaultCount(supervisor.spine.clock.monotonic)
            await until(lambda: heard(press.kernel))
            sent = len(killed)
            while len(killed) == sent:  # what it is now may not be known yet
                await asyncio.sleep(0.05)
                value = 60 + len(states) / 1000
                wish = Wish(f"c{turn}-{len(states)}", "acme/press/speed", value)
                states[value] = (await press.guard.submit(wish, ENGINEER)).state
            await until(killed[-1].done)

    effects = Counter(float(line.split()[1]) for line in press.effects)
    assert max(effects.values()) == 1
    assert State.UNKNOWN in states.values()
    assert {
        value: state for value, state in states.items() if effects[value] not in ALLOWED[state.name]
    } == {}
