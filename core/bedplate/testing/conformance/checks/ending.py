"""Ending: in order when asked, at once when the kernel is gone, and leaving nobody behind."""

from __future__ import annotations

import asyncio

from bedplate.testing.conformance import watch
from bedplate.testing.conformance.bench import Bench
from bedplate.testing.conformance.check import SHOULD, check, expect_code, require
from bedplate.testing.conformance.checks.asks import something_slow
from bedplate.testing.runs import ProcessRun, Shutdown

PROCESS = ("process",)
SLACK = 3.0  # s that a busy machine may take


async def _opened(bench: Bench) -> ProcessRun:
    run = await bench.process()
    if not (bench.wired and bench.simulator is None):
        await bench.session(run.kernel)
    return run


@check(
    "PLG-030",
    "Shutdown is answered, and it exits 0 within its grace",
    "A stop in order: the answer says that it was heard, the exit code that nothing went wrong.",
    "§3.1 Shutdown",
    placements=PROCESS,
)
async def shutdown(bench: Bench) -> str:
    run = await _opened(bench)
    loop = asyncio.get_running_loop()
    began = loop.time()
    reply = await run.kernel.ask("", 2.0, shutdown=Shutdown(grace_ms=2000))
    expect_code(reply, "Shutdown", "OK")
    code = await run.exit_code(2.0 + SLACK)
    require(code is not None, f"it still runs {2 + SLACK:.0f} s after Shutdown with 2 s of grace")
    require(code == 0, f"it ended with exit code {code}, not 0")
    return f"exit 0 after {loop.time() - began:.1f} s"


@check(
    "PLG-031",
    "Shutdown is kept while a device hangs",
    "A plant is stopped when something is wrong; that is when devices do not answer.",
    "§3.1 Shutdown",
    kinds=("connector",),
    placements=PROCESS,
)
async def shutdown_in_a_hang(bench: Bench) -> str:
    run = await bench.process()
    await something_slow(bench, run.kernel, 20.0)
    await asyncio.sleep(0.3)
    reply = await run.kernel.ask("", 2.0, shutdown=Shutdown(grace_ms=3000))
    expect_code(reply, "Shutdown", "OK")
    code = await run.exit_code(3.0 + SLACK)
    require(code is not None, "it still runs 6 s after Shutdown with 3 s of grace")
    return f"exit code {code}"


@check(
    "PLG-032",
    "When stdin ends it exits within 2 s",
    "stdin is how it learns that the kernel was killed. A plugin that lives on holds the device against the next one.",
    "§2 Starting a plugin",
    placements=PROCESS,
)
async def stdin_ends(bench: Bench) -> str:
    run = await _opened(bench)
    loop = asyncio.get_running_loop()
    began = loop.time()
    run.close_stdin()
    code = await run.exit_code(2.0 + SLACK)
    require(code is not None, f"it still runs {2 + SLACK:.0f} s after stdin ended")
    return f"exit code {code} after {loop.time() - began:.1f} s"


@check(
    "PLG-033",
    "When the stream ends it exits",
    "It must not dial again: the kernel starts a new life, with a new token.",
    "§2 Starting a plugin",
    placements=PROCESS,
)
async def stream_ends(bench: Bench) -> str:
    run = await _opened(bench)
    run.hang_up()
    code = await run.exit_code(2.0 + SLACK)
    require(code is not None, f"it still runs {2 + SLACK:.0f} s after the stream ended")
    shown = bench.door.shown[run.token]
    require(shown == 1, f"it dialled again: its token was shown {shown} times")
    return f"exit code {code}"


@check(
    "PLG-034",
    "It leaves no process behind",
    "What it starts must end with it, or the next life finds the port, the file or the device taken.",
    "§2 Starting a plugin",
    level=SHOULD,
    placements=PROCESS,
)
async def leaves_nobody(bench: Bench) -> str:
    run = await _opened(bench)
    family = len(watch.pids(run.pid))
    await run.kernel.ask("", 2.0, shutdown=Shutdown(grace_ms=2000))
    await run.exit_code(2.0 + SLACK)
    left: list[int] = []
    for _ in range(20):
        left = watch.pids(run.pid)
        if not left:
            break
        await asyncio.sleep(0.05)
    require(not left, f"{len(left)} processes are left: {left}")
    return f"{family} processes, none left"
