"""Processes that end, freeze, grow, multiply, print or hang: noticed, ended with all they started, started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.faults.rogues import beside, lines, offers, told
from tests.runtime.plant import plant, until, value

from bedplate.model import AlarmState
from bedplate.runtime import warden
from bedplate.runtime.census import Census
from bedplate.runtime.output import LINE_BYTES, LINES, Output, legible

HOW = {
    "exits": "process of rogue ended with exit code 0",
    "kills itself": "process of rogue was killed by SIGKILL",
    "stops": "did not answer 3 pings",
    "does not answer pings": "did not answer 3 pings",
    "blocks its loop": "did not answer 3 pings",
    "raises": "process of rogue ended with exit code 1: RuntimeError: a bug of the author",
    "leaks": "MiB of memory; it may have 200",
    "starts too many processes": "processes; it may have 64",
}


async def test_whatever_a_process_does_is_noticed_told_and_ended_with_all_that_it_started(
    tmp_path: Path,
) -> None:
    ids = {f"r{n}": how for n, how in enumerate(HOW)}
    storm = f"r{list(HOW).index('starts too many processes')}"
    async with plant(tmp_path, beside(ids), offers=offers()) as kernel:
        mark = kernel.census.mark
        await until(lambda: value(kernel, "good/number"))
        for id, how in ids.items():
            await until(lambda id=id, how=how: HOW[how] in told(kernel, id), within=40)
        seen = value(kernel, "good/number")
        await until(lambda: value(kernel, "good/number") > seen)
        await until(lambda: kernel.components[storm].place.restarts)

        assert kernel.components["good"].place.restarts == 0
    assert not list(warden.marked(mark))


@pytest.mark.case("A51")
async def test_output_without_end_is_drained_shortened_and_escaped(tmp_path: Path) -> None:
    async with plant(tmp_path, beside({"r": "prints without end"}), offers=offers()) as kernel:
        place = kernel.components["r"].place
        await until(lambda: kernel.components["r"].role.figures.produced, within=40)
        printed = place.run._printed

        assert place.restarts == 0
        assert printed.left_out > 40_000_000
        assert all(line.isprintable() and len(line) <= LINE_BYTES * 4 for line in printed.lines)
        assert any("bytes of output left out" in line for line in printed.lines)


@given(st.lists(st.tuples(st.binary(max_size=5000), st.floats(0, 2)), max_size=20))
@pytest.mark.case("A51")
def test_any_bytes_become_a_few_printable_lines(chunks: list[tuple[bytes, float]]) -> None:
    now = 0.0
    output = Output(lambda: now)
    for chunk, pause in chunks:
        now += pause
        output.feed(chunk * 50)
    output.end()

    assert len(output.lines) <= LINES
    assert all(line.isprintable() for line in output.lines)
    assert all(len(line) <= LINE_BYTES * 10 + 1 for line in output.lines)


@pytest.mark.case("A51")
def test_a_gigabyte_of_output_costs_next_to_no_memory() -> None:
    output = Output(lambda: 0.0)
    chunk = b"x" * 1000 + b"\n"
    for _ in range(4000):
        output.feed(chunk * 262)

    assert output.left_out > 1_000_000_000
    assert sum(map(len, output.lines)) < 1 << 20


@pytest.mark.case("A51")
def test_text_of_a_plugin_moves_no_cursor() -> None:
    assert legible("\x1b[2Jgone\r\n") == "\\x1b[2Jgone\\x0d\\x0a"
    assert legible(b"\xff\xfe" + b"a" * 10, 4) == "\ufffd\ufffdaa…"


KILLED = """
import asyncio
from pathlib import Path
from tests.faults.rogues import beside, offers
from tests.runtime.plant import plant, until, value

async def main():
    text = beside({"r": "starts a few processes", "b": "blocks its loop"})
    async with plant(Path(FOLDER), text, offers=offers()) as kernel:
        await until(lambda: value(kernel, "good/number"))
        await until(lambda: kernel.components["r"].role.figures.produced)
        print(kernel.census.mark, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_killed_kernel_leaves_nobody_not_even_children_in_sessions_of_their_own(
    tmp_path: Path,
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED.replace("FOLDER", repr(str(tmp_path))),
        stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert process.stdout
    try:
        mark = (await asyncio.wait_for(process.stdout.readline(), 40)).decode().strip()
        before = len(list(warden.marked(mark)))
    finally:
        process.kill()
        await process.wait()

    assert before >= 3 + 6  # three plugins, and the six that one of them started
    await until(lambda: not list(warden.marked(mark)))


async def test_the_census_counts_children_and_memory_and_knows_nobody_elses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bedplate.runtime.census.EVERY", 0.0)
    census = Census()
    mark = census.new_mark()
    script = "import subprocess, sys\nx = bytearray(60 << 20)\n"
    script += (
        "p = [subprocess.Popen(['sleep', '60'], start_new_session=bool(n)) for n in range(2)]\n"
    )
    script += "print('up', flush=True)\nsys.stdin.read()\n"
    environment = os.environ | {warden.VARIABLE: mark}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdin=asyncio.subprocess.PIPE, env=environment,
        stdout=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout
        await asyncio.wait_for(process.stdout.readline(), 20)
        async with asyncio.timeout(20):
            while (taken := await census.taken(process.pid, mark)).processes != 3:
                await asyncio.sleep(0.05)

        assert taken.processes == 3
        assert taken.memory > 60 << 20
        assert census.proportional(taken) > 60 << 20
        assert (await census.taken(1 << 30, census.new_mark())).processes == 0
    finally:
        warden.sweep(mark, 1.0, 0.02)
        await process.wait()


@pytest.mark.case("A54")
async def test_a_stop_ends_in_time_though_every_plugin_hangs(tmp_path: Path) -> None:
    ids = {"o": "hangs in open", "c": "hangs in close", "b": "blocks its loop"}
    text = beside(ids) + "  " + lines({"s": "hangs in close"}, "rogue-sink")[0] + "\n"
    loop = asyncio.get_running_loop()
    async with plant(tmp_path, text, offers=offers()) as kernel:
        await until(lambda: value(kernel, "good/number"))
        await until(lambda: value(kernel, "c/n"))
        began = loop.time()
        await kernel.stop()

        print(f"stopped after {loop.time() - began:.1f} s")
    assert loop.time() - began < 20  # 10 on an idle machine
    assert not list(warden.marked(kernel.census.mark))


async def test_a_faulted_component_raises_an_alarm_that_is_over_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.runtime.lifecycle.FAULTS", 1)
    monkeypatch.setattr("bedplate.runtime.lifecycle.HALF_OPEN", 0.5)
    monkeypatch.setattr("bedplate.runtime.lifecycle.PROVED", 0.3)
    text = "connectors: {box: {use: counter, folder: FOLDER, tags: {number: {address: a}}}}"
    (tmp_path / "wrong").touch()
    async with plant(tmp_path, text) as kernel:
        book = kernel.spine.alarms
        await until(lambda: states(book.standing()) == [AlarmState.UNACKNOWLEDGED])
        (alarm,) = book.standing()
        await until(lambda: told(kernel, "box").count("retry") > 1)

        assert alarm.source == "box/faulted"
        assert "ZeroDivisionError" in alarm.text
        assert len(book.standing()) == 1  # tried again half open, it is still the same alarm
        assert states(book.standing()) == [AlarmState.UNACKNOWLEDGED]
        kernel.acknowledge("box/faulted", "somebody", "I know")
        assert states(book.standing()) == [AlarmState.ACKNOWLEDGED]
        (tmp_path / "wrong").unlink()
        await until(lambda: not book.standing())
        assert kernel.spine.alarms.get("box/faulted").alarm.state is AlarmState.NORMAL


async def test_an_alarm_of_a_component_that_the_deployment_lost_ends_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.runtime.lifecycle.FAULTS", 0)
    text = "connectors: {box: {use: counter, folder: FOLDER, tags: {number: {address: a}}}}"
    (tmp_path / "wrong").touch()
    async with plant(tmp_path, text) as kernel:
        await until(kernel.spine.alarms.standing)
    async with plant(tmp_path, text) as kernel:  # it stands till the component has proved itself
        assert states(kernel.spine.alarms.standing()) == [AlarmState.UNACKNOWLEDGED]
    async with plant(tmp_path, text.replace("box", "other")) as kernel:
        assert "box/faulted" not in [e.source for e in kernel.spine.alarms.standing()]


def states(events: Iterable[Any]) -> list[AlarmState]:
    return [event.alarm.state for event in events]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_many_components_of_one_process_are_one_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    monkeypatch.setattr("bedplate.runtime.lifecycle.FAULTS", 0)
    monkeypatch.setattr("bedplate.runtime.lifecycle.PROVED", 0.3)
    boxes = ", ".join(f"b{n}: {{use: counter, tags: {{n: {{address: a}}}}}}" for n in range(5))
    async with plant(tmp_path, f"connectors: {{{boxes}}}") as kernel:
        await until(lambda: all(value(kernel, f"b{n}/n") for n in range(5)))
        with contextlib.suppress(ProcessLookupError):
            os.kill(kernel.components["b0"].place.run.pid, how)
        await until(
            lambda: all(str(s.life.state) == "faulted" for s in kernel.components.values()),
            within=30,
        )

        assert [event.source for event in kernel.spine.alarms.standing()] == [
            "process/rigs/faulted"
        ]
