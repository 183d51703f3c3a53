"""Attaching: one line of JSON, one dial, one Hello."""

from __future__ import annotations

from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.kinds import KINDS
from bedplate.testing.conformance.bench import Bench
from bedplate.testing.conformance.check import Failed, check, require
from bedplate.testing.conformance.session import Ping
from bedplate.testing.runs import ProcessRun

DO_NOT_RETRY = 78
PROCESS = ("process",)


@check(
    "PLG-001",
    "Hello comes first, alone, with the token and a name",
    "The kernel knows a plugin by its token only. What comes before or beside Hello can't be taken from anybody.",
    "§2 Starting a plugin",
    placements=PROCESS,
)
async def hello_is_first(bench: Bench) -> str:
    kernel = await bench.running()
    require(kernel.hello.token, "the first message is no Hello with the token")
    beside = [f.name for f, _ in kernel.first.ListFields() if f.name != "hello"]
    require(not beside, f"Hello came with {', '.join(beside)} in the same message")
    require(kernel.hello.plugin, "Hello does not say the name of the plugin")
    return f"{kernel.hello.plugin} {kernel.hello.version}, {kernel.hello.runtime}"


@check(
    "PLG-002",
    "A refused token ends it with exit code 78",
    "Another try with the same token is of no use, and the exit code is how the kernel learns that it must not try.",
    "§2 Attach",
    placements=PROCESS,
)
async def refused_token(bench: Bench) -> str:
    run = bench.make()
    assert isinstance(run, ProcessRun)
    await run.spawn({"token": "wrong"})
    code = await run.exit_code(30)
    require(code is not None, "it still runs 30 s after its token was refused")
    require(code == DO_NOT_RETRY, f"it ended with exit code {code}, not {DO_NOT_RETRY}")
    shown = bench.door.shown.pop("wrong", 0)
    require(shown == 1, f"it dialled {shown} times with a token that was refused")
    return f"exit code {code} after one dial"


@check(
    "PLG-003",
    "It dials once",
    "A token is good for one Attach; a second stream would be a stranger's.",
    "§2 Starting a plugin",
    placements=PROCESS,
)
async def dials_once(bench: Bench) -> str:
    kernel = await bench.running()
    for _ in range(20):
        await kernel.ask("", ping=Ping())
    shown = bench.door.shown[kernel.hello.token]
    require(shown == 1, f"its token was shown {shown} times")
    return "one dial"


@check(
    "PLG-004",
    "Keys on stdin that it does not know are ignored",
    "Later versions of the kernel say more there; a plugin of today must start all the same.",
    "§2 Starting a plugin",
    placements=PROCESS,
)
async def unknown_keys(bench: Bench) -> str:
    run = bench.make()
    assert isinstance(run, ProcessRun)
    token, expected = bench.door.expect(KINDS[bench.subject.kind])
    await run.spawn({"a later key": {"with": ["anything", None]}, "token": token})
    code = await run.exit_code(0.1)
    for _ in range(300):
        if expected.done() or code is not None:
            break
        code = await run.exit_code(0.1)
    if not expected.done():
        how = "is silent" if code is None else f"ended with exit code {code}"
        raise Failed(f"with a later key on stdin it {how}")
    run.kernel = expected.result()
    reply = await run.kernel.ask("", ping=Ping())
    require(reply.answer.code == plugin_pb2.CODE_OK, "Ping was not answered OK")
    return "attached"
