"""What a plugin takes and touches: nothing that grows, no socket to listen at, no file outside, no secret told."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from bedplate.testing.conformance import watch
from bedplate.testing.conformance.bench import Bench, is_secret
from bedplate.testing.conformance.check import SHOULD, Failed, NotApplicable, check, require
from bedplate.testing.conformance.confined import why_not
from bedplate.testing.conformance.session import Ping, Session

PROCESS = ("process",)
FDS, THREADS, RSS = 4, 4, 12 << 10  # growth that is none; KiB
SECRET = "kit-secret-7f3a9c"


async def _settled(session: int) -> watch.Held:
    """What it holds, once it stops falling: closing takes a moment."""
    best = watch.held(session)
    for _ in range(20):
        await asyncio.sleep(0.1)
        now = watch.held(session)
        if (now.fds, now.threads) == (best.fds, best.threads):
            return now
        best = now
    return best


def grown(before: watch.Held, after: watch.Held, rss: int = RSS) -> str:
    """What grew, in words; empty when nothing did."""
    told = []
    if after.fds > before.fds + FDS:
        told.append(f"{before.fds} → {after.fds} descriptors")
    if after.threads > before.threads + THREADS:
        told.append(f"{before.threads} → {after.threads} threads")
    if after.rss > before.rss + rss:
        told.append(f"{before.rss >> 10} → {after.rss >> 10} MiB")
    return ", ".join(told)


async def cycle(session: Session) -> None:
    """Open and Close, whatever they say."""
    await session.open()
    await session.close()


@check(
    "PLG-023",
    "Opening and closing leaves nothing behind",
    "A device that comes and goes opens a session thousands of times in a year. What each leaves adds up.",
    "§3.1 Close",
    level=SHOULD,
    placements=PROCESS,
)
async def cycles(bench: Bench) -> str:
    bench.needs_a_session()
    run = await bench.process()
    session = Session(run.kernel, bench.component(), bench.message())
    count = bench.whole.cycles
    for _ in range(max(5, count // 5)):
        await cycle(session)
    before = await _settled(run.pid)
    for _ in range(count):
        await cycle(session)
    after = await _settled(run.pid)
    require(not (more := grown(before, after)), f"after {count} cycles: {more}")
    return (
        f"{count} cycles: {after.fds} descriptors, {after.threads} threads, {after.rss >> 10} MiB"
    )


@check(
    "PLG-040",
    "It listens nowhere",
    "A plugin dials once and opens no port: there is nothing to firewall and nothing to impersonate.",
    "§2 Starting a plugin",
    placements=PROCESS,
)
async def listens_nowhere(bench: Bench) -> str:
    run = await bench.process()
    if not (bench.wired and bench.simulator is None):
        await bench.session(run.kernel)
    await run.kernel.ask("", ping=Ping())
    open_ = watch.listening(run.pid)
    require(not open_, f"it listens at {', '.join(open_)}")
    return "no listening socket"


@check(
    "PLG-041",
    "It writes nothing outside its run folder and what it names",
    "An operator must know where a plugin keeps things. The home folder of a service is nobody's cupboard.",
    "§2 Starting a plugin",
    level=SHOULD,
    placements=PROCESS,
)
async def writes_nowhere(bench: Bench) -> str:
    run = await bench.process()
    if not (bench.wired and bench.simulator is None):
        session = await bench.session(run.kernel)
        if "read" in bench.subject.capabilities:
            await session.read()
    allowed = [str(bench.folder), *map(str, bench.profile.writes_to)]
    outside = [f for f in watch.written(run.pid) if not f.startswith(tuple(allowed))]
    require(not outside, f"it has open for writing: {', '.join(outside[:5])}")
    at_home = [str(p.relative_to(bench.home)) for p in _files(bench.home)]
    require(not at_home, f"it wrote into the home folder: {', '.join(at_home[:5])}")
    return "nothing outside"


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@check(
    "PLG-042",
    "It connects only where its manifest says",
    "The operator gives leave to what is declared: tcp:$host:$port of each component's own settings.",
    "§2 Starting a plugin",
    kinds=("connector",),
    placements=PROCESS,
)
async def connects_as_declared(bench: Bench) -> str:
    declared = bench.subject.permissions
    if declared is None:
        raise NotApplicable("it has no manifest to declare anything")
    run = await bench.process()
    await bench.session(run.kernel)
    peers = set(watch.connected(run.pid))
    if not declared.network:
        require(not peers, f"its manifest declares no network, and it connects to {sorted(peers)}")
        return f"no connection; {await _held(bench)}"
    named = json.dumps(bench.settings())
    strange = [f"{host}:{port}" for host, port in peers if str(port) not in named]
    require(not strange, f"it connects to {', '.join(strange)}, which its settings do not name")
    return f"{len(peers)} connections, all named by its settings; {await _held(bench)}"


async def _held(bench: Bench) -> str:
    """Whether it does with what it declares, when the operating system gives it nothing else."""
    if why := why_not(bench.subject):
        return f"not tried confined: {why}"
    component = bench.component()
    run, level = await bench.held(component)
    try:
        session = await bench.session(run.kernel, component)
        if "read" in bench.subject.capabilities:
            await session.read()
    except (Failed, ConnectionError) as error:
        text = f"held to its manifest ({level}) it does not work; does it declare all it needs? {error}"
        raise Failed(text) from None
    return f"and held to its manifest at {level} it works"


@check(
    "PLG-043",
    "Secrets are not printed and not told",
    "stdout and stderr go to the log, answers to the screen. A password in either is a password on a wall.",
    "§3.1 Open",
    placements=PROCESS,
)
async def secrets_stay(bench: Bench) -> str:
    names = [name for name, schema in bench.subject.properties().items() if is_secret(schema)]
    if not names:
        raise NotApplicable("none of its settings is marked as a secret")
    run = await bench.process()
    instead = dict.fromkeys(names, SECRET)
    session = Session(run.kernel, bench.component(), bench.message(instead))
    reply = await session.open()
    await session.close()
    for mistake in bench.profile.invalid[:1]:
        wrong = Session(run.kernel, bench.component(), bench.message(instead | mistake.settings))
        reply = await wrong.open()
    await asyncio.sleep(0.2)
    said = "\n".join(run.output)
    require(SECRET not in said, "a secret stands on stdout or stderr")
    told = [reply.answer.text, *(p.text for p in reply.answer.problems)]
    told += [note.text for note in run.kernel.notes]
    require(not any(SECRET in text for text in told), "a secret stands in an answer or a note")
    return f"{', '.join(names)}: nowhere"
