"""Asks and answers: each answered once, with its id and a code, whatever else goes on."""

from __future__ import annotations

import asyncio
from typing import Any

from bedplate.testing.conformance.bench import Bench
from bedplate.testing.conformance.check import (
    CODES,
    SHOULD,
    Failed,
    check,
    code_of,
    expect_code,
    require,
)
from bedplate.testing.conformance.checks.analytics import SECOND, START, Process, records
from bedplate.testing.conformance.session import Close, Ping, Read, Session
from bedplate.testing.fake_kernel import FakeKernel
from bedplate.testing.stretch import Journal

MUCH = 3000  # s of samples
UNKNOWN_ASK = b"\xfa\x01\x00"  # field 31 of the oneof, an empty message: what a later minor may ask
UNKNOWN_FIELD = b"\xfa\x7c\x05later"  # field 1999, text


def unknown_ask(kernel: FakeKernel, component: str) -> Any:
    """An ask that no version knows."""
    ask = kernel.make(component)
    ask.MergeFromString(UNKNOWN_ASK)
    return ask


async def sent(kernel: FakeKernel, ask: Any, what: str, within: float = 20.0) -> Any:
    """The answer to a prepared ask. Raises Failed when there is none."""
    kernel.asked[ask.id] = what
    kernel.send([ask])
    try:
        return await kernel.answer(ask.id, within)
    except (TimeoutError, ConnectionError) as error:
        raise Failed(f"{what} was not answered: {error}") from None


@check(
    "PLG-005",
    "An ask it does not know is UNSUPPORTED, open or not",
    "This is the whole version story for minors: the kernel tries, and goes on without.",
    "§1 Versions",
)
async def unknown_asks(bench: Bench) -> str:
    kernel = await bench.running()
    for component, when in ((bench.component(), "before Open"), ("", "of the process itself")):
        reply = await sent(kernel, unknown_ask(kernel, component), f"an unknown ask {when}")
        expect_code(reply, f"an unknown ask {when}", "UNSUPPORTED")
    session = await bench.session(kernel)
    reply = await sent(kernel, unknown_ask(kernel, session.component), "an unknown ask")
    expect_code(reply, "an unknown ask to an open component", "UNSUPPORTED")
    await session.close()
    return "UNSUPPORTED three times"


@check(
    "PLG-006",
    "Fields it does not know are ignored",
    "Within a major, fields are only added; a plugin of today must work under a kernel of tomorrow.",
    "§1 Versions",
)
async def unknown_fields(bench: Bench) -> str:
    bench.needs_a_session()
    kernel = await bench.running()
    session = Session(kernel, bench.component(), bench.message())
    for part in (session.message, *session.message.tags, *session.message.assets):
        part.MergeFromString(UNKNOWN_FIELD)
    asks = [
        kernel.make(session.component, open=session.message),
        kernel.make("", ping=Ping()),
        kernel.make(session.component, close=Close()),
    ]
    for ask in asks:
        ask.MergeFromString(UNKNOWN_FIELD)
        what = ask.WhichOneof("what")
        expect_code(await sent(kernel, ask, what), f"{what} with an unknown field", "OK")
    return "Open, Ping and Close with fields of a later minor: OK"


@check(
    "PLG-007",
    "Every ask is answered once, with its id",
    "The kernel ends a plugin that answers what nobody asked, and takes silence for a hang.",
    "§3 Asks and answers",
)
async def answered_once(bench: Bench) -> str:
    kernel = await bench.running()
    asks = [kernel.make("", ping=Ping()) for _ in range(100)]
    asks += [kernel.make(bench.component(), close=Close()) for _ in range(20)]
    before = set(kernel.replies)
    kernel.send(asks)
    ids = {ask.id for ask in asks}
    try:
        await kernel.until(lambda: ids <= set(kernel.replies), 20, "answer to each of 120 asks")
    except (TimeoutError, ConnectionError):
        missing = sorted(ids - set(kernel.replies))
        raise Failed(f"{len(missing)} of 120 asks were not answered: {missing[:5]}") from None
    await kernel.ask("", ping=Ping())  # a second answer to the others would be here by now
    await asyncio.sleep(0.15)
    twice = [ask for ask in ids if len(kernel.replies[ask]) > 1]
    require(not twice, f"{len(twice)} asks were answered more than once, such as {twice[:3]}")
    strange = set(kernel.replies) - before - set(kernel.asked)
    require(not strange, f"it answered asks that nobody asked: {sorted(strange)[:3]}")
    return "120 asks at once, 120 answers"


@check(
    "PLG-008",
    "Every answer has a code",
    "An answer without one counts as a fault; a forgotten field must not look like success.",
    "§3 Asks and answers",
)
async def answers_have_a_code(bench: Bench) -> str:
    kernel = await bench.running()
    await kernel.ask("", ping=Ping())
    await kernel.ask(bench.component(), close=Close())
    for ask, replies in kernel.replies.items():
        for reply in replies:
            code = reply.answer.code
            require(
                code and code in CODES, f"{kernel.asked.get(ask)} was answered with code {code}"
            )
    return f"{len(kernel.replies)} answers"


@check(
    "PLG-009",
    "A call whose time is up is answered, and the plugin goes on",
    "The kernel waits one second longer than it allowed and then takes the session for lost. A plugin that waits "
    "longer for its device than it may can't be told from one that hangs.",
    "§3 Asks and answers",
    kinds=("connector",),
    needs="read",
)
async def time_is_kept(bench: Bench) -> str:
    cable = bench.device()
    session = await bench.session()
    cable.mode = "silent"
    loop = asyncio.get_running_loop()
    began = loop.time()
    reply = await session.read_in_time(1.0)
    took = loop.time() - began
    code = expect_code(reply, "Read from a device that says nothing", "EXPIRED", "UNREACHABLE")
    cable.cut()
    cable.mode = "pass"
    again = await bench.session(session.kernel)
    expect_code(await again.read(), "Read after it was opened again", "OK")
    await again.close()
    return f"{code} after {took:.1f} s"


@check(
    "PLG-010",
    "Ping is answered at once while a call hangs",
    "Three pings without an answer end the process: a slow device must not look like a dead plugin.",
    "§3 Asks and answers",
)
async def ping_beside(bench: Bench) -> str:
    kernel = await bench.running()
    hanging, _ = await something_slow(bench, kernel)
    loop = asyncio.get_running_loop()
    slowest = 0.0
    for _ in range(5):
        began = loop.time()
        ping = kernel.post("", 0.1, ping=Ping())
        try:
            reply = await kernel.answer(ping, 3.0)
        except TimeoutError:
            raise Failed("Ping was not answered within 3 s while a call hung") from None
        expect_code(reply, "Ping", "OK")
        slowest = max(slowest, loop.time() - began)
    beside = hanging and not kernel.answered(hanging)
    if hanging and bench.subject.kind == "analytic":
        await kernel.answer(hanging, 60.0)
    return f"slowest of five: {slowest * 1000:.0f} ms{' while a call hung' if beside else ''}"


async def something_slow(bench: Bench, kernel: FakeKernel, within: float = 8.0) -> tuple[int, str]:
    """A call that hangs, if the plugin has any: an Open to a device that accepts and says nothing, or a Read of it; of
    an analytic a Process of much at once."""
    if bench.subject.kind == "analytic":
        return await _much_to_process(bench, kernel, within)
    if bench.subject.kind != "connector":
        return 0, ""
    cable = bench.cable()
    if bench.simulator and "read" in bench.subject.capabilities:
        session = await bench.session(kernel)
        cable.mode = "silent"
        ask = kernel.post(session.component, within, read=Read(tags=session.handles))
    else:
        cable.mode = "silent"
        session = Session(kernel, bench.component(), bench.message())
        ask = kernel.post(session.component, within, open=session.message)
    return ask, session.component


async def _much_to_process(bench: Bench, kernel: FakeKernel, within: float) -> tuple[int, str]:
    session = await bench.session(kernel)
    journal = Journal()
    made = records(bench, journal, range(MUCH))
    ask = Process(records=made, tables=[journal.table()], until=START + MUCH * SECOND)
    ask.outputs.extend(range(1, len(session.reply.open.outputs) + 1))
    return kernel.post(session.component, within, process=ask), session.component


@check(
    "PLG-011",
    "Close does not wait behind a call that hangs",
    "Close is how the kernel gets out of a hang. One that queues up behind it is no way out.",
    "§3 Asks and answers",
    kinds=("connector",),
)
async def close_beside(bench: Bench) -> str:
    kernel = await bench.running()
    hanging, component = await something_slow(bench, kernel)
    await asyncio.sleep(0.2)
    hangs = not kernel.answered(hanging)
    loop = asyncio.get_running_loop()
    began = loop.time()
    close = kernel.post(component, 5.0, close=Close())
    try:
        reply = await kernel.answer(close, 7.0)
    except TimeoutError:
        raise Failed("Close was not answered within 7 s while a call hung") from None
    expect_code(reply, "Close while a call hangs", "OK")
    if not hangs:
        return "no call of it hangs, whatever the device does"
    try:
        code = code_of(await kernel.answer(hanging, 7.0))
    except TimeoutError:
        raise Failed("after Close the call that hung was never answered") from None
    require(code not in ("OK", "FAULT"), f"the call that hung was answered {code} after Close")
    return f"Close after {(loop.time() - began) * 1000:.0f} ms; the call that hung: {code}"


@check(
    "PLG-012",
    "What is not open is UNREACHABLE, not a fault",
    "The kernel may ask a component that has just been lost; that is nobody's bug.",
    "§3.1 Asks of every kind",
    level=SHOULD,
    kinds=("connector",),
    needs="read",
)
async def not_open(bench: Bench) -> str:
    kernel = await bench.running()
    session = Session(kernel, bench.component(), bench.message())
    expect_code(await session.read(), "Read before Open", "UNREACHABLE")
    return "UNREACHABLE"
