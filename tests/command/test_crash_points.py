"""The kernel dies between any two steps of a command, and again while it starts: at most one effect, and never one that
the audit log did not hold before.

A death is simulated: from one step on nothing of the old guard happens any more, and a new one gets what is on disk.
Real kills of real processes are made elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.command.rig import EMMA, ERIK, OLGA, Bench

from bedplate.command import Guard, State, Wish

STEPS = 60  # more than there are


class Killed(BaseException):
    """Nothing catches it."""


class Death:
    """Comes at a step: before or after each call of what a command works with."""

    def __init__(self, at: int) -> None:
        self._at = at
        self.steps = 0
        self.came = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def step(self) -> None:
        if self.came.is_set():
            raise Killed
        self.steps += 1
        if self.steps > self._at:
            self._loop.call_soon_threadsafe(self.came.set)
            raise Killed

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        async def wrapped(*arguments: Any) -> Any:
            self.step()
            result = await call(*arguments)
            self.step()
            return result

        return wrapped

    def around_thread(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any) -> Any:
            self.step()
            result = call(*arguments)
            self.step()
            return result

        return wrapped


class Mortal:
    """A bench whose guard can be killed."""

    def __init__(self, file: Path) -> None:
        self.bench = Bench(file)
        self.bench.press.limit(rate=None)
        self._calls = (self.bench.permit.check, self.bench.audit.write, self.bench.press.read_back)
        self._old: list[Guard] = []

    async def live(self, at: int, work: Callable[[Guard], Any]) -> Death:
        """A guard that opens and works until it is killed or has ended."""
        death, bench = Death(at), self.bench
        check, write, read_back = self._calls
        bench.permit.check = death.around(check)  # type: ignore[method-assign]
        bench.audit.write = death.around(write)  # type: ignore[method-assign]
        bench.press.read_back = death.around(read_back)  # type: ignore[method-assign]

        async def step() -> None:
            death.step()

        bench.press.before_send = bench.press.after_send = step
        guard = bench.another_guard()
        store = guard._book._store
        store.write = death.around_thread(store.write)  # type: ignore[method-assign]
        store.find = death.around_thread(store.find)  # type: ignore[method-assign]
        task = asyncio.ensure_future(self._life(guard, work))
        came = asyncio.ensure_future(death.came.wait())
        await asyncio.wait([task, came], return_when=asyncio.FIRST_COMPLETED)
        died = death.came.is_set()
        if (writing := guard._book._writing) and writing.done() and not writing.cancelled():
            writing.exception()
        death.came.set()
        for one in (task, came):
            one.cancel()
            with contextlib.suppress(Killed, asyncio.CancelledError):
                await one
        guard._book._closed = True
        guard._book._thread.shutdown()
        store.close()
        for one in asyncio.all_tasks() - {asyncio.current_task()}:  # type: ignore[assignment]
            one.cancel()
            with contextlib.suppress(Killed, asyncio.CancelledError):
                await one
        death.steps = death.steps if died else 0
        return death

    async def _life(self, guard: Guard, work: Callable[[Guard], Any]) -> None:
        await guard.open()
        await work(guard)


async def alone(bench: Bench, wish: Wish, guard: Guard) -> Any:
    return await guard.submit(wish, OLGA)


async def by_two(bench: Bench, wish: Wish, guard: Guard) -> Any:
    command = await guard.submit(wish, ERIK)
    if command.state is State.AWAIT_APPROVAL:
        return await guard.approve(command.command_id, command.intent, EMMA)
    return command


FLOWS = {"alone": alone, "by two": by_two}


def judged(bench: Bench) -> None:
    """What must hold whenever and however often the kernel died."""
    assert len(bench.effects) <= 1
    happened = bench.happened
    if "effect" in happened:
        assert "command.intent" in happened[: happened.index("effect")]


@pytest.mark.case("A68")
@pytest.mark.parametrize("flow", FLOWS)
async def test_death_between_any_two_steps_is_one_effect_at_most(tmp_path: Path, flow: str) -> None:
    points = 0
    for at in range(STEPS):
        mortal = Mortal(tmp_path / str(at) / "commands.sqlite")
        bench, wish, ended = mortal.bench, mortal.bench.wish(), []

        async def work(
            guard: Guard, bench: Bench = bench, wish: Wish = wish, ended: list[Any] = ended
        ) -> None:
            ended.append(await FLOWS[flow](bench, wish, guard))

        death = await mortal.live(at, work)
        judged(bench)
        before = len(bench.effects)
        # Once more, dying while it starts; then a life without an accident.
        await mortal.live(at % 4, work)
        assert len(bench.effects) == before or not before
        judged(bench)
        await mortal.live(STEPS, work)
        judged(bench)
        bench_ended = ended[-1].state
        assert bench_ended.ended, bench_ended
        if not bench.effects:
            assert bench_ended in (State.REJECTED, State.EXPIRED, State.UNKNOWN)
        elif before and len(ended) == 1:
            assert bench_ended in (State.UNKNOWN, State.VERIFIED)
        if bench.effects:  # whatever was done has an end in the audit log
            assert {"command.verified", "command.unknown"} & set(bench.audit.actions())
        if not death.steps:
            break
        points += 1
    assert points >= 16, "there are fewer steps than there were"
    assert points < STEPS


async def test_what_was_sent_when_the_kernel_died_is_unknown_and_is_told(tmp_path: Path) -> None:
    for at in range(STEPS):
        mortal = Mortal(tmp_path / str(at) / "commands.sqlite")
        bench, wish = mortal.bench, mortal.bench.wish()
        await mortal.live(at, lambda guard, wish=wish: guard.submit(wish, OLGA))  # type: ignore[misc]
        if bench.effects:
            break
    bench.audit.entries.clear()
    await mortal.live(STEPS, lambda guard: guard.submit(wish, OLGA))
    (entry,) = bench.audit.entries
    assert (entry.action, entry.correlation, entry.who) == (
        "command.unknown",
        wish.command_id,
        "olga",
    )
    (command,) = bench.alarms
    assert command.state is State.UNKNOWN
    assert command.text == "the kernel ended before it knew whether the device took it"
    assert len(bench.effects) == 1
