"""Analytics: results that depend on nothing but states and stretches, whatever comes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from bedplate.analytic.v1 import analytic_pb2
from bedplate.model import quality
from bedplate.plugin.v1 import plugin_pb2
from bedplate.testing.conformance.bench import Bench
from bedplate.testing.conformance.check import SHOULD, NotApplicable, check, expect_code, require
from bedplate.testing.conformance.profile import InputEntry
from bedplate.testing.conformance.session import Session, decoded
from bedplate.testing.stretch import Journal
from bedplate.wire import decode_event, twin

ANALYTIC: dict[str, Any] = {"kinds": ("analytic",)}
Process, State = twin(analytic_pb2.Process), twin(plugin_pb2.State)
START = 1_790_000_000 * 10**9
SECOND = 10**9
SECONDS = 120


class Worked:
    """What an analytic made of some stretches: replies, and its states after them."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.replies: list[Any] = []
        self.states: dict[str, bytes] = {}

    def take(self, reply: Any) -> None:
        self.replies.append(reply)
        for state in reply.process.states:
            self.states[state.key] = state.value

    def samples(self) -> dict[int, list[tuple[Any, ...]]]:
        """handle of an output → (time, value, quality) in order. NaN as text, so that it equals itself."""
        found: dict[int, list[tuple[Any, ...]]] = {}
        for reply in self.replies:
            for batch in decoded(reply.process.batches, "the answer to Process"):
                rows = zip(
                    *(batch.tags().tolist(), batch.times().tolist()),
                    *(map(_comparable, batch.value.tolist()), batch.qualities().tolist()),
                    strict=True,
                )
                for handle, *rest in rows:
                    found.setdefault(handle, []).append(tuple(rest))
        return found

    def events(self) -> list[bytes]:
        return sorted(bytes(event) for reply in self.replies for event in reply.process.events)


def _comparable(value: Any) -> Any:
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


def records(bench: Bench, journal: Journal, seconds: range, asset: str = "") -> list[Any]:
    """One sample of each input a second, each a record of its own, by time."""
    made = []
    base = asset or bench.profile.asset
    for second in seconds:
        for name in bench.input_names():
            entry = bench.profile.inputs.get(name) or InputEntry(values=[1.0, 2.0, 5.0, 3.0])
            value = entry.values[second % len(entry.values)]
            made.append(journal.samples(f"{base}/{name}", [START + second * SECOND], [value]))
    return made


async def work(
    bench: Bench,
    stretches: Sequence[Sequence[Any]],
    journal: Journal,
    states: dict[str, bytes] | None = None,
) -> Worked:
    """Opens, processes the stretches one after the other, closes."""
    kept = [State(key=key, value=value) for key, value in (states or {}).items()]
    session = await bench.session(component="kit-analytic", states=kept)
    done = Worked(session)
    outputs = list(range(1, len(session.reply.open.outputs) + 1))
    for number, stretch in enumerate(stretches):
        until = stretch[-1].received if stretch else START
        ask = Process(records=stretch, tables=[journal.table()], until=until)
        if not number:
            ask.outputs.extend(outputs)
        reply = await session.ask(30.0, process=ask)
        expect_code(reply, f"Process of {len(stretch)} records", "OK")
        done.take(reply)
    done.states = {**(states or {}), **done.states}
    await session.close()
    return done


def split(made: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [made[start : start + size] for start in range(0, len(made), size)]


@check(
    "ANA-001",
    "All outputs are named by Open, each once and with a type",
    "The kernel makes tags of them before the first result. What is not named can't be written.",
    "§3.3 Open",
    **ANALYTIC,
)
async def outputs_are_named(bench: Bench) -> str:
    session = await bench.session()
    outputs = list(session.reply.open.outputs)
    names = [(output.asset, output.name) for output in outputs]
    require(len(names) == len(set(names)), "an output is named twice")
    for output in outputs:
        require(output.name, "an output without a name")
        require(output.data_type, f"output {output.name} without a type")
        require(
            not output.asset, f"output {output.name} is of asset {output.asset}, and there is one"
        )
    await session.close()
    return ", ".join(output.name for output in outputs) or "none: events only"


@check(
    "ANA-002",
    "Results use the handles of the outputs, in their types",
    "A batch for a handle that is no output of this component would be somebody else's tag.",
    "§3.3 Process",
    **ANALYTIC,
)
async def results_fit(bench: Bench) -> str:
    journal = Journal()
    done = await work(bench, split(records(bench, journal, range(SECONDS)), 100), journal)
    types = {n: o.data_type for n, o in enumerate(done.session.reply.open.outputs, 1)}
    count = 0
    for reply in done.replies:
        for batch in decoded(reply.process.batches, "the answer to Process"):
            for handle in set(batch.tags().tolist()):
                require(handle in types, f"a result for handle {handle}, which is no output")
                told = f"output {handle} is of type {types[handle]}, its batch of {int(batch.data_type)}"
                require(types[handle] == int(batch.data_type), told)
            require(len(batch.time), "a result without a time")
            count += len(batch)
    return f"{count} samples of {SECONDS} s"


@check(
    "ANA-003",
    "The same stretches give the same bytes",
    "After a crash the same stretch comes again. A clock or a random number in it makes a result that never was.",
    "§3.3 Process",
    **ANALYTIC,
)
async def deterministic(bench: Bench) -> str:
    journal = Journal()
    made = split(records(bench, journal, range(SECONDS)), 100)
    first, second = await work(bench, made, journal), await work(bench, made, journal)
    for number, (one, two) in enumerate(zip(first.replies, second.replies, strict=True)):
        same = _bytes(one) == _bytes(two)
        require(same, f"stretch {number} gave other bytes the second time")
    return f"{len(made)} stretches twice, {sum(len(_bytes(r)) for r in first.replies)} bytes"


def _bytes(reply: Any) -> bytes:
    data: bytes = reply.process.SerializeToString(deterministic=True)
    return data


@check(
    "ANA-004",
    "Any split of the same records gives the same results",
    "How much comes at once depends on how busy the machine was, which is no property of the plant.",
    "§3.3 Process",
    **ANALYTIC,
)
async def any_split(bench: Bench) -> str:
    journal = Journal()
    made = records(bench, journal, range(SECONDS))
    whole = await work(bench, split(made, 1000), journal)
    for size in (1, 7):
        parts = await work(bench, split(made, size), journal)
        _compare(whole, parts, f"{size} at a time and 1,000 at a time")
    return f"{len(made)} records by 1, by 7, by 1,000"


def _compare(one: Worked, two: Worked, how: str) -> None:
    first, second = one.samples(), two.samples()
    for handle in sorted(set(first) | set(second)):
        a, b = first.get(handle, []), second.get(handle, [])
        if a != b:
            at = next(
                (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y),
                min(len(a), len(b)),
            )
            shown = [rows[at] if at < len(rows) else "nothing" for rows in (a, b)]
            require(
                False, f"{how}: output {handle} differs at sample {at}: {shown[0]} and {shown[1]}"
            )
    require(one.events() == two.events(), f"{how}: other events")


@check(
    "ANA-005",
    "State and what follows give what an uninterrupted run gives",
    "The kernel keeps state and results in one commit, so that a crash anywhere changes nothing.",
    "§3.3 Process",
    **ANALYTIC,
)
async def restored(bench: Bench) -> str:
    journal = Journal()
    made = split(records(bench, journal, range(SECONDS)), 20)
    whole = await work(bench, made, journal)
    for cut in (1, len(made) // 2, len(made) - 1):
        before = await work(bench, made[:cut], journal)
        after = await work(bench, made[cut:], journal, before.states)
        joined = Worked(after.session)
        joined.replies = before.replies + after.replies
        _compare(whole, joined, f"uninterrupted, and restored after stretch {cut}")
    size = sum(map(len, whole.states.values()))
    return f"cut at three places; {size} bytes of state"


@check(
    "ANA-006",
    "NaN, Bad values and another type are no fault",
    "Sensors break. An analytic that faults on what a broken one says is gone when it is needed.",
    "§3.3 Process",
    **ANALYTIC,
)
async def bad_input(bench: Bench) -> str:
    names = bench.input_names()
    if not names:
        raise NotApplicable("its settings name no tag")
    journal = Journal()
    made = records(bench, journal, range(10))
    when = START + 10 * SECOND
    for name in names:
        path = f"{bench.profile.asset}/{name}"
        made.append(journal.samples(path, [when], [math.nan], [0]))
        made.append(journal.samples(path, [when + 1], [1.0], [quality.BAD_DEVICE_FAILURE]))
        made.append(journal.samples(path, [when + 2], [math.inf], [quality.UNCERTAIN]))
        made.append(journal.samples(path, [when + 3], ["a text"], [0]))
        made.append(journal.samples(path, [when + 4], [True], [0]))
    for size in (1, 1000):
        await work(bench, split(made, size), journal)
    return f"NaN, infinity, Bad, a text and a truth value for {len(names)} inputs"


@check(
    "ANA-007",
    "Late samples, repeated ones and gaps are no fault",
    "Buffers of devices are read late, networks repeat. A gap is declared in its place.",
    "§3.3 Process",
    **ANALYTIC,
)
async def disorder(bench: Bench) -> str:
    names = bench.input_names()
    if not names:
        raise NotApplicable("its settings name no tag")
    journal = Journal()
    made = records(bench, journal, range(20))
    path = f"{bench.profile.asset}/{names[0]}"
    entry = bench.profile.inputs.get(names[0]) or InputEntry(values=[1.0])
    late = START + 21 * SECOND
    for second in (5, 5, 19, 2):
        values = [entry.values[0]]
        made.append(journal.samples(path, [START + second * SECOND], values, received=late))
    made.append(journal.gap(5, 9, late))
    made += records(bench, journal, range(22, 30))
    for size in (1, 1000):
        await work(bench, split(made, size), journal)
    return "late, twice, and a gap"


@check(
    "ANA-008",
    "A stretch without samples is taken",
    "Time passes also when nothing is sent: delays run out in silence.",
    "§3.3 Process",
    **ANALYTIC,
)
async def silence(bench: Bench) -> str:
    session = await bench.session()
    for until in (START, START + SECOND, START + SECOND):
        ask = Process(until=until, outputs=range(1, len(session.reply.open.outputs) + 1))
        expect_code(await session.ask(process=ask), "Process without records", "OK")
    await session.close()
    return "three times OK"


@check(
    "ANA-009",
    "Events are of its own asset",
    "An alarm stands where the machine is. One at another's name is looked for in the wrong hall.",
    "§3.3 Process",
    **ANALYTIC,
)
async def own_events(bench: Bench) -> str:
    journal = Journal()
    done = await work(bench, split(records(bench, journal, range(SECONDS)), 100), journal)
    events = [decode_event(event) for event in done.events()]
    strange = [e.source for e in events if not e.source.startswith(bench.profile.asset + "/")]
    require(not strange, f"events of {strange[:3]}, and its asset is {bench.profile.asset}")
    return f"{len(events)} events"


@check(
    "ANA-010",
    "Assets do not mix",
    "One session serves all machines of a type; what one does must not show at another.",
    "§3.3 Open",
    **ANALYTIC,
)
async def assets_apart(bench: Bench) -> str:
    journal = Journal()
    made = records(bench, journal, range(60))
    alone = await work(bench, split(made, 100), journal)
    assets = [bench.asset(bench.profile.asset), bench.asset("kit/another")]
    session = await bench.session(component="kit-analytic", assets=assets)
    outputs = session.reply.open.outputs
    strange = [o.name for o in outputs if o.asset > 1]
    require(not strange, f"outputs {strange[:3]} are of an asset that there is not")
    both = Worked(session)
    first = [n for n, o in enumerate(outputs, 1) if o.asset == 0]
    for number, stretch in enumerate(split(made, 100)):
        ask = Process(records=stretch, tables=[journal.table()], until=stretch[-1].received)
        if not number:
            ask.outputs.extend(range(1, len(outputs) + 1))
        reply = await session.ask(30.0, process=ask)
        expect_code(reply, "Process for two assets", "OK")
        both.take(reply)
    await session.close()
    mine = {first.index(h) + 1: rows for h, rows in both.samples().items() if h in first}
    require(mine == alone.samples(), "beside another asset its results are others")
    return f"{len(outputs)} outputs of two assets"


@check(
    "ANA-011",
    "A state it can't read is INVALID",
    "After going back to an older version the state is of a newer one. Guessing at it makes wrong numbers for ever.",
    "§3.3 Open",
    level=SHOULD,
    **ANALYTIC,
)
async def strange_state(bench: Bench) -> str:
    journal = Journal()
    done = await work(bench, split(records(bench, journal, range(30)), 10), journal)
    if not any(done.states.values()):
        raise NotApplicable("it keeps no state")
    kept = [State(key=key, value=b"\xff\x00 no state at all") for key in done.states]
    session = Session(await bench.running(), "kit-analytic", bench.message(states=kept))
    expect_code(await session.open(), "Open with a state of another version", "INVALID")
    await session.close()
    return "INVALID"
