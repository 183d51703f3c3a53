"""The whole line: the OPC UA server and the Modbus server as two processes.

Owns: starting both with the same seed and start, one ready line for both, ending both.
Rule: no process outlives this one: the servers end when their stdin, held here, closes.
Setpoints written over OPC UA are passed on, so that the meters show the power that belongs to the
speed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from typing import Any, Final

from bedplate_simline.serving import interrupts_later, say

END_WITHIN: Final = 3.0
"""Seconds a server has to end by itself before it is killed."""


async def serve_both(opcua: list[str], modbus: list[str]) -> None:
    """Run both servers, each with its command-line arguments, until cancelled.

    Raises ChildProcessError when one of them ends by itself.
    """
    servers: list[Process] = []
    try:
        for arguments in (["opcua", "--announce-writes", *opcua], ["modbus", *modbus]):
            servers.append(await _start(arguments))
        plc, meters = servers
        say(await _ready(plc) | await _ready(meters))
        await _pass_on_writes(plc, meters)
    finally:
        await asyncio.gather(*(_end(server) for server in servers))


async def _start(arguments: list[str]) -> Process:
    with interrupts_later():
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bedplate_simline", *arguments, "--until-stdin-closes"),
            stdin=PIPE,
            stdout=PIPE,
        )


async def _ready(server: Process) -> dict[str, Any]:
    assert server.stdout is not None
    line = await server.stdout.readline()
    if not line:
        raise ChildProcessError(f"a server of the line did not start (exit {await server.wait()})")
    ready: dict[str, Any] = json.loads(line)
    return ready


async def _pass_on_writes(plc: Process, meters: Process) -> None:
    """Copy each line the PLC says to the meters until one of the two ends."""
    assert plc.stdout is not None
    assert meters.stdin is not None
    gone = asyncio.ensure_future(meters.wait())
    try:
        while True:
            said = asyncio.ensure_future(plc.stdout.readline())
            await asyncio.wait((said, gone), return_when=asyncio.FIRST_COMPLETED)
            if gone.done() or not said.result():
                said.cancel()
                raise ChildProcessError("a server of the line ended by itself")
            meters.stdin.write(said.result())
    finally:
        gone.cancel()


async def _end(server: Process) -> None:
    """Close its stdin, wait, kill if it does not listen."""
    assert server.stdin is not None
    server.stdin.close()
    try:
        await asyncio.wait_for(server.wait(), END_WITHIN)
    except TimeoutError:
        server.kill()
        await server.wait()
