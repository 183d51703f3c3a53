"""Security modules: one decision for each check, in order, in time, whatever they are asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from bedplate.security.v1 import security_pb2
from bedplate.testing.conformance.bench import Bench
from bedplate.testing.conformance.check import SHOULD, Failed, NotRun, check, expect_code, require
from bedplate.testing.conformance.session import Session
from bedplate.wire import twin

SECURITY: dict[str, Any] = {"kinds": ("security",)}
Authorize, Subject = twin(security_pb2.Authorize), twin(security_pb2.Subject)
VERDICTS = {1: "allow", 2: "deny", 3: "abstain"}
ACTIONS = ("live.subscribe", "live.current", "alarms.acknowledge", "admin.status", "history.query")
Pair = tuple[str, str]


def question(checks: Sequence[Pair], who: str = "somebody", **more: Any) -> Any:
    """An Authorize message."""
    words = {"peer": "127.0.0.1:1", "method": "token", **more}
    message = Authorize(subject=Subject(id=who, **words))
    for action, resource in checks:
        message.checks.add(action=action, resource=resource)
    return message


async def decided(session: Session, message: Any, within: float = 0.5) -> list[Any]:
    """Its decisions. Raises Failed unless there is one with a verdict for each check."""
    reply = await session.ask(within, authorize=message)
    expect_code(reply, "Authorize", "OK")
    decisions = list(reply.decisions)
    counts = (len(decisions), len(message.checks))
    require(counts[0] == counts[1], f"{counts[0]} decisions for {counts[1]} checks")
    none = [d for d in decisions if d.verdict not in VERDICTS]
    require(not none, f"{len(none)} decisions without a verdict")
    return decisions


def pairs(count: int) -> list[Pair]:
    return [(ACTIONS[n % len(ACTIONS)], f"acme/line{n}/machine/tag") for n in range(count)]


@check(
    "SEC-001",
    "One decision for each check",
    "A missing decision counts as DENY for all of them.",
    "§3.4 Authorize",
    **SECURITY,
)
async def one_each(bench: Bench) -> str:
    session = await bench.session()
    for count in (1, 3, 0, 100):
        await decided(session, question(pairs(count)))
    await session.close()
    return "for 1, 3, none and 100 checks"


@check(
    "SEC-002",
    "Decisions are in the order of the checks",
    "They have no names: the third decision is for the third check.",
    "§3.4 Authorize",
    **SECURITY,
)
async def in_order(bench: Bench) -> str:
    session = await bench.session()
    asked = pairs(12) + [(q.action, q.resource) for q in bench.profile.decisions]
    together = [(d.verdict, d.reason) for d in await decided(session, question(asked))]
    alone = [
        (d.verdict, d.reason) for pair in asked for d in await decided(session, question([pair]))
    ]
    require(together == alone, "asked one by one it decides otherwise than together")
    backwards = await decided(session, question(asked[::-1]))
    require([(d.verdict, d.reason) for d in backwards] == together[::-1], "the order is not kept")
    await session.close()
    return f"{len(asked)} checks together, one by one, and backwards"


@check(
    "SEC-003",
    "Known decisions are as they are known",
    "A guard that lets the wrong one in is worse than none.",
    "§3.4 Authorize",
    **SECURITY,
)
async def known(bench: Bench) -> str:
    if not bench.profile.decisions:
        raise NotRun("name decisions that are known: [[decisions]] in conformance.toml")
    session = await bench.session()
    for one in bench.profile.decisions:
        message = question([(one.action, one.resource)], one.subject, roles=one.roles)
        verdict = VERDICTS[(await decided(session, message))[0].verdict]
        asked = f"{one.subject} {one.roles or ''} {one.action} {one.resource}"
        require(verdict == one.verdict, f"{asked}: {verdict}, not {one.verdict}")
    await session.close()
    return f"{len(bench.profile.decisions)} decisions"


@check(
    "SEC-004",
    "Whatever it is asked, it decides",
    "The question may come from an attacker. A fault is a DENY for everybody who asks at that moment.",
    "§3.4 Authorize",
    **SECURITY,
)
async def strange_questions(bench: Bench) -> str:
    session = await bench.session()
    text = "\x00\n'\";--../../$(x)\u202e" + "ü" * 1000
    strange = [
        question([("", "")], "", peer="", method=""),
        question([(text, text)], text, roles=[text] * 50),
        question([("live.subscribe", "**"), ("live.subscribe", "/" * 1000)]),
        Authorize(),
    ]
    for message in strange:
        await decided(session, message)
    await session.close()
    return f"{len(strange)} strange questions"


@check(
    "SEC-005",
    "A hundred checks are decided within 500 ms",
    "Every call of the API waits for it; later than that counts as DENY.",
    "§3.4 Authorize",
    level=SHOULD,
    **SECURITY,
)
async def in_time(bench: Bench) -> str:
    session = await bench.session()
    await decided(session, question(pairs(1)))
    loop = asyncio.get_running_loop()
    best = 10.0
    for _ in range(3):
        began = loop.time()
        await decided(session, question(pairs(100)))
        best = min(best, loop.time() - began)
    require(best < 0.5, f"100 checks took {best * 1000:.0f} ms at best")
    await session.close()
    return f"{best * 1000:.1f} ms"


@check(
    "SEC-006",
    "Questions may overlap",
    "Many ask at once, and none may wait for another's answer, nor get it.",
    "§3.4 Authorize",
    **SECURITY,
)
async def overlapping(bench: Bench) -> str:
    session = await bench.session()
    kernel = session.kernel
    asks = [
        kernel.make(session.component, 5.0, authorize=question(pairs(1 + n % 5), f"user{n % 3}"))
        for n in range(50)
    ]
    kernel.send(asks)
    for ask in asks:
        try:
            reply = await kernel.answer(ask.id, 20.0)
        except (TimeoutError, ConnectionError) as error:
            raise Failed(f"one of 50 questions at once: {error}") from None
        expect_code(reply, "one of 50 questions at once", "OK")
        count = len(reply.decisions)
        require(
            count == len(ask.authorize.checks), f"{count} decisions for another number of checks"
        )
    await session.close()
    return "50 at once"


@check(
    "SEC-007",
    "A DENY says why",
    "The reason goes to the audit log. Without it nobody finds the rule that locked them out.",
    "§3.4 Security modules",
    level=SHOULD,
    **SECURITY,
)
async def reasons(bench: Bench) -> str:
    session = await bench.session()
    asked = pairs(10) + [(q.action, q.resource) for q in bench.profile.decisions]
    decisions = await decided(session, question(asked))
    denied = [d for d in decisions if d.verdict == 2]
    require(all(d.reason.strip() for d in denied), "a DENY without a reason")
    await session.close()
    return f"{len(denied)} denied, each with a reason"
