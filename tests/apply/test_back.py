"""The way back: what fails, is cancelled or cut off leaves what ran before, with nothing lost for readers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.apply.line import OFFERS, Line, line, machines, steps
from tests.apply.test_steps import TWO
from tests.runtime.plant import plant, state, until, value

from bedplate.errors import JournalError, ReconcileError
from bedplate.planning.plan import Plan


def without(text: str, *ids: str) -> str:
    return "\n".join(row for row in text.splitlines() if row.strip().partition(":")[0] not in ids)


def no_holes(numbers: list[int]) -> bool:
    assert numbers == list(range(1, len(numbers) + 1)), numbers
    return True


async def test_a_reader_that_was_removed_and_comes_back_has_lost_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(3) as (first, second, gone):
        gone.away = True
        text = TWO.format(first.port, second.port)
        async with line(tmp_path, text, monkeypatch) as plant:
            await until(lambda: len(plant.series("one/sum/count")) > 3)

            broken = without(TWO.format(first.port, gone.port), "log", "sum", "analytics")
            with pytest.raises(ReconcileError, match="two is unreachable"):
                await plant.apply(broken, health=0.5)

            assert [*plant.kernel.components] == ["one", "two", "log", "sum"]
            count = len(plant.series("one/number"))
            await until(lambda: len(plant.series("one/number")) > count + 3)
            assert no_holes(plant.series("one/number"))
            assert no_holes(plant.series("one/sum/count"))
            assert first.sessions == 1


async def test_a_reader_that_is_gone_for_good_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(2) as (first, second):
        text = TWO.format(first.port, second.port)
        async with line(tmp_path, text, monkeypatch) as plant:
            engine = plant.kernel.engine
            await until(lambda: len(plant.series("one/sum/count")) > 3)

            planned = await plant.apply(without(text, "log", "sum", "analytics"))

            assert steps(planned) == {"log": "remove", "sum": "remove"}
            assert await engine.cursor("log") == (0, {})
            assert await engine.cursor("sum") == (0, {})
            assert not [*plant.kernel._cursors()], "nobody holds back the journal"
            assert plant.kernel.spine.registry.table.newest("one/sum/count") is None
            await plant.apply(text)
            await until(lambda: plant.series("one/sum/count").count(1) >= 2)


async def test_whoever_cancels_gets_what_ran_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(3) as (first, second, gone):
        gone.away = True
        text = TWO.format(first.port, second.port)
        async with line(tmp_path, text, monkeypatch) as plant:
            running = plant.kernel.deployment
            await until(lambda: value(plant.kernel, "two/number"))
            applying = asyncio.create_task(plant.apply(TWO.format(first.port, gone.port)))
            await until(lambda: state(plant.kernel, "two") == "unreachable")
            with pytest.raises(ReconcileError, match="another change is under way"):
                await plant.apply(text + "\n")

            applying.cancel()
            with pytest.raises(asyncio.CancelledError):
                await applying

            assert plant.kernel.deployment is running
            assert state(plant.kernel, "two") == "up"
            assert (first.sessions, second.sessions) == (1, 2)


async def test_what_can_not_be_kept_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(3) as (first, second, third):
        text = TWO.format(first.port, second.port)
        async with line(tmp_path, text, monkeypatch) as plant:
            await until(lambda: value(plant.kernel, "two/number"))

            async def keep() -> None:
                raise JournalError("the disk is full")

            with pytest.raises(ReconcileError, match="the disk is full"):
                await plant.apply(TWO.format(first.port, third.port), keep=keep)

            assert (second.sessions, third.open) == (2, 0)
            assert plant.kernel.deployment.component("two").settings["port"] == second.port


async def test_a_kernel_that_stops_in_the_middle_does_not_wait_and_goes_on_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(3) as (first, second, gone):
        gone.away = True
        text = TWO.format(first.port, second.port)
        async with line(tmp_path, text, monkeypatch) as running:
            await until(lambda: len(running.series("one/sum/count")) > 3)
            broken = without(TWO.format(first.port, gone.port), "log", "sum", "analytics")
            applying = asyncio.create_task(running.apply(broken, health=60))
            await until(lambda: state(running.kernel, "two") == "unreachable")
            async with asyncio.timeout(5):
                await running.kernel.stop()
            with pytest.raises(ReconcileError, match="the kernel stops"):
                await applying

        async with plant(tmp_path, text, offers=OFFERS) as kernel:
            again = Line(kernel, tmp_path, {})
            count = len(again.series("one/number"))
            await until(lambda: len(again.series("one/number")) > count + 3)
            assert no_holes(again.series("one/sum/count"))


async def test_a_plan_for_something_else_touches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(2) as (first, second):
        text = TWO.format(first.port, second.port)
        async with line(tmp_path, text, monkeypatch) as plant:
            fewer = plant.read(without(text, "two"))
            await until(lambda: value(plant.kernel, "two/number"))

            with pytest.raises(ReconcileError, match="plan again"):
                await plant.reconcile(fewer, Plan())

            assert (first.sessions, second.sessions) == (1, 1)


async def test_refused_settings_are_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(2) as (first, second):
        text = TWO.format(first.port, second.port)
        async with line(tmp_path, text, monkeypatch) as plant:
            await until(lambda: value(plant.kernel, "two/number"))
            refused = text.replace("  log:", '    override: {two: {word: "no"}}\n  log:')

            async with asyncio.timeout(10):
                with pytest.raises(ReconcileError, match="two is invalid, was up before: /word"):
                    await plant.apply(refused, health=60)

            await until(lambda: state(plant.kernel, "two") == "up")


async def test_what_was_away_before_may_stay_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(3) as (first, gone, further):
        gone.away = further.away = True
        text = TWO.format(first.port, gone.port)
        async with line(tmp_path, text, monkeypatch) as plant:
            await until(lambda: state(plant.kernel, "two") == "unreachable")

            planned = await plant.apply(TWO.format(first.port, further.port), health=5)

            assert steps(planned) == {"two": "restart"}
            assert state(plant.kernel, "two") == "unreachable"


async def test_a_new_machine_with_a_wrong_address_undoes_the_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(3) as (first, second, third):
        text = TWO.format(first.port, second.port)
        more = text.replace(
            "  log:",
            f"""  three:
    use: box
    placement: inline
    port: {third.port}
    tags: {{number: {{address: n}}, other: {{address: none}}}}
  log:""",
        )
        async with line(tmp_path, text, monkeypatch) as plant:
            await until(lambda: value(plant.kernel, "one/number"))

            words = "three is degraded: some tags are Bad; other: no such register"
            with pytest.raises(ReconcileError, match=words):
                await plant.apply(more, health=0.5)

            assert [*plant.kernel.components] == ["one", "two", "log", "sum"]
            assert third.open == 0
            assert "three/number" not in plant.kernel.spine.registry.owner
            assert await plant.kernel.engine.cursor("three") == (0, {})
