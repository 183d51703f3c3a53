"""`status` answers from the first moment, whatever still waits for its turn to start."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.policy.callers import anybody
from tests.runtime.plant import plant, state

from bedplate.api.v1 import api_pb2
from bedplate.server.admin import Admin

MANY = "connectors:\n" + "".join(
    f"  c{i}: {{use: counter, process: p{i}, tags: {{a: {{address: x}}}}}}\n" for i in range(9)
)


async def test_status_answers_while_processes_wait_for_their_turn(tmp_path: Path) -> None:
    async with plant(tmp_path, MANY) as kernel:
        admin = Admin(kernel, ())
        caller = anybody()
        seen = set()
        async with asyncio.timeout(60):
            while not all(state(kernel, f"c{i}") == "up" for i in range(9)):
                answer = await admin.status(api_pb2.GetStatusRequest(), caller)
                seen.add(len(answer.processes))
                assert all(process.restarts == 0 for process in answer.processes)
                await asyncio.sleep(0)
        assert max(seen) > 4
