"""Opening and closing: what Open checks, what Close releases, what a device that is away means."""

from __future__ import annotations

import asyncio
from typing import Any

from bedplate.connector.v1 import connector_pb2
from bedplate.contracts import CAPABILITIES
from bedplate.testing.conformance.bench import Bench
from bedplate.testing.conformance.check import (
    SHOULD,
    NotApplicable,
    NotRun,
    check,
    code_of,
    expect_code,
    require,
)
from bedplate.testing.conformance.profile import Mistake, TagEntry
from bedplate.testing.conformance.session import Close, Ping, Session
from bedplate.wire import twin

NOBODY = 4_000_000_000  # a handle that no tag has
REPLACED = {"integer": "no number", "number": "no number", "boolean": "no truth value"}


@check(
    "PLG-013",
    "Close is OK before Open, after it, and twice",
    "The kernel asks Close whenever it is in doubt. It must never have to know whether there is something to close.",
    "§3.1 Close",
)
async def close_is_idempotent(bench: Bench) -> str:
    kernel = await bench.running()
    component = bench.component()
    for _ in range(2):
        expect_code(await kernel.ask(component, close=Close()), "Close before Open", "OK")
    session = await bench.session(kernel, component)
    for when in ("Close", "the second Close"):
        expect_code(await session.close(), when, "OK")
    return "four times OK"


@check(
    "PLG-014",
    "Open replaces a session that is open",
    "After a fault the kernel opens anew. The old session's tags and settings must not live on.",
    "§3.1 Open",
)
async def open_replaces(bench: Bench) -> str:
    session = await bench.session()
    expect_code(await session.open(), "Open of what is open", "OK")
    if "read" in bench.subject.capabilities:
        first = session.message.tags[0]
        session.message.tags[0].handle = 77  # so that answers of the old session show
        expect_code(await session.open(), "Open with another handle", "OK")
        found = {h for batch in await session.batches() for h in batch.tags().tolist()}
        require(77 in found, f"after another Open Read answers for {sorted(found)}, not for 77")
        require(first.handle in found, "the tag of the second Open is not served")
    await session.close()
    return "three Opens, one session"


@check(
    "PLG-015",
    "Wrong settings are INVALID and point at what is wrong",
    "The operator sees the pointer as a line of his file. INVALID is never retried, so it must not be said of a device "
    "that is away.",
    "§3.1 Open",
)
async def wrong_settings(bench: Bench) -> str:
    kernel = await bench.running()
    told = []
    for mistake in _mistakes(bench):
        session = Session(kernel, bench.component(), bench.message(mistake.settings))
        reply = await session.open()
        expect_code(reply, f"Open with {mistake.settings}", "INVALID")
        pointers = [problem.pointer for problem in reply.answer.problems]
        require(
            any(_below(mistake.pointer, pointer) for pointer in pointers),
            f"Open with {mistake.settings} points at {pointers or 'nothing'}, not at {mistake.pointer}",
        )
        require(any(p.text for p in reply.answer.problems), "the problem has no text")
        told.append(mistake.pointer)
    return f"INVALID at {', '.join(told)}"


def _below(wanted: str, told: str) -> bool:
    """Whether a pointer names this setting or something within it."""
    return not wanted or told == wanted or told.startswith(wanted + "/")


def _mistakes(bench: Bench) -> list[Mistake]:
    """Those of the author; without any, one setting with a value of another type."""
    if bench.profile.invalid:
        return list(bench.profile.invalid)
    properties = bench.subject.properties()
    for name, schema in properties.items():
        if wrong := REPLACED.get(schema.get("type", "")):
            return [Mistake(settings={name: wrong}, pointer=f"/{name}")]
    for name, schema in properties.items():
        if schema.get("type") == "string":
            return [Mistake(settings={name: {"no": "text"}}, pointer=f"/{name}")]
    if not properties:
        raise NotApplicable("it has no settings")
    raise NotRun("give wrong settings: [[invalid]] in conformance.toml")


@check(
    "PLG-016",
    "Wrong settings open no connection",
    "Settings are looked at before the device is troubled: a mistake at one line must not reach a plant.",
    "§3.1 Open",
    kinds=("connector",),
)
async def wrong_settings_stay_here(bench: Bench) -> str:
    proxy = bench.cable()
    kernel = await bench.running()
    before = proxy.connections
    for mistake in _mistakes(bench):
        reply = await Session(kernel, bench.component(), bench.message(mistake.settings)).open()
        expect_code(reply, f"Open with {mistake.settings}", "INVALID")
    await asyncio.sleep(0.1)
    count = proxy.connections - before
    require(not count, f"Open with wrong settings made {count} connections to the device")
    return "none"


@check(
    "PLG-017",
    "A device that is away is UNREACHABLE, in time, and the plugin lives on",
    "Ordinary, and retried for ever. A plugin that faults or exits because its device is switched off takes its "
    "neighbours with it.",
    "§3 Asks and answers",
    kinds=("connector",),
)
async def device_away(bench: Bench) -> str:
    proxy = bench.cable()
    kernel = await bench.running()
    await proxy.refuse()
    session = Session(kernel, bench.component(), bench.message())
    loop = asyncio.get_running_loop()
    began = loop.time()
    reply = await session.open(within=5.0)
    took = loop.time() - began
    where = "Open while the device is away"
    if reply.answer.code == 1 and "read" in bench.subject.capabilities:  # it connects when it reads
        reply, where = await session.read(within=5.0), "Read while the device is away"
    expect_code(reply, where, "UNREACHABLE")
    require(took < 10.0, f"Open with 5 s was answered after {took:.1f} s")
    require(reply.answer.text, "UNREACHABLE without a word why")
    expect_code(await kernel.ask("", ping=Ping()), "Ping", "OK")
    await session.close()
    return f"UNREACHABLE after {took:.1f} s: {reply.answer.text[:100]}"


@check(
    "PLG-018",
    "It is served when the device comes",
    "The kernel opens again and again; the first time the device is there must be enough.",
    "§3 Asks and answers",
    kinds=("connector",),
)
async def device_comes(bench: Bench) -> str:
    proxy = bench.device()
    kernel = await bench.running()
    await proxy.refuse()
    session = Session(kernel, bench.component(), bench.message())
    for _ in range(3):
        await session.open(within=5.0)
        await session.close()
    await proxy.heal()
    expect_code(await session.open(), "Open once the device is there", "OK")
    if "read" in bench.subject.capabilities:
        expect_code(await session.read(), "Read once the device is there", "OK")
    await session.close()
    return "OK at the first try"


@check(
    "PLG-019",
    "An address that can't be right is INVALID at its tag",
    "The kernel shows it at the line of that tag and does not try again.",
    "§3.1 Open",
    level=SHOULD,
    kinds=("connector",),
)
async def wrong_address(bench: Bench) -> str:
    schema = bench.subject.address
    if schema.get("type") in (None, "string") and "pattern" not in schema and "enum" not in schema:
        raise NotApplicable("its schema of addresses allows any text")
    kernel = await bench.running()
    tags = {**bench.tags(), "wrong": TagEntry(address="\x00 no address")}
    session = Session(kernel, bench.component(), bench.message(tags=tags))
    reply = await session.open()
    expect_code(reply, "Open with an address that can't be right", "INVALID")
    wanted = session.handle("wrong")
    told = [problem.tag for problem in reply.answer.problems]
    require(wanted in told, f"the problem names the tag {told or 'not at all'}, not {wanted}")
    return "INVALID at its tag"


@check(
    "PLG-020",
    "Two components do not mix",
    "One process serves all components of a plugin; a session must hold nothing of another.",
    "§2 Starting a plugin",
)
async def two_components(bench: Bench) -> str:
    kernel = await bench.running()
    one, two = await bench.session(kernel), await bench.session(kernel)
    if "read" not in bench.subject.capabilities:
        await one.close()
        expect_code(await two.close(), "Close of the other", "OK")
        return "opened and closed side by side"
    two.message.tags[0].handle = 55
    expect_code(await two.open(), "Open of the second", "OK")
    for _ in range(5):
        replies: Any = await asyncio.gather(one.batches(), two.batches())
        for session, batches in zip((one, two), replies, strict=True):
            seen = {h for batch in batches for h in batch.tags().tolist()}
            strange = seen - set(session.handles)
            require(not strange, f"{session.component} got handles {sorted(strange)} of another")
            require(seen, f"{session.component} got no sample")
    await one.close()
    expect_code(await two.read(), "Read of the one after Close of the other", "OK")
    await two.close()
    return "ten reads side by side, and one after the other was closed"


@check(
    "PLG-021",
    "It names no component but those it was asked to open",
    "A publication or a note for somebody else is a breach, and ends the process.",
    "§2 Attach",
)
async def own_components(bench: Bench) -> str:
    session = await bench.session()
    kernel = session.kernel
    if "subscribe" in bench.subject.capabilities:
        await session.subscribe()
        await session.publications(1)
    await session.close()
    asked = {session.component}
    named = {p.component for p in kernel.publications} | {n.component for n in kernel.notes}
    strange = {name for name in named - asked if not name.startswith("kit-")}
    require(not strange, f"it named {sorted(strange)}, which nobody opened")
    return f"{len(kernel.publications)} publications, {len(kernel.notes)} notes"


@check(
    "PLG-022",
    "A capability that is declared is served",
    "The kernel plans by what a plugin declares. UNSUPPORTED for a declared ask is a breach, not an answer.",
    "§3.2 Connectors",
    kinds=("connector",),
)
async def declared_is_served(bench: Bench) -> str:
    session = await bench.session()
    served = []
    for name in bench.subject.capabilities:
        what = probe_of(name, session, NOBODY if name == "write" else session.handles[0])
        reply = await session.ask(10.0, **{name: what})
        require(code_of(reply) != "UNSUPPORTED", f"it declares `{name}` and answers UNSUPPORTED")
        served.append(name)
    await session.close()
    return ", ".join(served)


@check(
    "PLG-024",
    "What is not declared is UNSUPPORTED",
    "A capability that is there but not declared is never used; it is a forgotten line in the manifest.",
    "§3.2 Connectors",
    level=SHOULD,
    kinds=("connector",),
)
async def undeclared_is_not(bench: Bench) -> str:
    session = await bench.session()
    missing = [name for name in CAPABILITIES if name not in bench.subject.capabilities]
    if not missing:
        raise NotApplicable("it declares all there are")
    for name in missing:
        reply = await session.ask(10.0, **{name: probe_of(name, session, session.handles[0])})
        expect_code(reply, f"`{name}`, which it does not declare,", "UNSUPPORTED")
    await session.close()
    return f"{', '.join(missing)}: UNSUPPORTED"


def probe_of(name: str, session: Session, handle: int) -> Any:
    """The most harmless ask of each kind. handle: what a Write names; it carries no value."""
    made = twin(getattr(connector_pb2, name.title().replace("_", "")))()
    if name == "read":
        made.tags.extend(session.handles)
    elif name == "write":
        made.tag = handle
    elif name == "read_history":
        made.tags.append(handle)
        made.to = 1
    elif name == "query":
        made.to = 1
        made.selectors.append("**")
    return made
