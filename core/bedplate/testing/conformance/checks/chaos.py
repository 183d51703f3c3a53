"""Chaos: a device that restarts, freezes, vanishes or never comes, and a cable that drips and garbles."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from bedplate.testing.conformance import watch
from bedplate.testing.conformance.bench import Bench
from bedplate.testing.conformance.check import (
    SHOULD,
    Failed,
    check,
    code_of,
    expect_code,
    require,
)
from bedplate.testing.conformance.checks.footprint import cycle, grown
from bedplate.testing.conformance.checks.reading import right, there
from bedplate.testing.conformance.session import Close, Ping, Session
from bedplate.testing.fake_kernel import FakeKernel

READ: dict[str, Any] = {"kinds": ("connector",), "needs": "read"}
LOST = ("UNREACHABLE", "EXPIRED")
RECOVERS_WITHIN = 30.0  # s


async def recovers(bench: Bench, kernel: FakeKernel, component: str) -> float:
    """Close and Open as the kernel does, until Read is OK again. Returns seconds."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    session = Session(kernel, component, bench.message())
    told = ""
    while loop.time() - began < RECOVERS_WITHIN:
        expect_code(await session.close(), "Close after the trouble", "OK")
        reply = await session.open()
        if code_of(reply) == "OK":
            reply = await session.read()
        if code_of(reply) == "OK":
            await session.close()
            return loop.time() - began
        expect_code(reply, "after the trouble, an ask", *LOST, "OK")
        told = reply.answer.text
        await asyncio.sleep(0.2)
    raise Failed(f"the device is back, and after {RECOVERS_WITHIN:.0f} s still: {told}")


async def alive(kernel: FakeKernel) -> None:
    """Raises Failed unless Ping is answered."""
    try:
        await kernel.ask("", 1.0, ping=Ping())
    except (TimeoutError, ConnectionError) as error:
        raise Failed(f"it does not live on: {error}") from None


async def lost_then_back(bench: Bench, session: Session, heal: Any, what: str) -> str:
    """Read is UNREACHABLE while there is trouble, Ping is answered, and all is well afterwards."""
    reply = await session.read_in_time(2.0)
    code = expect_code(reply, f"Read {what}", *LOST)
    await alive(session.kernel)
    await heal()
    took = await recovers(bench, session.kernel, session.component)
    return f"{code}; OK {took:.1f} s after it was back"


@check(
    "CON-080",
    "The device restarts: UNREACHABLE, then OK, in the same process",
    "The commonest trouble there is. Nobody must be needed to mend it.",
    "§3 Asks and answers",
    **READ,
)
async def restart(bench: Bench) -> str:
    bench.device()
    session = await bench.session()
    expect_code(await session.read(), "Read", "OK")
    simulator = bench.simulator
    assert simulator
    await simulator.stop()
    bench.proxy.cut()
    try:
        return await lost_then_back(bench, session, simulator.start, "while the device is down")
    finally:
        await simulator.stop()
        await simulator.start()


@check(
    "CON-081",
    "The connection is reset: UNREACHABLE, then OK",
    "A switch that reboots, a firewall that forgets: the device is there all the time.",
    "§3 Asks and answers",
    **READ,
)
async def reset(bench: Bench) -> str:
    proxy = bench.device()
    session = await bench.session()
    expect_code(await session.read(), "Read", "OK")
    proxy.cut()
    await asyncio.sleep(0.1)
    code = code_of(await session.read(within=5.0))
    if code != "OK":  # it may have connected again by itself
        require(code in LOST, f"Read after the connection was reset was answered {code}")
    await alive(session.kernel)
    took = await recovers(bench, session.kernel, session.component)
    return f"{code}; OK after {took:.1f} s"


@check(
    "CON-082",
    "The peer vanishes without a word: the time of the ask is kept",
    "Half-open TCP: a cable that is pulled sends no FIN. Only a time-out tells.",
    "§3 Asks and answers",
    **READ,
)
async def half_open(bench: Bench) -> str:
    proxy = bench.device()
    session = await bench.session()
    expect_code(await session.read(), "Read", "OK")
    proxy.mode = "silent"

    async def heal() -> None:
        proxy.cut()
        await proxy.heal()

    return await lost_then_back(bench, session, heal, "from a peer that vanished")


@check(
    "CON-083",
    "The device freezes: the time of the ask is kept",
    "It accepts connections and answers nothing, as a controller in its watchdog does.",
    "§3 Asks and answers",
    **READ,
)
async def frozen(bench: Bench) -> str:
    bench.device()
    simulator = bench.simulator
    assert simulator
    session = await bench.session()
    expect_code(await session.read(), "Read", "OK")
    await simulator.freeze()

    async def thaw() -> None:
        simulator.signal(signal.SIGCONT)

    try:
        return await lost_then_back(bench, session, thaw, "from a frozen device")
    finally:
        simulator.signal(signal.SIGCONT)


@check(
    "CON-084",
    "A slow drip gives right values or none",
    "A line of 9600 baud behind a converter delivers bytes one by one. What is read from half an answer is wrong.",
    "§3.2 Read",
    **READ,
)
async def drip(bench: Bench) -> str:
    proxy = bench.device()
    known = {name: tag for name, tag in bench.tags().items() if tag.known}
    session = await bench.session(tags=known or None)
    proxy.mode = "drip"
    codes = []
    for _ in range(3):
        reply = await session.read(within=10.0)
        codes.append(expect_code(reply, "Read through a slow line", "OK", *LOST))
        if codes[-1] != "OK":
            break
        for name, tag in known.items():
            value, quality = await session.value(name)
            require(
                quality or right(value, tag),
                f"through a slow line {name} reads {value!r}, and {there(tag)} is there",
            )
    await proxy.heal()
    await recovers(bench, session.kernel, session.component)
    return ", ".join(codes)


@check(
    "CON-085",
    "Garbage does not end it",
    "Noise, a wrong baud rate, another protocol on the port: the plugin says so and goes on.",
    "§3 Asks and answers",
    **READ,
)
async def garbage(bench: Bench) -> str:
    session, codes = await _garbled(bench)
    await alive(session.kernel)
    bench.proxy.cut()
    await bench.proxy.heal()
    took = await recovers(bench, session.kernel, session.component)
    return f"{', '.join(codes)}; OK {took:.1f} s after it was back"


@check(
    "CON-086",
    "Garbage is the device's fault, not the plugin's",
    "A FAULT counts towards *faulted*. A device that talks nonsense is UNREACHABLE, or its values are Bad.",
    "§3 Asks and answers",
    level=SHOULD,
    **READ,
)
async def garbage_is_no_fault(bench: Bench) -> str:
    session, codes = await _garbled(bench)
    require("FAULT" not in codes, f"garbage from the device is answered {', '.join(codes)}")
    bench.proxy.cut()
    await bench.proxy.heal()
    await session.close()
    return ", ".join(codes)


async def _garbled(bench: Bench) -> tuple[Session, list[str]]:
    proxy = bench.device()
    session = await bench.session()
    proxy.mode = "garbage"
    codes: list[str] = []
    for _ in range(3):
        codes.append(code_of(await session.read(within=1.0)))
        if codes[-1] != "OK":
            await session.close()
            codes.append(code_of(await session.open(within=3.0)))
    return session, list(dict.fromkeys(codes))


@check(
    "CON-089",
    "Thousands of failed connects leave nothing behind",
    "A device that was taken away for good is dialled for years. A descriptor for each is an outage at Christmas.",
    "§3 Asks and answers",
    level=SHOULD,
    kinds=("connector",),
    placements=("process",),
)
async def failed_connects(bench: Bench) -> str:
    proxy = bench.cable()
    run = await bench.process()
    await proxy.refuse()
    session = Session(run.kernel, bench.component(), bench.message())
    for _ in range(50):
        await cycle(session)
    loop = asyncio.get_running_loop()
    began, count = loop.time(), bench.whole.failed_connects
    before = watch.held(run.pid)
    await _tries(session, count // 2)
    half = watch.held(
        run.pid
    )  # runtimes that collect garbage let memory grow for a while, not for ever
    await _tries(session, count - count // 2)
    after = watch.held(run.pid)
    settled = watch.Held(before.fds, before.threads, max(before.rss, half.rss))
    require(not (more := grown(settled, after)), f"after {count} failed connects: {more}")
    rate = count / (loop.time() - began)
    return f"{count} at {rate:.0f} a second: {after.fds} descriptors, {after.rss >> 10} MiB"


async def _tries(session: Session, count: int) -> None:
    """So many Opens that fail, with a Close now and then."""
    for number in range(count):
        await session.open(within=5.0)
        if number % 20 == 0:
            await session.ask(close=Close())
