"""Writing: once, never late, never again by itself; a no of the device fails the command alone."""

from __future__ import annotations

import asyncio

from bedplate.testing.conformance.bench import Bench
from bedplate.testing.conformance.check import NotRun, check, code_of, expect_code, require
from bedplate.testing.conformance.checks.reading import same
from bedplate.testing.conformance.profile import TagEntry
from bedplate.testing.conformance.session import LATE

WRITE = {"kinds": ("connector",), "needs": "write"}


def _writable(bench: Bench) -> dict[str, TagEntry]:
    if not bench.whole.allow_writes:
        raise NotRun("writes are not allowed: --allow-writes, or allow_writes = true")
    found = {name: tag for name, tag in bench.tags().items() if tag.write is not None}
    if not found:
        raise NotRun("name a value that may be written: write = … of a tag")
    return found


@check(
    "CON-030",
    "What is written can be read back",
    "The kernel reads back to tell VERIFIED from MISMATCH. OK must mean that the device has it.",
    "§3.2 Write",
    **WRITE,
)
async def read_back(bench: Bench) -> str:
    session = await bench.session(tags=_writable(bench))
    for name, tag in _writable(bench).items():
        before = (await session.value(name))[0] if "read" in bench.subject.capabilities else None
        expect_code(await session.write(name, tag.write), f"Write of {tag.write!r} to {name}", "OK")
        if "read" in bench.subject.capabilities:
            value, _ = await session.value(name)
            require(same(value, tag.write), f"{name} was written {tag.write!r} and reads {value!r}")
            await session.write(name, before)
    await session.close()
    return ", ".join(_writable(bench))


@check(
    "CON-031",
    "A write that failed is not made up for later",
    "The operator was told that it did not happen. A valve that opens a minute later kills.",
    "§3.2 Write",
    **WRITE,
)
async def never_again(bench: Bench) -> str:
    tags = _writable(bench)
    proxy = bench.device()
    name, tag = next(iter(tags.items()))
    session = await bench.session(tags=tags)
    before, _ = await session.value(name)
    await proxy.refuse()
    code = code_of(await session.write(name, tag.write, within=2.0))
    require(code != "OK", "Write was answered OK while the device was away")
    await proxy.heal()
    await asyncio.sleep(1.0)
    again = await bench.session(session.kernel, session.component, tags=tags)
    value, _ = await again.value(name)
    require(
        not same(value, tag.write) or same(before, tag.write),
        f"Write was answered {code}, and later {name} reads {value!r} all the same",
    )
    await again.close()
    return f"{code}, and {name} still reads {value!r}"


@check(
    "CON-032",
    "A write that is late is not carried out",
    "within_ms is a promise to the operator: after it the plant has moved on.",
    "§3.2 Write",
    **WRITE,
)
async def never_late(bench: Bench) -> str:
    tags = _writable(bench)
    proxy = bench.device()
    name, tag = next(iter(tags.items()))
    session = await bench.session(tags=tags)
    before, _ = await session.value(name)
    proxy.mode = "silent"
    reply = await session.write(name, tag.write, 1.0, LATE)
    code = expect_code(reply, "Write to a device that says nothing", "EXPIRED", "UNREACHABLE")
    proxy.cut()
    await proxy.heal()
    await asyncio.sleep(1.5)
    again = await bench.session(session.kernel, session.component, tags=tags)
    value, _ = await again.value(name)
    late = same(value, tag.write) and not same(before, tag.write)
    require(not late, f"Write was answered {code}, and later {name} reads {value!r} all the same")
    await again.close()
    return f"{code}, and {name} still reads {value!r}"


@check(
    "CON-033",
    "What the device does not take is REFUSED, and the session goes on",
    "A no to one command must not cost the values of the machine.",
    "§3 Asks and answers",
    **WRITE,
)
async def refused(bench: Bench) -> str:
    if not bench.whole.allow_writes:
        raise NotRun("writes are not allowed: --allow-writes, or allow_writes = true")
    readonly = {name: tag for name, tag in bench.profile.tags.items() if tag.read_only}
    if not readonly:
        raise NotRun("name a tag that the device refuses to write: read_only = true of a tag")
    session = await bench.session(tags=readonly)
    name, tag = next(iter(readonly.items()))
    value = (await session.value(name))[0] if tag.write is None else tag.write
    expect_code(
        await session.write(name, value), f"Write to {name}, which is read-only,", "REFUSED"
    )
    expect_code(await session.read(), "Read after a write was refused", "OK")
    await session.close()
    return f"{name}: REFUSED"


@check(
    "CON-034",
    "A value of the wrong type is no fault",
    "Somebody will write a text to a number. That is a no, not a bug: six of those make the component *faulted*.",
    "§3.2 Write",
    level="SHOULD",
    **WRITE,
)
async def wrong_type(bench: Bench) -> str:
    tags = _writable(bench)
    session = await bench.session(tags=tags)
    told = []
    for name, tag in tags.items():
        wrong = 17 if isinstance(tag.write, str) else "no number"
        before, _ = await session.value(name)
        code = expect_code(
            await session.write(name, wrong), f"Write of {wrong!r} to {name}", "REFUSED", "INVALID"
        )
        value, _ = await session.value(name)
        require(same(value, before), f"Write of {wrong!r} was {code}, and {name} reads {value!r}")
        told.append(code)
    await session.close()
    return ", ".join(told)
