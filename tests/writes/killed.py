"""Kernels that are killed while commands run, again and again in one folder. Run by test_kills.

Reads jobs from stdin, a JSON object a line: {folder, die: {after: s} or {step: n} or {}, ids: [[id, value], …]}. Each
is a kernel of its own, forked from this process, which has imported everything: it says what it knows of commands
before, asks for these and ends by SIGKILL, after so many seconds or right before or after its n-th step (a record, a
line of the audit log, the write, the read-back). Says {} on stdout when it is gone.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.writes.rig import ENGINEER, TEXT, shop

from bedplate.audit.entry import Stamps
from bedplate.audit.log import ChainLog
from bedplate.clock import SystemClock
from bedplate.command import Command, Wish
from bedplate.command.book import Book
from bedplate.gate.audit import Audit
from bedplate.runtime.writing import Writing


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


OFTEN = TEXT.replace("step: 50", "step: 50, rate: 6000/min")  # a rate outlasts a restart


class Steps:
    """Counts what goes by, and dies at one of them."""

    def __init__(self, last: int) -> None:
        self._left = last

    def step(self) -> None:
        self._left -= 1
        if self._left == 0:
            die()

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        async def stepped(*arguments: Any, **more: Any) -> Any:
            self.step()
            result = await call(*arguments, **more)
            self.step()
            return result

        return stepped


def told(one: Command) -> list[Any]:
    return [one.command_id, one.state.name, one.text]


async def live(job: dict[str, Any]) -> None:
    folder = Path(job["folder"])
    clock = SystemClock()
    stamps = Stamps(clock)
    audit = Audit(ChainLog(folder / "audit", stamps), clock, None, stamps)
    await audit.open()
    async with shop(folder, kept=True, audit=audit, text=OFTEN) as press:
        with (folder / "answers").open("a") as answers:
            for one in reversed(press.guard.commands(last=1000)):
                answers.write(json.dumps(told(one)) + "\n")
        if "after" in job["die"]:
            threading.Timer(job["die"]["after"], die).start()
        steps = Steps(job["die"].get("step", 0))
        for kind, name in (
            (Book, "put"),
            (Audit, "write"),
            (Writing, "send"),
            (Writing, "read_back"),
        ):
            call = getattr(kind, name)
            setattr(kind, name, _bound(steps, call))
        for id_, value in job["ids"]:
            done = await press.guard.submit(Wish(id_, "acme/press/speed", value), ENGINEER)
            with (folder / "answers").open("a") as answers:
                answers.write(json.dumps(told(done)) + "\n")
        if job["die"]:
            die()
    await audit.close()


def _bound(steps: Steps, call: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Any, *arguments: Any, **more: Any) -> Any:
        return steps.around(call)(self, *arguments, **more)

    return method


def main() -> None:
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if not child:
            asyncio.run(live(job))
            os._exit(0)
        os.waitpid(child, 0)
        print("{}", flush=True)


if __name__ == "__main__":
    main()
