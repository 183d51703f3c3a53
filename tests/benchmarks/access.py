"""(j) what access costs: a decision from memory, the first look at a plant, and live and history with and without it.

Ours in both columns: the code that serves a subscriber and a query, from records and pages in memory to the bytes of
the answer. Without: no security module. With: the ready-made policies and one of a plant, all remembered; the module
itself is asked only in the first look.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from tests.benchmarks import machine
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.plan import Plan

from bedplate.api.v1 import api_pb2
from bedplate.clock import SystemClock
from bedplate.connector.v1 import connector_pb2
from bedplate.contracts import Check, Decision, Subject
from bedplate.gate.gate import Gate
from bedplate.journal.memory import MemoryEngine
from bedplate.model import Batch, DataType, Selector
from bedplate.planning.moves import Moves
from bedplate.record.v1 import record_pb2
from bedplate.runtime.spine import Spine
from bedplate.scan.registry import Declared
from bedplate.server.concerned import Concerned
from bedplate.server.door import Caller
from bedplate.server.history import HistoryService
from bedplate.server.live import ACTION, Subscriber
from bedplate.server.shown import Shown
from bedplate.wire import encode_batch, tag_message, twin
from bedplate_access.policy import Decider, Rules
from bedplate_access.policy.texts import PolicyFile, ready_made

PLANTS = (1_000, 10_000)  # tags
RECORDS, PAGES, CALLS = 100, 40, 2_000
FORBID = '@id("not-ours") forbid (principal, action, resource in Asset::"other/site");'
LIKE = 'forbid (principal, action, resource) when { resource.path like "*/secret_*" };'
VERA = Subject("vera", ("viewer",), "ipv4:10.0.0.7:4711", "token", ("shift-a",), "ab12")
QUIET: Any = SimpleNamespace(add=lambda entry, urgent=False: None)
Run = Callable[[], Awaitable[int]]


class Module:
    """The policies as the gate asks them, without a process between."""

    authenticates = False

    def __init__(self, *texts: str) -> None:
        own = [PolicyFile(f"{n}.cedar", text, "") for n, text in enumerate(texts)]
        self._decider = Decider(Rules([ready_made(), *own]))

    async def authenticate(self, credential: Any) -> None:
        return None

    async def authorize(self, subject: Subject, checks: Sequence[Check]) -> list[Decision]:
        return self._decider.decide(subject, checks)


class Stream:
    """What a subscriber writes to: bytes, counted."""

    def __init__(self) -> None:
        self.bytes = 0

    async def write(self, response: Any) -> None:
        self.bytes += len(response.SerializeToString())


def gates() -> dict[str, Gate]:
    return {"without": Gate({}, QUIET), "with": Gate({"access": Module(FORBID)}, QUIET)}


async def kernel(tags: int) -> tuple[Any, list[Any]]:
    """Its spine, and records with a sample of each tag, ten batches to a turn at most."""
    engine = MemoryEngine(clock=SystemClock(), keep=4 << 20)
    await engine.open()
    spine = Spine(engine, SystemClock())
    paths = [f"acme/site/line{n % 20}/m{n // 20}/t{n}" for n in range(tags)]
    spine.registry.declare(Declared(path, "s") for path in paths)
    handles, entry = spine.registry.handles(
        "s/live", [(path, DataType.FLOAT64) for path in paths], time.time_ns()
    )
    spine.append([(entry, None)])
    listener, _ = spine.live.listen()
    column = np.array(handles, np.uint32)
    for turn in range(max(1, RECORDS * 1_000 // tags)):
        values = np.random.default_rng(turn).random(tags)
        batch = Batch.of(column, [time.time_ns() + turn], values)
        spine.append([(_entry(batch), batch)])
    found = SimpleNamespace(spine=spine, engine=engine, clock=spine.clock, history=None)
    return found, [(fresh.record, fresh.batch) for fresh in listener.take()]


def _entry(batch: Batch) -> Any:
    from bedplate.journal.engine import Entry
    from bedplate.model import Body

    now = time.time_ns()
    return Entry("s/live", Body.BATCH, encode_batch(batch), now, samples=len(batch))


def _caller(gate: Gate, stream: Stream) -> Caller:
    door: Any = SimpleNamespace(gate=gate)
    return Caller(VERA, stream, door)


async def live(gate: Gate, made: Any, records: Sequence[Any]) -> Run:
    """A subscriber of everything that has been shown all of it once."""
    caller = _caller(gate, Stream())
    sights = {"tags": caller.sight(ACTION), "events": caller.sight(ACTION)}
    shown = Shown(Selector(["**"]), Concerned(made), **sights)
    open_ = api_pb2.SubscribeOpen(credit=1 << 30)
    subscriber = Subscriber(made, caller, open_, shown)

    async def run() -> int:
        for pair in records:
            await subscriber.pass_on([pair], 0)
        return sum(record.samples for record, _ in records)

    await run()
    return run


async def history(gate: Gate, made: Any, records: Sequence[Any]) -> Run:
    """Pages of an answer over everything."""
    tags = [tag_message(tag).SerializeToString() for tag in made.spine.registry.table]
    batches = [encode_batch(batch) for _, batch in records if batch is not None][:PAGES]
    reply = twin(connector_pb2.QueryReply)
    first = connector_pb2.QueryReply(tags=map(record_pb2.Tag.FromString, tags))
    encoded = first.SerializeToString()  # each page brings the tags

    async def query(question: Any) -> Any:
        for batch in batches:
            page = reply.FromString(encoded)
            page.batches.append(batch)
            yield page

    kernel_ = SimpleNamespace(**vars(made))
    kernel_.history = SimpleNamespace(query=query, component=SimpleNamespace(id="files"))
    service: Any = HistoryService(cast(Any, kernel_), Moves)
    caller = _caller(gate, Stream())
    request = api_pb2.QueryRequest(selectors=["**"])

    async def run() -> int:
        async for response in service.query(request, caller):
            response.SerializeToString()
        return sum(len(batch) for _, batch in records[:PAGES] if batch is not None)

    await run()
    return run


def access(plan: Plan) -> Iterator[Figure]:
    yield from asyncio.run(_decisions(plan))
    for tags in PLANTS:
        yield from asyncio.run(_throughput(plan, tags))


async def _decisions(plan: Plan) -> list[Figure]:
    gate, cached, looks = gates()["with"], [], defaultdict(list)
    paths = [f"acme/site/line{n % 20}/m{n // 20}/t{n}" for n in range(10_000)]
    for _ in range(plan.rounds + 1):
        began = time.process_time()
        for number in range(CALLS):
            await gate.check(VERA, "live.current", paths[number % 10])
        cached.append((time.process_time() - began) / CALLS * 1e6)
        for name, text in (("by places", FORBID), ("by patterns", LIKE)):
            first = Gate({"access": Module(text)}, QUIET)
            began = time.process_time()
            await first.seen(VERA, "live.subscribe", paths)
            looks[name].append(time.process_time() - began)
    found = [
        Figure(
            "j", "decision from memory, with its line of the log", cached[1:], "µs", Target("≤", 50)
        )
    ]
    for name, seconds in looks.items():
        what = f"first look at 10,000 tags, policies {name}"
        found.append(Figure("j", what, seconds[1:], "s", Target("≤", 5)))
    return found


async def _throughput(plan: Plan, tags: int) -> list[Figure]:
    made, records = await kernel(tags)
    found = []
    for what, make in (("live", live), ("history", history)):
        runs = {name: await make(gate, made, records) for name, gate in gates().items()}
        spent: defaultdict[str, list[float]] = defaultdict(list)
        with machine.foreign() as foreign:
            for turn in range(plan.rounds + 1):
                for name in plan.rotated(list(runs), turn):
                    began = time.process_time()
                    for _ in range(3):
                        await runs[name]()
                    spent[name].append(time.process_time() - began)
        ratios = [a / b for a, b in zip(spent["without"][1:], spent["with"][1:], strict=True)]
        told = f"{what}, {tags:,} tags: throughput with access, to without"
        found.append(Figure("j", told, ratios, "x", Target("≥", 0.95), foreign.cores))
    return found
