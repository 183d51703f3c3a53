"""A device that answers nonsense: never a value for the wrong tag, no hang, bounded memory."""

from __future__ import annotations

import asyncio
import gc
import random
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import pytest
from plugins.modbus.tests.driving import bad, built, good, opened, values
from plugins.modbus.tests.raw import Asked, device, register

from bedplate_modbus import Modbus

FRAMES = 2000
SIDE_BY_SIDE = 8
ADDRESSES = [0, 1, 2, 9, 25, 300, 301]
DESCRIBED = {
    f"{unit}/{address}": {"address": address, "unit_id": unit}
    for unit in (1, 2)
    for address in ADDRESSES
}

Mutation = Callable[[Asked, random.Random], bytes]


def _patched(frame: bytes, place: int, new: bytes) -> bytes:
    return frame[:place] + new + frame[place + len(new) :]


def _other(value: int, rng: random.Random, size: int) -> bytes:
    return ((value + rng.randrange(1, 256**size)) % 256**size).to_bytes(size)


def wrong_transaction(a: Asked, rng: random.Random) -> bytes:
    return _patched(a.values(), 0, _other(a.transaction, rng, 2))


def previous_transaction(a: Asked, rng: random.Random) -> bytes:
    stale = Asked(a.transaction - 1, a.unit, a.function, a.address + 1, a.count, 0)
    return stale.values() + (a.values() if rng.random() < 0.5 else b"")


def no_transaction(a: Asked, rng: random.Random) -> bytes:
    return Asked(0, a.unit, a.function, a.address + 1, a.count, 0).values()


def wrong_unit(a: Asked, rng: random.Random) -> bytes:
    return _patched(a.values(), 6, _other(a.unit, rng, 1))


def wrong_protocol(a: Asked, rng: random.Random) -> bytes:
    return _patched(a.values(), 2, _other(0, rng, 2))


def wrong_length(a: Asked, rng: random.Random) -> bytes:
    frame = a.values()
    return _patched(frame, 4, _other(len(frame) - 6, rng, 2))


def length_off_by_a_little(a: Asked, rng: random.Random) -> bytes:
    frame = a.values()
    return _patched(
        frame, 4, max(0, len(frame) - 6 + rng.choice([-4, -2, -1, 1, 2, 4])).to_bytes(2)
    )


def wrong_byte_count(a: Asked, rng: random.Random) -> bytes:
    return _patched(a.values(), 8, _other(2 * a.count % 256, rng, 1))


def other_number_of_registers(a: Asked, rng: random.Random) -> bytes:
    count = rng.choice([n for n in (0, 1, a.count - 1, a.count + 1, 125) if n not in (-1, a.count)])
    return Asked(a.transaction, a.unit, a.function, a.address, count, 0).values()


def wrong_function(a: Asked, rng: random.Random) -> bytes:
    return _patched(a.values(), 7, _other(a.function, rng, 1))


def truncated(a: Asked, rng: random.Random) -> bytes:
    frame = a.values()
    return frame[: rng.randrange(len(frame))]


def exception(a: Asked, rng: random.Random) -> bytes:
    return a.refusal(rng.randrange(256))


def exception_without_code(a: Asked, rng: random.Random) -> bytes:
    return a.frame(bytes([a.function | 0x80]))


def exception_of_another_function(a: Asked, rng: random.Random) -> bytes:
    return a.frame(bytes([0x80 | rng.randrange(128), 2]))


def oversize(a: Asked, rng: random.Random) -> bytes:
    return a.values() + rng.randbytes(rng.choice([1, 7, 100, 5000, 200_000]))


def one_endless_frame(a: Asked, rng: random.Random) -> bytes:
    return a.transaction.to_bytes(2) + b"\0\0\xff\xff" + rng.randbytes(70_000)


def noise(a: Asked, rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(1, 600))


def zeros(a: Asked, rng: random.Random) -> bytes:
    return bytes(rng.randrange(1, 600))


def twice(a: Asked, rng: random.Random) -> bytes:
    return a.values() + a.values()


def a_thousand_late_answers(a: Asked, rng: random.Random) -> bytes:
    stale = Asked(a.transaction - 1, a.unit, a.function, a.address + 2, a.count, 0)
    return stale.values() * rng.choice([3, 1000]) + a.values()


def nothing(a: Asked, rng: random.Random) -> bytes:
    return b""


MUTATIONS: list[Mutation] = [
    *(wrong_transaction, previous_transaction, no_transaction, wrong_unit, wrong_protocol),
    *(wrong_length, length_off_by_a_little, wrong_byte_count, other_number_of_registers),
    *(wrong_function, truncated, exception, exception_without_code, exception_of_another_function),
    *(oversize, one_endless_frame, noise, zeros, twice, a_thousand_late_answers, nothing),
]


class Nonsense:
    """Answers four times in five truly, else with a mutation; counts the mutations it sent."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self.sent: Counter[str] = Counter()
        self.on = False

    async def __call__(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        rng = self._rng
        if not self.on or rng.random() < 0.8:
            writer.write(asked.values())
            return
        mutation = rng.choice(MUTATIONS)
        self.sent[mutation.__name__] += 1
        await self._send(mutation(asked, rng), writer)

    async def _send(self, frame: bytes, writer: asyncio.StreamWriter) -> None:
        """Whole, in two parts, drop by drop, or cut off."""
        way = self._rng.random()
        if way < 0.7 or len(frame) > 600:
            writer.write(frame)
        elif way < 0.8:
            cut = self._rng.randrange(len(frame) + 1)
            writer.write(frame[:cut])
            await asyncio.sleep(0.002)
            writer.write(frame[cut:])
        elif way < 0.9:
            for i in range(0, len(frame), 16):
                if writer.is_closing():
                    return
                writer.write(frame[i : i + 16])
                await asyncio.sleep(0.001)
        else:
            writer.write(frame)
            await writer.drain()
            writer.transport.abort()


async def _read_through(nonsense: Nonsense, port: int, frames: int) -> Counter[str]:
    """Reads as the kernel would, building a new object after each loss, until so many frames were mutated."""
    outcome: Counter[str] = Counter()
    modbus: Modbus | None = None
    while nonsense.sent.total() < frames:
        began = time.monotonic()
        try:
            if modbus is None:
                modbus = built(port, DESCRIBED, request_timeout="30ms")
                nonsense.on = False
                await modbus.open()
                nonsense.on = True
            found = await values(modbus)
        except OSError as error:
            outcome[type(error).__name__] += 1
            if modbus is not None and nonsense.on:
                await modbus.close()
            modbus = None
        else:
            for name, value in good(found).items():
                unit, address = map(int, name.split("/"))
                assert value == register(unit, address), (name, value)
            outcome["good"] += len(good(found))
            outcome["bad"] += len(bad(found))
        assert time.monotonic() - began < 5.0
    if modbus is not None:
        await modbus.close()
    return outcome


@pytest.mark.slow
@pytest.mark.case("A58")
async def test_two_thousand_mutated_frames_never_become_a_value(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def one(seed: int) -> tuple[Counter[str], Counter[str]]:
        nonsense = Nonsense(seed)
        async with device(nonsense) as server:
            return await _read_through(nonsense, server.port, FRAMES // SIDE_BY_SIDE), nonsense.sent

    tracemalloc.start()
    results = await asyncio.gather(*map(one, range(SIDE_BY_SIDE)))
    gc.collect()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    outcome = sum((outcome for outcome, _ in results), Counter())
    sent = sum((sent for _, sent in results), Counter())
    assert sent.total() >= FRAMES
    assert set(sent) == {mutation.__name__ for mutation in MUTATIONS}
    assert outcome["good"] > 1000
    assert peak < 32e6
    with capsys.disabled():
        print(f" [{sent.total()} frames: {dict(outcome)}, peak {peak / 1e6:.1f} MB] ", end="")


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
@pytest.mark.case("A58")
async def test_one_mutated_frame_is_followed_by_the_truth(mutation: Mutation) -> None:
    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        truth = len(server.asked) != 2
        writer.write(asked.values() if truth else mutation(asked, random.Random(1)))

    async with device(answer) as server:
        modbus = built(
            server.port, {"t": {"address": 5}, "u": {"address": 90}}, request_timeout="100ms"
        )
        await modbus.open()
        with suppress(OSError):
            found = await values(modbus)
            assert good(found).items() <= {"t": register(1, 5), "u": register(1, 90)}.items()
        await modbus.close()
        async with opened(server.port, {"t": {"address": 6}}) as again:
            assert await values(again) == {"t": register(1, 6)}


@pytest.mark.case("A58")
async def test_a_device_that_talks_unasked_is_hung_up_on() -> None:
    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(asked.values())
        if len(server.asked) == 2:
            await asyncio.sleep(0.05)
            while len(poured) < 2000 and not writer.is_closing():
                poured.append(writer.write(bytes(1000)))
                await asyncio.sleep(0)

    poured: list[None] = []
    async with device(answer) as server, opened(server.port, {"t": {"address": 6}}) as modbus:
        assert await values(modbus) == {"t": register(1, 6)}
        async with asyncio.timeout(5):
            while modbus._link._client is not None:
                await asyncio.sleep(0.01)
        with pytest.raises(ConnectionError, match="sent"):
            await values(modbus)
    assert len(poured) < 2000
