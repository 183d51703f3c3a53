"""Units behind one host share a connection and take turns; devices on different hosts do not wait for each other."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import AsyncExitStack, suppress

import pytest
from plugins.modbus.tests.driving import Peer, bad, built, by_name, good, opened, values
from plugins.modbus.tests.raw import Asked, device, honest, register

from bedplate import Bad
from bedplate.model import quality

TEN = {str(i): {"address": i} for i in range(10)}


async def test_components_of_one_host_share_one_connection(libmodbus: Peer) -> None:
    async with AsyncExitStack() as stack:
        units = [
            await stack.enter_async_context(opened(libmodbus.port, TEN, unit_id=u))
            for u in (1, 2, 3)
        ]
        for _ in range(20):
            found = await asyncio.gather(*map(values, units))
            assert found == [{str(i): 1000 * u + i for i in range(10)} for u in (1, 2, 3)]
        assert len(libmodbus.heard("connection")) == 1


async def test_a_connection_lives_as_long_as_somebody_uses_it(libmodbus: Peer) -> None:
    async with opened(libmodbus.port, TEN, unit_id=1) as first:
        async with opened(libmodbus.port, TEN, unit_id=2):
            pass
        await values(first)
    async with opened(libmodbus.port, TEN):
        pass
    assert len(libmodbus.heard("connection")) == 2


async def test_other_connection_settings_mean_another_connection(libmodbus: Peer) -> None:
    async with (
        opened(libmodbus.port, TEN),
        opened(libmodbus.port, TEN, time_between_requests="1ms") as other,
    ):
        await values(other)
        assert len(libmodbus.heard("connection")) == 2


async def test_requests_on_a_shared_connection_take_turns() -> None:
    under_way = most = 0

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        async def later() -> None:
            nonlocal under_way
            await asyncio.sleep(0.002)
            under_way -= 1
            writer.write(asked.values())

        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        tasks.append(asyncio.create_task(later()))

    tasks: list[asyncio.Task[None]] = []
    async with device(answer) as gateway, AsyncExitStack() as stack:
        units = [
            await stack.enter_async_context(opened(gateway.port, TEN, unit_id=u)) for u in range(8)
        ]
        for _ in range(5):
            found = await asyncio.gather(*map(values, units))
            assert found == [{str(i): register(u, i) for i in range(10)} for u in range(8)]
    assert (most, gateway.connections) == (1, 1)


async def test_devices_are_read_side_by_side() -> None:
    async def slow(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(asked.values())

    async with AsyncExitStack() as stack:
        devices = [await stack.enter_async_context(device(slow)) for _ in range(10)]
        opening = [built(d.port, TEN) for d in devices]
        began = time.monotonic()
        await asyncio.gather(*(modbus.open() for modbus in opening))
        await asyncio.gather(*map(values, opening))
        assert time.monotonic() - began < 1.0  # 2 s one after the other
        for modbus in opening:
            await modbus.close()


async def test_a_silent_unit_is_unreachable_and_its_neighbours_go_on(libmodbus: Peer) -> None:
    async def keep_trying() -> int:
        """What the kernel does with unit 9, here without any pause."""
        tries = 0
        while True:
            tries += 1
            with suppress(TimeoutError):
                await built(libmodbus.port, TEN, unit_id=9).open()
                raise AssertionError
            counts.append(tries)
            await asyncio.sleep(0.02)

    counts: list[int] = []
    async with (
        opened(libmodbus.port, TEN, unit_id=1) as one,
        opened(libmodbus.port, TEN, unit_id=2) as two,
    ):
        trying = asyncio.create_task(keep_trying())
        longest, began = 0.0, time.monotonic()
        while time.monotonic() - began < 3.0:
            start = time.monotonic()
            found = await asyncio.gather(values(one), values(two))
            longest = max(longest, time.monotonic() - start)
            assert found == [{str(i): 1000 * u + i for i in range(10)} for u in (1, 2)]
            await asyncio.sleep(0.01)
        trying.cancel()
    assert counts[-1] > 20  # tries, of which three went out: at once, after 1 s, after 2 s more
    assert longest < 0.3 + 0.3  # the request time-out that a neighbour's silence may cost
    assert len(libmodbus.heard("connection")) == 1


async def test_a_silent_unit_is_asked_again_after_a_growing_pause() -> None:
    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.unit != 9:
            await honest(asked, writer)

    async with device(answer) as gateway, opened(gateway.port, TEN, unit_id=1):
        words: set[str] = set()
        began = time.monotonic()
        while time.monotonic() - began < 3.0:
            with pytest.raises(TimeoutError) as error:
                await built(gateway.port, TEN, unit_id=9, request_timeout="300ms").open()
            words.add(str(error.value).split(" is silent")[0])
            await asyncio.sleep(0.02)
        times = [asked.at for asked in gateway.asked if asked.unit == 9]
    assert [round(b - a, 1) for a, b in itertools.pairwise(times)] == pytest.approx(
        [1.3, 2.3][: len(times) - 1], abs=0.3
    )
    assert f"unit 9 at 127.0.0.1:{gateway.port} did not answer within 0.3 s" in words


async def test_a_gateway_that_reports_a_dead_unit_is_believed(libmodbus: Peer) -> None:
    async with opened(libmodbus.port, TEN, unit_id=1) as one:
        with pytest.raises(TimeoutError, match=r"unit 10 .* is unreachable: gateway got no answer"):
            await built(libmodbus.port, TEN, unit_id=10).open()
        assert (await values(one))["3"] == 1003
    assert len(libmodbus.heard("connection")) == 1


async def test_in_a_component_of_several_units_only_the_silent_ones_are_bad(
    libmodbus: Peer,
) -> None:
    described = {str(u): {"address": 5, "unit_id": u} for u in (9, 1, 10, 2)}
    async with opened(libmodbus.port, described) as modbus:
        for _ in range(3):
            answer = await modbus.read(modbus.tags)
            found = by_name(modbus, answer)
            assert good(found) == {"1": 1005, "2": 2005}
            assert set(bad(found)) == {"9", "10"}
            assert {v.code for v in answer if isinstance(v, Bad)} == {quality.BAD_NO_COMMUNICATION}
        only_silent = [modbus.tags[0]]
        assert set(bad(by_name(modbus, await modbus.read(only_silent), only_silent))) == {"9"}


async def test_when_all_units_of_a_component_are_silent_the_connection_is_lost() -> None:
    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if talking:
            await honest(asked, writer)

    talking = True
    described = {str(u): {"address": 5, "unit_id": u} for u in range(1, 6)}
    async with device(answer) as gateway:
        async with opened(gateway.port, described, request_timeout="100ms") as modbus:
            assert not bad(await values(modbus))
            talking = False
            began = time.monotonic()
            assert len(bad(await values(modbus))) == 5  # two were waited for, three not asked
            assert time.monotonic() - began < 0.45
            talks = True
            while talks:
                try:
                    await values(modbus)
                except TimeoutError:
                    talks = False
        with pytest.raises(TimeoutError, match="unit 5"):
            await built(gateway.port, described, request_timeout="100ms").open()


async def test_a_cancelled_read_never_lends_its_answer_to_the_next() -> None:
    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.address == 10:
            await asyncio.sleep(0.05)
        writer.write(asked.values())

    described = {"first": {"address": 10, "unit_id": 4}, "next": {"address": 90, "unit_id": 4}}
    async with device(answer) as slow, opened(slow.port, {"next": described["next"]}) as neighbour:
        for wait in (0.0, 0.01, 0.03, 0.049, 0.05, 0.051):
            async with opened(slow.port, described) as modbus:
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await modbus.read(modbus.tags[:1])
                assert await values(neighbour) == {"next": register(4, 90)}
        assert slow.connections == 1


async def test_pauses_that_a_device_needs_are_kept() -> None:
    async with device(honest) as slow:
        began = asyncio.get_running_loop().time()
        pauses = {"pause_after_connect": "150ms", "time_between_requests": "60ms"}
        described = {str(u): {"address": 1, "unit_id": u} for u in range(4)}
        async with opened(slow.port, described, **pauses) as modbus:
            await values(modbus)
        times = [asked.at for asked in slow.asked]
    assert times[0] - began >= 0.15
    assert all(b - a >= 0.06 for a, b in itertools.pairwise(times))
